/**
 * @module test/connectors/postgres/golden/script — the input of a recording: an .sql file whose comments say what happens when (golden/cdc/README.md).
 */
import { splitStatements } from './statements.ts'

/** One thing that the recorder did. `label` names the stage in the recording. */
export type Step =
  | { readonly kind: 'sql' | 'while-stopped' | 'query'; readonly label: string; readonly statements: readonly string[] }
  | { readonly kind: 'start' | 'stop' | 'resume' | 'wait'; readonly label: string }
  | { readonly kind: 'set'; readonly label: string; readonly config: Readonly<Record<string, string>> }

/** A whole file. */
export interface Script {
  /** Statements before the connector exists. */
  readonly setup: readonly string[]
  /** From `@start` on, in order. */
  readonly steps: readonly Step[]
  /** Connector keys of all variants. */
  readonly config: Readonly<Record<string, string>>
  /** Connector keys by variant. */
  readonly variants: ReadonlyMap<string, Readonly<Record<string, string>>>
}

const DIRECTIVE = /^-- @([a-z-]+)(?: (.*))?$/

/** Reads a file. Throws for a directive that it does not know: to pass over one would be to test something else. */
export function readScript(text: string): Script {
  const setup: string[] = []
  const steps: Step[] = []
  let config: Readonly<Record<string, string>> = {}
  const variants = new Map<string, Readonly<Record<string, string>>>()
  for (const { name, argument, body } of blocks(text)) {
    const statements = splitStatements(body)
    if (name === 'setup') setup.push(...statements)
    else if (name === 'config') config = keysOf(argument)
    else if (name === 'variant') {
      const [variant = '', ...rest] = argument.split(' ')
      variants.set(variant, keysOf(rest.join(' ')))
    } else steps.push(stepOf(name, argument, statements))
  }
  return { setup, steps, config, variants }
}

interface Block {
  readonly name: string
  readonly argument: string
  readonly body: string
}

/** A directive with the lines under it. */
function blocks(text: string): readonly Block[] {
  const found: { name: string; argument: string; lines: string[] }[] = []
  for (const line of text.split('\n')) {
    const [isDirective, name = '', argument = ''] = DIRECTIVE.exec(line) ?? []
    if (isDirective !== undefined) found.push({ name, argument: argument.trim(), lines: [] })
    else if (line.trim() !== '') {
      const last = found.at(-1)
      if (last === undefined) throw new Error(`SQL before the first directive: ${line}`)
      last.lines.push(line)
    }
  }
  return found.map(({ name, argument, lines }) => ({ name, argument, body: lines.join('\n') }))
}

function stepOf(name: string, argument: string, statements: readonly string[]): Step {
  switch (name) {
    case 'sql':
    case 'while-stopped':
    case 'query':
      return { kind: name, label: argument, statements }
    case 'start':
      return { kind: name, label: 'started' }
    case 'stop':
    case 'resume':
      return { kind: name, label: argument === '' ? name : `${name} ${argument}` }
    case 'wait':
      return { kind: name, label: 'waited' }
    case 'set':
      return { kind: name, label: `reconfigured ${argument}`, config: keysOf(argument) }
    default:
      throw new Error(`what is @${name}?`)
  }
}

/** `k=v ;; k=v` */
function keysOf(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split(' ;; ')
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new Error(`no key and value: ${pair}`)
      return [pair.slice(0, at).trim(), pair.slice(at + 1)] as const
    })
  return Object.fromEntries(pairs)
}
