/**
 * @module converters/header-tokens — a header's text cut at its delimiters, as `Values.Parser` cuts it: each of `: , { } [ ] "` is a token of its own
 * unless a backslash stands before it, what lies between two of them is one.
 */

const DELIMITERS = new Set(':,{}[]"')

/** Reads tokens one after another, with one token of lookahead and a way back. */
export class HeaderTokens {
  readonly text: string
  #at = 0
  #next: string | null = null

  constructor(text: string) {
    this.text = text
  }

  get hasNext(): boolean {
    return this.#next !== null || this.#at < this.text.length
  }

  /** Where the next token begins. */
  get position(): number {
    return this.#at - (this.#next?.length ?? 0)
  }

  rewind(position: number): void {
    this.#at = position
    this.#next = null
  }

  next(): string {
    const token = this.#next ?? this.#read()
    this.#next = null
    return token
  }

  /** What `skipBlank` would give, without skipping. */
  peek(): string | undefined {
    const start = this.position
    const token = this.skipBlank()
    this.rewind(start)
    return token
  }

  /** Whether the next token that is not blank is this one; then it is taken, and blank ones before it are skipped either way. */
  take(expected: string): boolean {
    if (this.skipBlank() !== expected) return false
    this.#next = null
    return true
  }

  /** Skips blank tokens while another follows; what comes next, trimmed, undefined at the end. */
  skipBlank(): string | undefined {
    if (!this.hasNext) return undefined
    this.#next ??= this.#read()
    while (isBlank(this.#next) && this.#at < this.text.length) this.#next = this.#read()
    return javaTrim(this.#next)
  }

  /** So many tokens as one text; undefined, and nothing taken, where there are fewer. */
  nextOnes(count: number): string | undefined {
    const start = this.position
    for (let taken = 0; taken < count; taken++) {
      if (!this.hasNext) {
        this.rewind(start)
        return undefined
      }
      this.next()
    }
    return this.text.slice(start, this.#at)
  }

  #read(): string {
    const start = this.#at
    let isEscaped = false
    for (; this.#at < this.text.length; this.#at++) {
      const char = this.text.charAt(this.#at)
      if (char === '\\') isEscaped = !isEscaped
      else if (!isEscaped && DELIMITERS.has(char)) {
        if (start < this.#at) break
        this.#at++
        break
      } else isEscaped = false
    }
    return this.text.slice(start, this.#at)
  }
}

/** Without what is up to and including a space, at both ends. */
export function javaTrim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}

/** Nothing but what `javaTrim` takes away. */
export function isBlank(text: string): boolean {
  return javaTrim(text) === ''
}
