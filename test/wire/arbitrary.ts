/** @module test/wire/arbitrary — random values of a schema, by fast-check. */
import fc from 'fast-check'
import type { FieldFacts, Shape } from '../../hub/wire/schema.ts'
import { isNullable, isPresent } from '../../hub/wire/schema.ts'

/** Values that an encoder takes in this version; fields that may be left out sometimes are. */
export function inputs(shape: Shape, version: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(shape).filter(([, { facts }]) => isPresent(facts, version))
  const required = fields.filter(([, { facts }]) => facts.optional !== true).map(([name]) => name)
  const model = Object.fromEntries(fields.map(([name, { facts }]) => [name, valueFor(facts, version)]))
  return fc.record(model, { requiredKeys: required, noNullPrototype: true }) as fc.Arbitrary<Record<string, unknown>>
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'é'.repeat(48), 'a'.repeat(126), 'a'.repeat(127), 'ü'.repeat(8000)) },
)
const buffer = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 4000, max: 9000 }).map((size) => Buffer.alloc(size, size)) },
)

function integers(bits: number, signed: boolean): fc.Arbitrary<number> {
  return signed ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }) : fc.integer({ min: 0, max: 2 ** bits - 1 })
}

function valueFor(facts: FieldFacts, version: number): fc.Arbitrary<unknown> {
  const value = plainValue(facts, version)
  return isNullable(facts, version) ? fc.option(value, { nil: null, freq: 4 }) : value
}

function plainValue(facts: FieldFacts, version: number): fc.Arbitrary<unknown> {
  switch (facts.kind) {
    case 'struct':
      return inputs(facts.fields!, version)
    case 'array':
      return fc.array(valueFor(facts.element!.facts, version), { maxLength: 3, size: 'max' })
    case 'string':
      return text
    case 'bytes':
    case 'records':
      return buffer
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
    case 'float64':
      return fc.double({ noNaN: true })
    case 'bool':
      return fc.boolean()
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'offset':
      return fc.maxSafeInteger()
    case 'uint16':
    case 'uint32':
      return integers(facts.kind === 'uint16' ? 16 : 32, false)
    default:
      return integers({ int8: 8, int16: 16, int32: 32 }[facts.kind], true)
  }
}
