/** @module cli/usage — the option table as people read it. */
import type { OptionSpec, OptionTable } from './options.ts'

/** Width that the help is laid out for, in columns, and where its texts begin. */
const LAYOUT = { widthColumns: 100, textColumn: 34 } as const

/** The options of a command, one after another: name and argument, then what it means. Ends with a line end. */
export function usageText(definition: { readonly name: string; readonly options: OptionTable }): string {
  const names = Object.keys(definition.options).sort()
  const lines = names.flatMap((name) => optionLines(name, definition.options[name] as OptionSpec))
  return ['', `Usage: millrace ${definition.name} [option]…`, '', ...lines, ''].join('\n')
}

function optionLines(name: string, spec: OptionSpec): string[] {
  const head = `  --${name}${argumentText(spec)}`
  const text = wrap(sentence(spec), LAYOUT.widthColumns - LAYOUT.textColumn)
  const indent = ' '.repeat(LAYOUT.textColumn)
  // A head that leaves no gap stands on a line of its own.
  if (head.length > LAYOUT.textColumn - 2) return [head, ...text.map((line) => indent + line)]
  return text.map((line, index) => (index === 0 ? head.padEnd(LAYOUT.textColumn) : indent) + line)
}

function argumentText(spec: OptionSpec): string {
  if (spec.argument === undefined) return ''
  const name = (spec.argumentName ?? spec.type ?? 'value').replace(/^<|>$/g, '')
  return spec.argument === 'required' ? ` <${name}>` : ` [${name}]`
}

function sentence(spec: OptionSpec): string {
  const marks = [spec.isRequired === true ? 'REQUIRED: ' : '', spec.isDeprecated === true ? '(DEPRECATED) ' : ''].join('')
  return `${marks}${spec.help}${spec.default === undefined || spec.default === '' ? '' : ` (default: ${spec.default})`}`
}

/** Lines of at most `width` columns, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
