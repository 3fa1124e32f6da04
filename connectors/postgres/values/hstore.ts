/**
 * @module connector-postgres/values/hstore — hstore: `"a"=>"1", "b"=>NULL`, as JSON text or as a map. The pairs stay in the server's order.
 */
import { jsonString, map, string } from '@millrace/sdk'
import { textOf } from './text.ts'
import { MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The codec of hstore in each mode. */
export function hstoreCodec({ settings }: TypeContext): TypeCodec {
  const placeholder = settings.unavailablePlaceholder.toString('utf8')
  const unavailable = new Map([[placeholder, placeholder]])
  if (settings.hstoreMode === 'map') {
    return { schema: map(string(), string({ optional: true })), parse: pairsOf, fallback: new Map<string, string>(), unavailable }
  }
  return {
    schema: string({ name: 'io.debezium.data.Json', version: 1 }),
    parse: (bytes, start, end) => jsonOf(pairsOf(bytes, start, end)),
    fallback: '{}',
    unavailable: jsonOf(unavailable),
  }
}

function jsonOf(pairs: ReadonlyMap<string, string | null>): string {
  const members: string[] = []
  for (const [name, value] of pairs) members.push(`${jsonString(name)}:${value === null ? 'null' : jsonString(value)}`)
  return `{${members.join(',')}}`
}

function pairsOf(bytes: Buffer, start: number, end: number): Map<string, string | null> {
  const pairs = new Map<string, string | null>()
  let at = start
  while (at < end) {
    const keyEnd = endOfQuoted(bytes, at, end)
    const key = unquoted(bytes, at, keyEnd)
    at = keyEnd
    if (bytes[at] !== 0x3d || bytes[at + 1] !== 0x3e) throw new MalformedText()
    at += 2
    if (bytes[at] === QUOTE) {
      const valueEnd = endOfQuoted(bytes, at, end)
      pairs.set(key, unquoted(bytes, at, valueEnd))
      at = valueEnd
    } else {
      if (end - at < 4 || textOf(bytes, at, at + 4) !== 'NULL') throw new MalformedText()
      pairs.set(key, null)
      at += 4
    }
    if (at === end) break
    if (bytes[at] !== 0x2c || bytes[at + 1] !== 0x20 || at + 2 >= end) throw new MalformedText()
    at += 2
  }
  return pairs
}

/** Behind the quote that closes the one at `start`. @throws MalformedText */
export function endOfQuoted(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] !== QUOTE) throw new MalformedText()
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === BACKSLASH) at++
    else if (bytes[at] === QUOTE) return at + 1
  }
  throw new MalformedText()
}

/** What stands between quotes, without the backslashes that escape; quotes at `start` and before `end`. */
export function unescaped(bytes: Buffer, start: number, end: number): Buffer {
  const inner = bytes.subarray(start + 1, end - 1)
  if (!inner.includes(BACKSLASH)) return inner
  const plain = Buffer.allocUnsafe(inner.length)
  let length = 0
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] === BACKSLASH) at++
    plain[length++] = inner[at]!
  }
  return plain.subarray(0, length)
}

function unquoted(bytes: Buffer, start: number, end: number): string {
  const inner = unescaped(bytes, start, end)
  return textOf(inner, 0, inner.length)
}
