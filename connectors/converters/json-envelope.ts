/**
 * @module converters/json-envelope — the part of `{"schema":…,"payload":…}` before the payload, kept from record to record.
 */
import type { Schema } from '@millrace/sdk'
import type { Decoder } from './json-decode.ts'

/** What stands before the payload, and what it says. */
export interface EnvelopeHead {
  /** `{"schema":…,"payload":` */
  readonly bytes: Buffer
  readonly schema: Schema
  readonly decode: Decoder
  /** Whether the payload's numbers must be read digit by digit. */
  readonly isExact: boolean
}

const OPEN = Buffer.from('{"schema":{')
const MIDDLE = Buffer.from(',"payload":')

/** A map that forgets its oldest entry beyond `sizeMax`; setting an entry makes it the newest. */
export class BoundedMap<K, V> {
  readonly #sizeMax: number
  readonly #entries = new Map<K, V>()

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    if (this.#sizeMax > 0) this.#entries.set(key, value)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#sizeMax) break
      this.#entries.delete(oldest)
    }
  }
}

/** The heads that came last, at most `sizeMax` of them. */
export class EnvelopeCache {
  readonly #heads: BoundedMap<string, EnvelopeHead>
  #last: EnvelopeHead | undefined

  constructor(sizeMax: number) {
    this.#heads = new BoundedMap(sizeMax)
  }

  /** The head with which a record begins, if it is known. */
  find(record: Buffer): EnvelopeHead | undefined {
    if (this.#last !== undefined && startsWith(record, this.#last.bytes)) return this.#last
    if (this.#heads.size < 2) return undefined
    const key = headOf(record)?.toString('latin1')
    const head = key === undefined ? undefined : this.#heads.get(key)
    if (key === undefined || head === undefined) return undefined
    this.#heads.set(key, head)
    this.#last = head
    return head
  }

  /** Keeps a head and what it says. */
  keep(bytes: Buffer, facts: Omit<EnvelopeHead, 'bytes'>): void {
    // A copy: the record's buffer may be a whole fetch response.
    const head = { bytes: Buffer.from(bytes), ...facts }
    this.#heads.set(bytes.toString('latin1'), head)
    this.#last = head
  }
}

function startsWith(record: Buffer, head: Buffer): boolean {
  return record.length > head.length && record.compare(head, 0, head.length, 0, head.length) === 0
}

/** `{"schema":{…},"payload":` at the beginning of a record, not copied; undefined where it begins otherwise. */
export function headOf(record: Buffer): Buffer | undefined {
  if (!startsWith(record, OPEN)) return undefined
  let depth = 0
  let isString = false
  for (let at = OPEN.length - 1; at < record.length; at++) {
    const byte = record[at]
    if (isString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isString = false
    } else if (byte === QUOTE) isString = true
    else if (byte === BRACE) depth++
    else if (byte === BRACE_END && --depth === 0) {
      const end = at + 1 + MIDDLE.length
      return record.length > end && record.compare(MIDDLE, 0, MIDDLE.length, at + 1, end) === 0 ? record.subarray(0, end) : undefined
    }
  }
  return undefined
}

/** The schema's own text in a head. */
export function schemaText(head: Buffer): string {
  return head.toString('utf8', OPEN.length - 1, head.length - MIDDLE.length)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE = 0x7b
const BRACE_END = 0x7d
