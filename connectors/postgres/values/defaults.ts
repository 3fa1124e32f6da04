/**
 * @module connector-postgres/values/defaults — the default of a column out of its expression, as `pg_get_expr` prints it.
 *
 * Source: Debezium's PostgresDefaultValueConverter: literals of the types below; for what only a call can tell, a value in its place.
 */
import type { Value } from '@millrace/sdk'
import type { TableColumn, Types } from '../model.ts'
import type { ColumnCodec, ValueSettings } from './contract.ts'

/** Types whose defaults are told, and the text that stands for what a function would give. */
const generatedTexts: ReadonlyMap<string, string> = new Map([
  ['bit', '00'],
  ['varbit', '0'],
  ['bool', 'f'],
  ['bpchar', ''],
  ['varchar', ''],
  ['text', ''],
  ['numeric', '0.0'],
  ['float4', '0.0'],
  ['float8', '0.0'],
  ['int2', '0'],
  ['int4', '0'],
  ['int8', '0'],
  ['json', '{}'],
  ['jsonb', '{}'],
  ['xml', ''],
  ['uuid', '00000000-0000-0000-0000-000000000000'],
  ['date', '1970-01-01'],
  ['time', '00:00:00'],
  ['timestamp', '1970-01-01 00:00:00'],
  ['timestamptz', '1970-01-01 00:00:00+00'],
  ['interval', '00:00:00'],
])

/**
 * The default of a column as a value of its schema.
 * @param codec what `columnCodec` gave for the column
 * @returns undefined: there is none, or none that the expression itself tells, or its type's defaults are never told (bytea, money, inet,
 * arrays, structs, domains)
 */
export function defaultOf(column: TableColumn, types: Types, codec: ColumnCodec, _settings: ValueSettings): Value | undefined {
  const expression = column.defaultExpression?.trim()
  const type = types.get(column.typeOid)
  if (expression === undefined || type === undefined || column.isGenerated || codec.schema.type === 'struct') return undefined
  const generated = type.kind === 'enum' ? null : type.schema === 'pg_catalog' ? generatedTexts.get(type.name) : undefined
  if (generated === undefined) return undefined
  const text = literalOf(expression) ?? (isCall(expression) ? generated : null)
  if (text === null) return undefined
  const bytes = Buffer.from(type.name === 'bool' && generated !== null ? boolLetter(text) : text, 'utf8')
  try {
    return codec.decode(bytes, 0, bytes.length) ?? undefined
  } catch {
    // Such as an expression that is no literal after all, or 'now' for a timestamp: only the server can tell it.
    return undefined
  }
}

/** The server prints `true` in expressions and `t` in values. */
function boolLetter(text: string): string {
  return text === 'true' ? 't' : text === 'false' ? 'f' : text
}

const QUOTED = /^\(*[BEX]?'((?:[^']|'')*)'/
/** Casts, collations and closing brackets; no operator. */
const AFTER_LITERAL = /^[\w\s."[\](),:]*$/
const BARE = /^[-\w.]+$/

/** The text of a literal, with whatever casts; null for another expression and for NULL. */
function literalOf(expression: string): string | null {
  const quoted = QUOTED.exec(expression)
  if (quoted !== null) return AFTER_LITERAL.test(expression.slice(quoted[0].length)) ? quoted[1]!.replaceAll("''", "'") : null
  return BARE.test(expression) && !calledByName.has(expression.toLowerCase()) && !/^null$/i.test(expression) ? expression : null
}

/** Functions that SQL has called without brackets. */
const calledByName: ReadonlySet<string> = new Set(
  (
    'current_timestamp current_time current_date localtime localtimestamp ' +
    'current_user current_role session_user user current_catalog current_schema system_user'
  ).split(' '),
)
const CALL = /^\(?[\w.]+\(.*\)/s

function isCall(expression: string): boolean {
  return calledByName.has(expression.toLowerCase()) || CALL.test(expression)
}
