/**
 * @module test/wire/interpreter — the plainest possible codec: walks a schema, value by value. Slow, and the oracle of
 * the compiler. Values as in live mode.
 */
import type { FieldFacts, Shape } from '../../hub/wire/schema.ts'
import { isNullable, isPresent, isTagged, ZERO_UUID } from '../../hub/wire/schema.ts'
import { isDefault } from './golden.ts'

type Fields = Record<string, unknown>
const widths = { bool: 1, int8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, offset: 8, int64: 8 } as const

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value % 128) | 128), varint(Math.floor(value / 128))])
}

function integer(value: bigint, width: number): Buffer {
  return Buffer.from(
    BigInt.asUintN(width * 8, value)
      .toString(16)
      .padStart(width * 2, '0'),
    'hex',
  )
}

/** Value of a field that is not there. */
export function defaultOf(facts: FieldFacts): unknown {
  if (facts.kind === 'struct' && facts.defaultValue !== null) {
    return Object.fromEntries(Object.entries(facts.fields!).map(([name, field]) => [name, defaultOf(field.facts)]))
  }
  if (facts.defaultValue !== undefined) return facts.defaultValue
  const empty = { array: [], bytes: Buffer.alloc(0), string: '', bool: false, int64: 0n, uuid: ZERO_UUID }
  return facts.kind in empty ? empty[facts.kind as 'string'] : 0
}

export function encode(shape: Shape, value: Fields, version: number, flexible: boolean): Buffer {
  const parts: Buffer[] = []
  const tags: Buffer[] = []
  for (const [name, { facts }] of Object.entries(shape)) {
    const one = value[name] === undefined ? defaultOf(facts) : value[name]
    if (isTagged(facts, version)) {
      if (isDefault(facts, one)) continue
      const bytes = encodeOne(facts, one, version, flexible, true)
      tags[facts.tag!.number] = Buffer.concat([varint(facts.tag!.number), varint(bytes.length), bytes])
    } else if (isPresent(facts, version)) parts.push(encodeOne(facts, one, version, flexible, false))
  }
  const present = tags.filter((tag) => tag !== undefined)
  return Buffer.concat([...parts, ...(flexible ? [varint(present.length), ...present] : [])])
}

function encodeOne(facts: FieldFacts, value: unknown, version: number, flexible: boolean, tagged: boolean): Buffer {
  const compact = flexible && facts.compact !== false
  const length = (count: number, width: number) => (compact ? varint(count + 1) : integer(BigInt(count), width))
  switch (facts.kind) {
    case 'struct': {
      const mark = isNullable(facts, version) ? [Buffer.of(value !== null ? 1 : tagged ? 0 : 0xff)] : []
      return Buffer.concat([...mark, ...(value === null ? [] : [encode(facts.fields!, value as Fields, version, flexible)])])
    }
    case 'array': {
      if (value === null) return length(-1, 4)
      const list = (value as unknown[]).map((element) => encodeOne(facts.element!.facts, element, version, flexible, false))
      return Buffer.concat([length(list.length, 4), ...list])
    }
    case 'string':
    case 'bytes':
    case 'records': {
      const width = facts.kind === 'string' ? 2 : 4
      const bytes = value === null ? Buffer.alloc(0) : Buffer.from(value as string)
      return Buffer.concat([length(value === null ? -1 : bytes.length, width), bytes])
    }
    case 'uuid':
      return Buffer.from(value as string, 'base64url')
    case 'float64': {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(value as number)
      return bytes
    }
    default:
      return integer(BigInt(value as number), widths[facts.kind])
  }
}

/** Reads what `encode` writes: valid bytes only. */
export class Walk {
  readonly #bytes: Buffer
  readonly #version: number
  readonly #flexible: boolean
  at = 0

  constructor(bytes: Buffer, version: number, flexible: boolean) {
    this.#bytes = bytes
    this.#version = version
    this.#flexible = flexible
  }

  #integer(width: number): bigint {
    const text = this.#bytes.subarray(this.at, this.at + width).toString('hex')
    this.at += width
    return BigInt.asIntN(width * 8, BigInt(`0x${text}`))
  }

  #varint(): number {
    const byte = this.#bytes[this.at++]!
    return byte < 128 ? byte : byte - 128 + this.#varint() * 128
  }

  struct(shape: Shape): Fields {
    const value: Fields = {}
    for (const [name, { facts }] of Object.entries(shape)) {
      const here = isPresent(facts, this.#version) && !isTagged(facts, this.#version)
      value[name] = here ? this.#one(facts, false) : defaultOf(facts)
    }
    for (let count = this.#flexible ? this.#varint() : 0; count > 0; count--) {
      const tag = this.#varint()
      const end = this.#varint() + this.at
      const known = Object.entries(shape).find(([, { facts }]) => isTagged(facts, this.#version) && facts.tag!.number === tag)
      if (known !== undefined) value[known[0]] = this.#one(known[1].facts, true)
      this.at = end
    }
    return value
  }

  #one(facts: FieldFacts, tagged: boolean): unknown {
    const compact = this.#flexible && facts.compact !== false
    const length = (width: number) => (compact ? this.#varint() - 1 : Number(this.#integer(width)))
    switch (facts.kind) {
      case 'struct':
        if (isNullable(facts, this.#version) && this.#integer(1) < (tagged ? 1n : 0n)) return null
        return this.struct(facts.fields!)
      case 'array': {
        const count = length(4)
        return count < 0 ? null : Array.from({ length: count }, () => this.#one(facts.element!.facts, false))
      }
      case 'string':
      case 'bytes':
      case 'records': {
        const size = length(facts.kind === 'string' ? 2 : 4)
        if (size < 0) return null
        const bytes = Buffer.from(this.#bytes.subarray(this.at, this.at + size))
        this.at += size
        return facts.kind === 'string' ? bytes.toString('utf8') : bytes
      }
      case 'uuid':
      case 'float64': {
        const bytes = this.#bytes.subarray(this.at, this.at + (facts.kind === 'uuid' ? 16 : 8))
        this.at += bytes.length
        return facts.kind === 'uuid' ? bytes.toString('base64url') : bytes.readDoubleBE()
      }
      case 'bool':
        return this.#integer(1) !== 0n
      case 'int64':
        return this.#integer(8)
      case 'uint16':
      case 'uint32':
        return Number(BigInt.asUintN(8 * widths[facts.kind], this.#integer(widths[facts.kind])))
      default:
        return Number(this.#integer(widths[facts.kind]))
    }
  }
}
