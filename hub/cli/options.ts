/**
 * @module cli/options — reads a command line by a table of options, as jopt-simple 5 does in Kafka's scripts: `--name value`,
 * `--name=value`, `-name value`, options that repeat, `--` before what is no option. Names are not abbreviated: Kafka's scripts
 * turn that off (CommandDefaultOptions). Values are converted when they are asked for, so that a bad number of an option
 * that nobody looks at is no error, as there.
 */

/** One option. Its name is its key in the {@link OptionTable}. */
export interface OptionSpec {
  /** Whether a value follows; `optional` takes the next word unless that looks like an option. Default `none`. */
  readonly argument?: 'required' | 'optional'
  /** What the value is called in the help. */
  readonly argumentName?: string
  /** Default `String`. */
  readonly type?: 'String' | 'Integer' | 'Long'
  /** The value when the option is not given. */
  readonly default?: string
  readonly isDeprecated?: boolean
  /** The command does not work without it (the help says so). */
  readonly isRequired?: boolean
  /** The option needs one of these beside it. */
  readonly availableIf?: readonly string[]
  /** An option that Kafka's script does not have. */
  readonly isOurs?: boolean
  readonly help: string
}

/** The options of a command by name, without the leading dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

/** A command line that the table does not allow; the message is jopt-simple's. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

const INT_MAX = 2 ** 31 - 1
const LONG_MAX = 2n ** 63n - 1n

/** Reads the arguments. @throws OptionError */
export function parseOptions<Table extends OptionTable>(table: Table, args: readonly string[]): ParsedOptions<Table> {
  const given = new Map<string, string[]>()
  let at = 0
  const next = (): string | undefined => args[at++]
  while (at < args.length) {
    const word = next() as string
    if (word === '--') break
    if (!looksLikeOption(word)) continue
    const { name, inlineValue } = optionOf(table, word)
    const spec = table[name] as OptionSpec
    const values = given.get(name) ?? []
    given.set(name, values)
    if (spec.argument === undefined) continue
    if (inlineValue !== '') {
      values.push(inlineValue)
    } else if (spec.argument === 'required') {
      const value = next()
      if (value === undefined) throw new OptionError(`Option ${name} requires an argument`)
      values.push(value)
    } else if (at < args.length && !looksLikeOption(args[at] as string)) {
      values.push(next() as string)
    }
  }
  checkAvailable(table, given)
  return new ParsedOptions(table, given)
}

function looksLikeOption(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

/** Which option a word is. A single dash before a long name is allowed; otherwise it begins a row of one-letter options. */
function optionOf(table: OptionTable, word: string): { name: string; inlineValue: string } {
  const body = word.replace(/^--?/, '')
  const equals = body.indexOf('=')
  const name = equals === -1 ? body : body.slice(0, equals)
  if (!Object.hasOwn(table, name)) {
    throw new OptionError(`${word.startsWith('--') ? name : name.charAt(0)} is not a recognized option`)
  }
  return { name, inlineValue: equals === -1 ? '' : body.slice(equals + 1) }
}

function checkAvailable(table: OptionTable, given: ReadonlyMap<string, readonly string[]>): void {
  if (given.has('help')) return
  const unavailable = [...given.keys()].filter((name) => {
    const needs = table[name]?.availableIf
    return needs !== undefined && !needs.some((other) => given.has(other))
  })
  if (unavailable.length > 0) {
    throw new OptionError(`Option(s) [${unavailable.join(', ')}] are unavailable given other options on the command line`)
  }
}

/** What was given, by a table. */
export class ParsedOptions<Table extends OptionTable> {
  readonly #table: OptionTable
  /** The options on the command line with their values. */
  readonly given: ReadonlyMap<string, readonly string[]>

  constructor(table: OptionTable, given: ReadonlyMap<string, readonly string[]>) {
    this.#table = table
    this.given = given
  }

  /** Whether the option stands on the command line; a default does not count. */
  has(name: keyof Table & string): boolean {
    return this.given.has(name)
  }

  /** Every value in order; the default when there is none. */
  texts(name: keyof Table & string): readonly string[] {
    const values = this.given.get(name) ?? []
    const fallback = this.#table[name]?.default
    return values.length === 0 && fallback !== undefined ? [fallback] : values
  }

  /** The one value, or the default. @throws OptionError when it was given more than once */
  text(name: keyof Table & string): string | undefined {
    const values = this.texts(name)
    if (values.length > 1) throw new OptionError(`Found multiple arguments for option ${name}, but you asked for only one`)
    return values[0]
  }

  /** The one value as a number: a 32-bit integer for type Integer, a 64-bit one for Long (rounded beyond 2^53). @throws OptionError */
  number(name: keyof Table & string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
    const max = this.#table[name]?.type === 'Integer' ? BigInt(INT_MAX) : LONG_MAX
    if (value === undefined || value > max || value < -max - 1n) {
      throw new OptionError(`Cannot parse argument '${text}' of option ${name}`)
    }
    return Number(value)
  }
}
