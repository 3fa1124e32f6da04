/**
 * @module wire/compile — from a schema literal to the text of two functions.
 *
 * One decoder and one encoder per (message, version), made on first use with `new Function`. The text is built from our
 * own literals only, never from input; `sourceURL` gives it a name in stack traces (`wire/produce.v9.decode.js`). A
 * struct becomes a function, an array too, so that V8 sees small monomorphic functions and one object shape per struct.
 *
 * Two switches: `exact` decodes every int64 as a bigint and keeps unknown tagged fields (in `unknownTaggedFields`), so
 * that any valid bytes come back unchanged; live codecs refuse int64 beyond 2^53 in `offset` fields and skip unknown
 * tags, since nothing in the hub passes a message on. `traced` tells a trace which field is being read.
 */
import type { Reader } from './reader.ts'
import type { FieldFacts, Kind, Shape } from './schema.ts'
import { isNullable, isPresent, isTagged } from './schema.ts'
import type { Writer } from './writer.ts'

/** What is compiled: fields, in one version. */
export interface Plan {
  /** Goes into the text's name. */
  readonly name: string
  readonly fields: Shape
  readonly version: number
  /** Whether this version is flexible (compact lengths, tagged fields; KIP-482). */
  readonly flexible: boolean
  readonly exact?: boolean
  readonly traced?: boolean
}

/** Told where a traced decoder is. */
export interface Trace {
  enter(step: string | number): void
  leave(): void
}

/** A tagged field that the schema does not know, as an exact codec keeps it. */
export interface UnknownTaggedField {
  readonly tag: number
  readonly data: Buffer
}

export type Decode = (reader: Reader, trace?: Trace) => unknown
export type Encode = (writer: Writer, value: unknown) => void

/** Compiles the decoder of one version. */
export function compileDecoder(plan: Plan): Decode {
  const text = new DecoderText(plan)
  return load(plan, 'decode', text.structFunction(plan.fields), text.functions)
}

/** Compiles the encoder of one version. */
export function compileEncoder(plan: Plan): Encode {
  const text = new EncoderText(plan)
  return load(plan, 'encode', text.structFunction(plan.fields), text.functions)
}

function load<F>(plan: Plan, direction: string, entry: string, functions: readonly string[]): F {
  const url = `//# sourceURL=wire/${plan.name}.v${plan.version}.${direction}.js`
  const body = `'use strict'\nconst EMPTY = Buffer.alloc(0)\n${functions.join('\n')}\nreturn ${entry}\n${url}`
  // oxlint-disable-next-line typescript/no-implied-eval -- the text comes from our own literals only, see above
  return new Function(body)() as F
}

/** Words of the reader and the writer per kind: plain, and compact where flexible versions differ. */
const words: { readonly [K in Exclude<Kind, 'array' | 'struct'>]: readonly [string, string] } = {
  bool: ['bool', 'bool'],
  int8: ['int8', 'int8'],
  int16: ['int16', 'int16'],
  int32: ['int32', 'int32'],
  uint16: ['uint16', 'uint16'],
  uint32: ['uint32', 'uint32'],
  offset: ['offset', 'offset'],
  int64: ['int64', 'int64'],
  float64: ['float64', 'float64'],
  uuid: ['uuid', 'uuid'],
  string: ['string', 'compactString'],
  bytes: ['bytes', 'compactBytes'],
  records: ['records', 'compactRecords'],
}

/** Bytes on the wire (at least, in the plain form) and estimated bytes of heap that a value takes beyond its slot. */
const sizes: { readonly [K in Exclude<Kind, 'array' | 'struct'>]: readonly [number, number] } = {
  bool: [1, 0],
  int8: [1, 0],
  int16: [2, 0],
  int32: [4, 0],
  uint16: [2, 0],
  uint32: [4, 16],
  offset: [8, 16],
  int64: [8, 24],
  float64: [8, 16],
  uuid: [16, 40],
  string: [2, 32],
  bytes: [4, 112],
  records: [4, 112],
}

/** An object's header, and that of an empty array with its backing store. */
const STRUCT_HEAP_BYTES = 24
const ARRAY_HEAP_BYTES = 48
const SLOT_HEAP_BYTES = 8

/** What decoder and encoder text share. */
class PlanText {
  readonly plan: Plan
  readonly functions: string[] = []
  #names = new Map<Shape, Record<string, string>>()
  #count = 0

  constructor(plan: Plan) {
    this.plan = plan
  }

  /** Whether lengths and counts of this field are in the compact form. */
  isCompact(facts: FieldFacts): boolean {
    return this.plan.flexible && facts.compact !== false
  }

  /** The reader's or writer's word for a plain field. */
  word(facts: FieldFacts, nullable: boolean): string {
    const kind = facts.kind as Exclude<Kind, 'array' | 'struct'>
    if (kind === 'offset' && this.plan.exact === true) return 'int64'
    const word = words[kind][this.isCompact(facts) ? 1 : 0]
    if (!nullable || (kind !== 'string' && kind !== 'bytes' && kind !== 'records')) return word
    return this.isCompact(facts) ? word.replace('compact', 'compactNullable') : word.replace(/^./, (c) => `nullable${c.toUpperCase()}`)
  }

  /** Adds a function under a name of its own; `write` gets the name, which it may call before the text is done. */
  define(prefix: string, write: (name: string) => string): string {
    const name = `${prefix}${this.#count++}`
    this.functions.push(write(name))
    return name
  }

  /** Adds a function of a struct once, however often the struct is used. */
  once(fields: Shape, prefix: string, write: (name: string) => string): string {
    const names = this.#names.get(fields) ?? {}
    this.#names.set(fields, names)
    return (names[prefix] ??= this.define(prefix, write))
  }

  present(fields: Shape): [string, FieldFacts][] {
    return Object.entries(fields)
      .map(([name, field]): [string, FieldFacts] => [name, field.facts])
      .filter(([, facts]) => isPresent(facts, this.plan.version) && !isTagged(facts, this.plan.version))
  }

  tagged(fields: Shape): [string, FieldFacts][] {
    return Object.entries(fields)
      .map(([name, field]): [string, FieldFacts] => [name, field.facts])
      .filter(([, facts]) => isTagged(facts, this.plan.version))
      .sort(([, a], [, b]) => a.tag!.number - b.tag!.number)
  }

  /** The default of a field as an expression that makes a fresh value. */
  defaultText(facts: FieldFacts): string {
    const value = facts.defaultValue
    if (value === null) return 'null'
    if (facts.kind === 'struct') {
      const inner = Object.entries(facts.fields!).map(([name, field]) => `${name}: ${this.defaultText(field.facts)}`)
      return `{ ${inner.join(', ')} }`
    }
    if (facts.kind === 'array') return '[]'
    if (facts.kind === 'bytes') return 'EMPTY'
    if (facts.kind === 'string' || facts.kind === 'uuid') return JSON.stringify(value ?? '')
    if (facts.kind === 'bool') return value === true ? 'true' : 'false'
    const number = String((value as number | bigint | undefined) ?? 0)
    return facts.kind === 'int64' || (facts.kind === 'offset' && this.plan.exact === true) ? `${number}n` : number
  }

  /** Bytes that the field takes on the wire at least. */
  bytesMin(facts: FieldFacts): number {
    const nullable = isNullable(facts, this.plan.version)
    if (facts.kind === 'struct') return nullable ? 1 : this.structBytesMin(facts.fields!)
    if (facts.kind === 'array') return this.isCompact(facts) ? 1 : 4
    if (this.isCompact(facts) && words[facts.kind][0] !== words[facts.kind][1]) return 1
    return sizes[facts.kind][0]
  }

  structBytesMin(fields: Shape): number {
    const sum = this.present(fields).reduce((total, [, facts]) => total + this.bytesMin(facts), 0)
    return sum + (this.plan.flexible ? 1 : 0)
  }

  /** Estimated heap of one array element: its slot and what hangs on it. Fields that the version lacks take a slot too. */
  elementHeapBytes(facts: FieldFacts): number {
    return SLOT_HEAP_BYTES + this.#heapBytes(facts)
  }

  #heapBytes(facts: FieldFacts): number {
    if (facts.kind === 'array') return ARRAY_HEAP_BYTES
    if (facts.kind !== 'struct') return sizes[facts.kind][1]
    const fields = Object.values(facts.fields!)
    return fields.reduce((total, field) => total + SLOT_HEAP_BYTES + this.#heapBytes(field.facts), STRUCT_HEAP_BYTES)
  }
}

class DecoderText extends PlanText {
  structFunction(fields: Shape): string {
    return this.once(fields, 'struct', (name) => {
      const lines = [`function ${name}(r, t) {`]
      const tagged = this.tagged(fields)
      const inTags = new Set(tagged.map(([field]) => field))
      for (const [field, facts] of Object.entries(fields).map(([k, f]) => [k, f.facts] as const)) {
        if (inTags.has(field) || !isPresent(facts, this.plan.version)) {
          lines.push(`  ${inTags.has(field) ? 'let' : 'const'} $${field} = ${this.defaultText(facts)}`)
        } else {
          lines.push(this.#traced(field, `  const $${field} = ${this.#read(facts)}`))
        }
      }
      if (this.plan.flexible) lines.push(...this.#tagLines(tagged))
      const names = Object.keys(fields).map((field) => `${field}: $${field}`)
      if (this.plan.flexible && this.plan.exact === true)
        lines.push(`  if (unknown.length > 0) return { ${[...names, 'unknownTaggedFields: unknown'].join(', ')} }`)
      lines.push(`  return { ${names.join(', ')} }`, '}')
      return lines.join('\n')
    })
  }

  #traced(step: string, line: string): string {
    return this.plan.traced === true ? `  t.enter('${step}')\n${line}\n  t.leave()` : line
  }

  #tagLines(tagged: readonly [string, FieldFacts][]): string[] {
    const exact = this.plan.exact === true
    const other = exact ? 'unknown.push({ tag, data: r.buffer.subarray(r.position, end) }); r.position = end' : 'r.position = end'
    const lines = exact ? ['  const unknown = []'] : []
    lines.push('  for (let n = r.tagCount(); n > 0; n--) {', '    const tag = r.varint()', '    const end = r.tagEnd()')
    for (const [field, facts] of tagged) {
      const read = this.#traced(field, `      $${field} = ${this.#read(facts, true)}`)
      lines.push(`    if (tag === ${facts.tag!.number}) {`, read, '      r.tagDone(end)', '      continue', '    }')
    }
    lines.push(`    ${other}`, '  }')
    return lines
  }

  /**
   * Expression that reads one value. A null struct is the byte −1, any other byte stands before a struct; in a tagged
   * field Kafka 4.3 writes 0 for null, so there 0 is null too.
   */
  #read(facts: FieldFacts, tagged = false): string {
    const nullable = isNullable(facts, this.plan.version)
    if (facts.kind === 'struct') {
      const call = `${this.structFunction(facts.fields!)}(r, t)`
      return nullable ? `r.int8() ${tagged ? '<=' : '<'} 0 ? null : ${call}` : call
    }
    if (facts.kind === 'array') return `${this.#arrayFunction(facts, nullable)}(r, t)`
    if (facts.kind === 'records') return `r.${this.word({ ...facts, kind: 'bytes' }, nullable)}()`
    return `r.${this.word(facts, nullable)}()`
  }

  #arrayFunction(facts: FieldFacts, nullable: boolean): string {
    const element = facts.element!
    return this.define('array', (name) => {
      const count = this.isCompact(facts) ? 'compactCount' : 'count'
      const bytesMin = Math.max(1, this.bytesMin(element.facts))
      const read = this.#read(element.facts)
      const step = this.plan.traced === true ? `t.enter(i); list[i] = ${read}; t.leave()` : `list[i] = ${read}`
      return [
        `function ${name}(r, t) {`,
        `  const n = r.${count}(${bytesMin}, ${this.elementHeapBytes(element.facts)})`,
        `  if (n < 0) return ${nullable ? 'null' : 'r.unexpectedNull()'}`,
        '  const list = new Array(n)',
        `  for (let i = 0; i < n; i++) ${this.plan.traced === true ? `{ ${step} }` : step}`,
        '  return list',
        '}',
      ].join('\n')
    })
  }
}

class EncoderText extends PlanText {
  structFunction(fields: Shape): string {
    return this.once(fields, 'struct', (name) => {
      const lines = [`function ${name}(w, v) {`]
      for (const [field, facts] of this.present(fields)) lines.push(`  ${this.#writeField(field, facts)}`)
      if (this.plan.flexible) lines.push(...this.#tagLines(this.tagged(fields)))
      lines.push('}')
      return lines.join('\n')
    })
  }

  /** The value of a field of `v`, or its default where the input leaves it out. */
  #valueText(field: string, facts: FieldFacts): string {
    return `v.${field} === undefined ? ${this.defaultText(facts)} : v.${field}`
  }

  #writeField(field: string, facts: FieldFacts): string {
    return this.#write(facts, facts.optional === true ? this.#valueText(field, facts) : `v.${field}`)
  }

  /** Statement that writes the value of an expression. */
  #write(facts: FieldFacts, value: string, tagged = false): string {
    const nullable = isNullable(facts, this.plan.version)
    if (facts.kind === 'struct') {
      return `${nullable ? this.#nullableStruct(facts.fields!, tagged) : this.structFunction(facts.fields!)}(w, ${value})`
    }
    if (facts.kind === 'array') return `${this.#arrayFunction(facts, nullable)}(w, ${value})`
    return `w.${this.word(facts, nullable)}(${value})`
  }

  #nullableStruct(fields: Shape, tagged: boolean): string {
    const struct = this.structFunction(fields)
    return this.once(fields, tagged ? 'nullableTagged' : 'nullable', (name) =>
      [`function ${name}(w, v) {`, `  if (v === null) return w.int8(${tagged ? 0 : -1})`, '  w.int8(1)', `  ${struct}(w, v)`, '}'].join(
        '\n',
      ),
    )
  }

  #arrayFunction(facts: FieldFacts, nullable: boolean): string {
    const element = facts.element!
    return this.define('array', (name) => {
      const compact = this.isCompact(facts)
      const lines = [`function ${name}(w, list) {`]
      if (nullable) lines.push(`  if (list === null) return ${compact ? 'w.varint(0)' : 'w.int32(-1)'}`)
      lines.push(`  ${compact ? 'w.varint(list.length + 1)' : 'w.int32(list.length)'}`)
      lines.push(`  for (let i = 0; i < list.length; i++) ${this.#write(element.facts, 'list[i]')}`, '}')
      return lines.join('\n')
    })
  }

  #tagLines(tagged: readonly [string, FieldFacts][]): string[] {
    if (tagged.length === 0 && this.plan.exact !== true) return ['  w.varint(0)']
    const lines = ['  let n = 0']
    for (const [field, facts] of tagged) {
      lines.push(`  const $${field} = ${this.#valueText(field, facts)}`)
      lines.push(`  const has_${field} = ${this.#differs(`$${field}`, facts)}`, `  if (has_${field}) n++`)
    }
    if (this.plan.exact === true) lines.push('  const unknown = v.unknownTaggedFields ?? []', '  n += unknown.length')
    lines.push('  w.varint(n)')
    for (const [field, facts] of tagged) {
      lines.push(`  if (has_${field}) {`, `    w.varint(${facts.tag!.number})`, ...this.#sized(`$${field}`, facts), '  }')
    }
    if (this.plan.exact === true) {
      lines.push('  for (const { tag, data } of unknown) {', '    w.varint(tag)', '    w.varint(data.length)', '    w.raw(data)', '  }')
    }
    return lines
  }

  /** Statements that write a tagged field's size and value. */
  #sized(value: string, facts: FieldFacts): string[] {
    const isFixed = facts.kind !== 'struct' && facts.kind !== 'array' && words[facts.kind][0] === words[facts.kind][1]
    if (isFixed) return [`    w.varint(${sizes[facts.kind as 'int8'][0]})`, `    ${this.#write(facts, value)}`]
    return ['    const mark = w.openTag()', `    ${this.#write(facts, value, true)}`, '    w.closeTag(mark)']
  }

  /** Expression that says whether a value differs from its field's default. */
  #differs(value: string, facts: FieldFacts): string {
    if (facts.defaultValue === null) return `${value} !== null`
    if (facts.kind === 'array' || facts.kind === 'bytes') return `(${value} === null || ${value}.length !== 0)`
    if (facts.kind !== 'struct') return `${value} !== ${this.defaultText(facts)}`
    const inner = Object.entries(facts.fields!).map(([name, field]) => this.#innerDiffers(`${value}.${name}`, field.facts))
    const orNull = facts.nullable === undefined ? [] : [`${value} === null`]
    return `(${[...orNull, ...inner].join(' || ')})`
  }

  #innerDiffers(value: string, facts: FieldFacts): string {
    return `(${value} !== undefined && ${this.#differs(value, facts)})`
  }
}
