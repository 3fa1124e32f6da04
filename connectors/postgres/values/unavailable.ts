/**
 * @module connector-postgres/values/unavailable — what stands for a TOASTed value that a change left as it was, and that the log has not.
 *
 * Source: Debezium's UnchangedToastedPlaceholder. Where its placeholder does not fit the schema (and upstream gives null or fails) the
 * nearest form that fits is taken: bytes for bytes (also those within a struct), text for text, one element per byte for arrays of numbers.
 */
import { createHash } from 'node:crypto'
import { Decimal, LogicalName, type Schema, type Value } from '@millrace/sdk'

const connectLogicalNames: ReadonlySet<string | undefined> = new Set(Object.values(LogicalName))

/** A placeholder that fits the schema; undefined: there is none (a single number, dates of Connect, structs, which have their own). */
export function placeholderOf(schema: Schema, placeholder: Buffer): Value | undefined {
  if (connectLogicalNames.has(schema.name)) return undefined
  if (schema.type === 'string') return placeholder.toString('utf8')
  if (schema.type === 'bytes') return placeholder
  return schema.type === 'array' ? listOf(schema.valueSchema!, placeholder) : undefined
}

function listOf(items: Schema, placeholder: Buffer): Value | undefined {
  if (items.name === LogicalName.Decimal) {
    const scale = Number(items.parameters?.['scale'])
    return Array.from(placeholder, (byte) => new Decimal(BigInt(signed(byte)) * 10n ** BigInt(scale), scale))
  }
  if (connectLogicalNames.has(items.name)) return undefined
  switch (items.type) {
    case 'string':
      return [items.name === 'io.debezium.data.Uuid' ? nameBasedUuid(placeholder) : placeholder.toString('utf8')]
    case 'bytes':
      return [placeholder]
    case 'int16':
    case 'int32':
    case 'float32':
    case 'float64':
      return Array.from(placeholder, signed)
    case 'int64':
      return Array.from(placeholder, (byte) => BigInt(signed(byte)))
    default:
      return undefined
  }
}

/** Bytes of Java have a sign. */
export function signed(byte: number): number {
  return (byte << 24) >> 24
}

/** RFC 9562, version 3 without a namespace, as `UUID.nameUUIDFromBytes` makes it. */
function nameBasedUuid(name: Buffer): string {
  const digest = createHash('md5').update(name).digest()
  digest[6] = (digest[6]! & 0x0f) | 0x30
  digest[8] = (digest[8]! & 0x3f) | 0x80
  return digest.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
