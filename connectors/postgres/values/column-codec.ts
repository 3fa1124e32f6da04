/**
 * @module connector-postgres/values/column-codec — which codec a column has, by its type's name and kind.
 */
import { FatalError, type Value } from '@millrace/sdk'
import type { PgType, TableColumn, Types } from '../model.ts'
import { arrayCodec, bitArrayCodec, uncapturedElements } from './arrays.ts'
import { bitCodec, byteaCodec, unknownCodec } from './binary.ts'
import type { ColumnCodec, Phase, ValueSettings } from './contract.ts'
import { numericCodec } from './decimals.ts'
import { float4Codec, float8Codec } from './floats.ts'
import { circleCodec, lineCodec, pointCodec, postgisCodec, shapeCodec } from './geometry.ts'
import { hstoreCodec } from './hstore.ts'
import { boolCodec, int2Codec, int4Codec, int8Codec } from './integers.ts'
import { intervalCodec } from './intervals.ts'
import { dateCodec, timeCodec, timestampCodec, zonedTimeCodec, zonedTimestampCodec } from './moments.ts'
import { moneyCodec } from './money.ts'
import { enumCodec, extensionTextCodecs, textCodecs } from './text.ts'
import { MalformedText, type TypeCodec, type TypeContext, UnrepresentableValue } from './type-codec.ts'
import { placeholderOf } from './unavailable.ts'
import { halfvecCodec, sparsevecCodec, vectorCodec } from './vectors.ts'

type MakeCodec = (context: TypeContext) => TypeCodec

const builtinCodecs: ReadonlyMap<string, MakeCodec> = new Map<string, MakeCodec>([
  ['bool', () => boolCodec],
  ['int2', () => int2Codec],
  ['int4', () => int4Codec],
  ['int8', () => int8Codec],
  ['oid', () => int8Codec],
  ['float4', () => float4Codec],
  ['float8', () => float8Codec],
  ['numeric', numericCodec],
  ['money', moneyCodec],
  ['bytea', byteaCodec],
  ['bit', bitCodec],
  ['varbit', bitCodec],
  ['date', dateCodec],
  ['time', timeCodec],
  ['timetz', zonedTimeCodec],
  ['timestamp', timestampCodec],
  ['timestamptz', zonedTimestampCodec],
  ['interval', intervalCodec],
  ['point', pointCodec],
  ['line', lineCodec],
  ['circle', circleCodec],
  ['lseg', (context) => shapeCodec('lseg', context)],
  ['box', (context) => shapeCodec('box', context)],
  ['path', (context) => shapeCodec('path', context)],
  ['polygon', (context) => shapeCodec('polygon', context)],
  ...[...textCodecs].map(([name, codec]): [string, MakeCodec] => [name, () => codec]),
])

/** In whatever schema the extension was made. */
const extensionCodecs: ReadonlyMap<string, MakeCodec> = new Map<string, MakeCodec>([
  ['hstore', hstoreCodec],
  ['geometry', (context) => postgisCodec('geometry', context)],
  ['geography', (context) => postgisCodec('geography', context)],
  ['vector', vectorCodec],
  ['halfvec', halfvecCodec],
  ['sparsevec', sparsevecCodec],
  ...[...extensionTextCodecs].map(([name, codec]): [string, MakeCodec] => [name, () => codec]),
])

/**
 * The codec of a column. Both phases give the same value for the same text; upstream gives some of them wrong in one of the two.
 * @returns null: the type is not captured, and the column is left out of events
 */
export function columnCodec(column: TableColumn, types: Types, settings: ValueSettings, _phase: Phase): ColumnCodec | null {
  const { type, modifier } = standingOn(column, types)
  const context: TypeContext = { type, modifier, isOptional: column.isOptional, types, settings }
  const codec = typeCodec(context)
  if (codec === null) return null
  return {
    schema: codec.schema,
    decode: checkedDecode(codec, column, type),
    unavailable: codec.unavailable === undefined ? placeholderOf(codec.schema, settings.unavailablePlaceholder) : codec.unavailable,
    fallback: codec.fallback,
  }
}

/** A type that the catalog does not know: nothing is said of it but its bytes. */
const unknownType: PgType = {
  oid: 0,
  name: 'unknown',
  schema: '',
  kind: 'pseudo',
  elementOid: 0,
  baseOid: 0,
  baseTypeModifier: -1,
  labels: [],
  delimiter: ',',
}

/** Domains may stand on domains; the catalog lets no circle be made, a wrong one is cut here. */
const domainLevelsMax = 100

/** The type under all domains, with the modifier that is nearest to the column. */
function standingOn(column: TableColumn, types: Types): { type: PgType; modifier: number } {
  let type = types.get(column.typeOid) ?? unknownType
  let modifier = column.typeModifier
  for (let level = 0; type.kind === 'domain' && level < domainLevelsMax; level++) {
    if (modifier < 0) modifier = type.baseTypeModifier
    type = types.get(type.baseOid) ?? unknownType
  }
  return { type, modifier }
}

function typeCodec(context: TypeContext): TypeCodec | null {
  const { type, settings } = context
  const known = knownCodec(context)
  if (known !== undefined) return known
  return type.kind === 'array' ? codecOfArray(context) : settings.includeUnknown ? unknownCodec(settings) : null
}

/** undefined: there is no codec of this name or kind. */
function knownCodec(context: TypeContext): TypeCodec | undefined {
  const { type } = context
  if (type.kind === 'enum') return enumCodec(type)
  if (type.kind !== 'base' && type.kind !== 'range') return undefined
  return (type.schema === 'pg_catalog' ? builtinCodecs : extensionCodecs).get(type.name)?.(context)
}

function codecOfArray(context: TypeContext): TypeCodec | null {
  const { type, types, settings } = context
  const element = types.get(type.elementOid) ?? unknownType
  const isBuiltin = element.schema === 'pg_catalog'
  if (isBuiltin && uncapturedElements.has(element.name)) return null
  if (isBuiltin && element.name === 'bit') return bitArrayCodec(context)
  const codec = knownCodec({ ...context, type: element, isOptional: true })
  if (codec !== undefined) return arrayCodec(codec, type.delimiter)
  return settings.includeUnknown ? arrayCodec(unknownCodec(settings), type.delimiter) : null
}

const leaveItOut = 'leave the column out by column.exclude.list'

/** Tells column and type, never the text: it may be a secret. */
function checkedDecode({ parse }: TypeCodec, column: TableColumn, type: PgType): ColumnCodec['decode'] {
  const place = `column ${column.name} of type ${type.name}`
  return (bytes, start, end) => {
    let value: Value
    try {
      value = parse(bytes, start, end)
    } catch (error) {
      if (error instanceof UnrepresentableValue) throw unrepresentable(place, type)
      if (!(error instanceof MalformedText)) throw error
      const message = `${place}: the server sent ${end - start} bytes that are no value of the type`
      throw new FatalError('postgres-value', message, `${leaveItOut}, and report it`)
    }
    // Left to the schema it would become the default of the column, or fail somewhere without a name.
    if (value === null && !column.isOptional) throw unrepresentable(place, type)
    return value
  }
}

/** A null or another value in its place would tell what the row does not say. */
function unrepresentable(place: string, { name }: PgType): FatalError {
  const mode = name.includes('timestamp') ? 'time.precision.mode' : name.includes('numeric') ? 'decimal.handling.mode' : null
  const remedy = mode === null ? leaveItOut : `choose another ${mode}, or ${leaveItOut}`
  return new FatalError('postgres-value', `${place}: a value that its schema cannot hold`, remedy)
}
