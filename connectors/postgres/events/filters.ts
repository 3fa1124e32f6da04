/**
 * @module connector-postgres/events/filters — which tables and columns are captured, and which columns make keys: lists of Java's regular
 * expressions that must match a whole name, whatever the case of its letters.
 */
import { DataError, type JavaRegex, javaRegex } from '@millrace/sdk'

/** Whether a table is captured. */
export type TableFilter = (schema: string, table: string) => boolean
/** Whether a column is in values. */
export type ColumnFilter = (schema: string, table: string, column: string) => boolean
/** Names of the columns that make a table's key, in the order of the rule; null: the rule says nothing of this table. */
export type KeyColumnsRule = (schema: string, table: string, columns: readonly string[]) => readonly string[] | null

/** `schema.include.list` … as they are configured; null: not given. Of a pair only one is given, else the include list counts. */
export interface TableLists {
  readonly schemaInclude: string | null
  readonly schemaExclude: string | null
  /** Of `schema.table`. */
  readonly tableInclude: string | null
  readonly tableExclude: string | null
  /** Whether tables of the server itself are left out (`table.ignore.builtin`). */
  readonly ignoreBuiltin: boolean
}

/**
 * The expressions of a list: separated by commas, `\,` is a comma inside of one, blank ones are passed over.
 * @throws JavaRegexSyntaxError
 */
export function regexList(list: string): readonly JavaRegex[] {
  return patternsOf(list).map((pattern) => javaRegex(pattern, ['i']))
}

function patternsOf(list: string): readonly string[] {
  // A backslash keeps the character behind it, so that `\\,` is a backslash and then the end.
  const parts = list.match(/(?:\\.?|[^\\,])+/gs) ?? []
  return parts.map((part) => part.trim().replaceAll('\\,', ',')).filter((part) => part !== '')
}

/**
 * @throws JavaRegexSyntaxError when made
 * @throws DataError when asked, for an expression that takes too many attempts
 */
export function tableFilter(lists: TableLists): TableFilter {
  const isSchemaIn = nameFilter(lists.schemaInclude, lists.schemaExclude)
  const isTableIn = nameFilter(lists.tableInclude, lists.tableExclude)
  return (schema, table) => !(lists.ignoreBuiltin && isBuiltin(schema)) && isSchemaIn(schema) && isTableIn(`${schema}.${table}`)
}

/** `column.include.list` or `column.exclude.list`, of `schema.table.column`. Errors as those of {@link tableFilter}. */
export function columnFilter(include: string | null, exclude: string | null): ColumnFilter {
  if (include === null && exclude === null) return () => true
  const isIn = nameFilter(include, exclude)
  return (schema, table, column) => isIn(`${schema}.${table}.${column}`)
}

/** A list without expressions counts as not given: Debezium. */
function nameFilter(include: string | null, exclude: string | null): (name: string) => boolean {
  const included = regexList(include ?? '')
  if (included.length > 0) return (name) => included.some((regex) => regex.matches(name))
  const excluded = regexList(exclude ?? '')
  return (name) => !excluded.some((regex) => regex.matches(name))
}

/** Names that begin so are kept for the server (CREATE SCHEMA refuses them): catalogs, TOAST, temporary tables. */
function isBuiltin(schema: string): boolean {
  return schema === 'information_schema' || schema.startsWith('pg_')
}

/** A table and its columns. */
const keyRule = /^\s*([^:]+):([^:,]+(?:,[^:,]+)*)\s*$/
/** How Debezium prints it. */
const keyRuleText = String.raw`^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$`

/**
 * `message.key.columns`: `schema.table:column,column;…`, tables and columns as regular expressions. A column that several rules name is
 * taken once.
 * @throws DataError for a rule of another form, with Debezium's words
 * @throws JavaRegexSyntaxError
 */
export function keyColumnsRule(text: string): KeyColumnsRule {
  const regexes = text.split(';').flatMap((rule) => {
    const [, table, columns] = keyRule.exec(rule) ?? []
    if (table === undefined || columns === undefined) throw new DataError(`${rule} has an invalid format (expecting '${keyRuleText}')`)
    return columns.split(',').map((column) => javaRegex(`${table.trim()}.${column.trim()}`, ['i']))
  })
  return (schema, table, columns) => {
    const found = new Set(regexes.flatMap((regex) => columns.filter((column) => regex.matches(`${schema}.${table}.${column}`))))
    return found.size === 0 ? null : [...found]
  }
}
