/**
 * @module converters/charsets — text in the encodings that `converter.encoding` may name, as Java's charsets read and write them: what has no
 * place in an encoding becomes `?`, what is no text U+FFFD.
 */
import { isUtf8 } from 'node:buffer'

/** One encoding. */
export interface Charset {
  encode(text: string): Buffer
  decode(bytes: Buffer): string
}

/** Java's names and the usual aliases, in lower case. */
const names: Readonly<Record<string, () => Charset>> = {
  'utf-8': () => utf8,
  utf8: () => utf8,
  'utf-16': () => utf16,
  utf16: () => utf16,
  'utf-16be': () => utf16be,
  'utf-16le': () => utf16le,
  'iso-8859-1': () => latin1,
  'iso8859-1': () => latin1,
  iso8859_1: () => latin1,
  latin1: () => latin1,
  'us-ascii': () => ascii,
  ascii: () => ascii,
}

/** The charset of a name in upper or lower case; undefined for one that is not served. */
export function charsetOf(name: string): Charset | undefined {
  const key = name.toLowerCase()
  return Object.hasOwn(names, key) ? names[key]?.() : undefined
}

const utf8: Charset = {
  // Half a pair is no character: Java writes a question mark, Node would write U+FFFD.
  encode: (text) => Buffer.from(text.isWellFormed() ? text : text.replace(LONE_SURROGATE, '?')),
  decode: (bytes) => (isUtf8(bytes) ? bytes : withoutSurrogates(bytes)).toString(),
}
const LONE_SURROGATE = /\p{Surrogate}/gu

/** A surrogate in three bytes (ED A0–BF xx) is one mistake to Java, three to Node: made U+FFFD before Node sees it. */
function withoutSurrogates(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let at = copy.indexOf(0xed); at !== -1; at = copy.indexOf(0xed, at + 1)) {
    if (at + 1 >= copy.length || (copy[at + 1]! & 0xe0) !== 0xa0) continue
    if (at + 2 === copy.length) return Buffer.concat([copy.subarray(0, at), REPLACEMENT])
    if ((copy[at + 2]! & 0xc0) === 0x80) copy.set(REPLACEMENT, at)
  }
  return copy
}
const REPLACEMENT = Buffer.from('\ufffd')

const utf16le: Charset = {
  encode: (text) => Buffer.from(text.toWellFormed(), 'utf16le'),
  decode: (bytes) => {
    const text = bytes.toString('utf16le').toWellFormed()
    return bytes.length % 2 === 0 ? text : `${text}\ufffd`
  },
}

const utf16be: Charset = {
  encode: (text) => utf16le.encode(text).swap16(),
  decode: (bytes) => {
    const even = Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()
    return bytes.length % 2 === 0 ? utf16le.decode(even) : `${utf16le.decode(even)}\ufffd`
  },
}

/** Written with a mark and the high byte first; read by its mark, without one the high byte first. */
const utf16: Charset = {
  encode: (text) => (text === '' ? Buffer.alloc(0) : utf16be.encode(`\ufeff${text}`)),
  decode: (bytes) => {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16le.decode(bytes.subarray(2))
    return utf16be.decode(bytes[0] === 0xfe && bytes[1] === 0xff ? bytes.subarray(2) : bytes)
  },
}

const latin1: Charset = {
  encode: (text) => Buffer.from(text.replace(/[^\0-\xff]/gu, '?'), 'latin1'),
  decode: (bytes) => bytes.toString('latin1'),
}

const ascii: Charset = {
  encode: (text) => Buffer.from(text.replace(/[^\0-\x7f]/gu, '?'), 'latin1'),
  decode: (bytes) => bytes.toString('latin1').replace(/[\x80-\xff]/g, '\ufffd'),
}
