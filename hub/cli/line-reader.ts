/**
 * @module cli/line-reader — a line of text to a record, by the rules of Kafka's LineMessageReader:
 * `headers <headers.delimiter> key <key.separator> value`, headers as `name <headers.key.separator> value`, more of them
 * separated by `headers.separator` (a regular expression). Pure.
 */

/** A record as the console producer reads it; texts are sent as UTF-8. */
export interface LineRecord {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly {
    readonly key: string
    readonly value: Buffer | null
  }[]
}

/** A line that can't be parsed, or properties that contradict each other; the message is Kafka's. */
export class LineError extends Error {
  override readonly name = 'LineError'
}

/** The separators that must differ, pair by pair, in the order in which Kafka looks. */
const DISTINCT_PAIRS = [
  ['headers.delimiter', 'headers.separator'],
  ['headers.delimiter', 'headers.key.separator'],
  ['headers.separator', 'headers.key.separator'],
  ['null.marker', 'key.separator'],
  ['null.marker', 'headers.separator'],
  ['null.marker', 'headers.delimiter'],
  ['null.marker', 'headers.key.separator'],
] as const

/** Makes the reader from `--reader-property` values; `lineNumber` counts from 1. @throws LineError for properties that contradict */
export function lineReader(properties: ReadonlyMap<string, string>): (line: string, lineNumber: number) => LineRecord {
  const flag = (name: string): boolean => properties.get(name)?.trim().toLowerCase() === 'true'
  const texts: Record<string, string | undefined> = {
    'key.separator': properties.get('key.separator') ?? '\t',
    'headers.delimiter': properties.get('headers.delimiter') ?? '\t',
    'headers.separator': properties.get('headers.separator') ?? ',',
    'headers.key.separator': properties.get('headers.key.separator') ?? ':',
    'null.marker': properties.get('null.marker'),
  }
  for (const [one, other] of DISTINCT_PAIRS) {
    if (texts[one] === texts[other]) throw new LineError(`${one} and ${other} may not be equal`)
  }
  return new LineReader(texts, flag('parse.key'), flag('parse.headers'), flag('ignore.error')).read
}

class LineReader {
  readonly #texts: Readonly<Record<string, string | undefined>>
  readonly #headersSeparator: RegExp
  readonly #nullMarker: string | undefined
  readonly #parsesKey: boolean
  readonly #parsesHeaders: boolean
  readonly #ignoresErrors: boolean

  constructor(texts: Readonly<Record<string, string | undefined>>, parsesKey: boolean, parsesHeaders: boolean, ignoresErrors: boolean) {
    this.#texts = texts
    this.#headersSeparator = new RegExp(texts['headers.separator'] ?? '', 'u')
    this.#nullMarker = texts['null.marker']
    this.#parsesKey = parsesKey
    this.#parsesHeaders = parsesHeaders
    this.#ignoresErrors = ignoresErrors
  }

  readonly read = (line: string, lineNumber: number): LineRecord => {
    const headers = this.#parsesHeaders ? this.#part(line, 0, 'headers.delimiter', 'headers delimiter', lineNumber) : null
    const keyAt = headers === null ? 0 : headers.length + this.#length('headers.delimiter')
    const key = this.#parsesKey ? this.#part(line, keyAt, 'key.separator', 'key separator', lineNumber) : null
    const valueAt = keyAt + (key === null ? 0 : key.length + this.#length('key.separator'))
    return {
      key: this.#orNull(key),
      value: this.#orNull(line.slice(valueAt)),
      headers: headers === null || headers === this.#nullMarker ? [] : this.#headers(headers, lineNumber),
    }
  }

  #length(separator: string): number {
    return this.#texts[separator]?.length ?? 0
  }

  #orNull(text: string | null): string | null {
    return text === this.#nullMarker ? null : text
  }

  /** The text up to the separator; null when it is missing and errors are ignored. */
  #part(line: string, from: number, separator: string, separatorName: string, lineNumber: number): string | null {
    const end = line.indexOf(this.#texts[separator] ?? '', from)
    if (end !== -1) return line.slice(from, end)
    if (this.#ignoresErrors) return null
    throw new LineError(`No ${separatorName} found on line number ${lineNumber}: '${line}'`)
  }

  #headers(text: string, lineNumber: number): LineRecord['headers'] {
    const pairs = text.split(this.#headersSeparator)
    // Java's split leaves out empty texts at the end, but keeps an empty whole.
    while (pairs.length > 1 && pairs.at(-1) === '') pairs.pop()
    return pairs.map((pair) => this.#header(pair, lineNumber))
  }

  #header(pair: string, lineNumber: number): LineRecord['headers'][number] {
    const separator = this.#texts['headers.key.separator'] ?? ''
    const at = pair.indexOf(separator)
    if (at === -1) {
      if (this.#ignoresErrors) return { key: pair, value: null }
      throw new LineError(`No header key separator found in pair '${pair}' on line number ${lineNumber}`)
    }
    const key = pair.slice(0, at)
    if (key === this.#nullMarker) {
      throw new LineError(`Header keys should not be equal to the null marker '${this.#nullMarker}' as they can't be null`)
    }
    const value = this.#orNull(pair.slice(at + separator.length))
    return { key, value: value === null ? null : Buffer.from(value) }
  }
}
