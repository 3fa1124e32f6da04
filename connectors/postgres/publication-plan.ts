/**
 * @module connector-postgres/publication-plan — what is done about the publication. Pure.
 *
 * A publication carries a comment that says for which slot it was made. Only the connector of that slot takes tables out of it: another
 * publication may serve others, too, and what is too much in it is filtered here. A connector that uses the publication of another slot
 * changes the comment first, so that from then on nobody takes out what one of the others needs.
 */
import { quoteIdentifier, quoteLiteral } from './replication/index.ts'

/** `publication.autocreate.mode`. */
export type PublicationMode = 'all_tables' | 'disabled' | 'filtered' | 'no_tables'

/** A table by its name. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

/** What a publication may send. */
export type PublishedOperation = 'insert' | 'update' | 'delete' | 'truncate'

/** A publication as it is. */
export interface PublicationState {
  readonly isForAllTables: boolean
  readonly isViaRoot: boolean
  /** Its comment; null: it has none. */
  readonly comment: string | null
  readonly operations: readonly PublishedOperation[]
  /** Tables that it names; of a partitioned table the table itself. */
  readonly named: readonly TableName[]
  /** Tables whose changes it sends, also as part of a schema or of a partitioned table. */
  readonly covered: readonly TableName[]
}

/** What a start finds. */
export interface PublicationSituation {
  readonly name: string
  readonly slotName: string
  readonly mode: PublicationMode
  /** null: there is none. */
  readonly state: PublicationState | null
  /** Tables that should be captured. */
  readonly captured: readonly TableName[]
  /** `publish.via.partition.root`. */
  readonly isViaRoot: boolean
  /** What is not skipped; null: skipped.operations is not set, and a new publication sends everything. */
  readonly operations: readonly PublishedOperation[] | null
  /** The server is a standby: nothing can be changed there. */
  readonly isReadOnly: boolean
}

/** What it does. */
export type PublicationStep =
  | {
      readonly action: 'run'
      /** One after the other; none: it is as it should be. */
      readonly statements: readonly string[]
      readonly what: string
      readonly warnings: readonly string[]
    }
  | { readonly action: 'refuse'; readonly code: string; readonly message: string; readonly remedy: string }

/** Begins the comment of a publication that a connector like this one made. */
const MADE = 'made by Millrace'

/** The comment of one that more than one slot uses. */
const SHARED_COMMENT = `${MADE} for several slots`

function commentFor(slotName: string): string {
  return `${MADE} for slot ${slotName}`
}

/** Decides. */
export function planPublication(situation: PublicationSituation): PublicationStep {
  const { name, mode, state, captured, isReadOnly } = situation
  if (mode === 'filtered' && captured.length === 0) {
    return {
      action: 'refuse',
      code: 'no-table-captured',
      message: `publication "${name}" cannot be made for the captured tables: no table matches the filters`,
      remedy: 'check table.include.list, table.exclude.list and the schema lists: names are schema.table',
    }
  }
  if (state === null) return mode === 'disabled' || isReadOnly ? missing(situation) : create(situation)
  if (mode === 'filtered' && state.isForAllTables) {
    return {
      action: 'refuse',
      code: 'publication-for-all-tables',
      message: `publication "${name}" is for all tables and cannot be filtered`,
      remedy: 'set publication.autocreate.mode = all_tables, drop the publication, or choose another publication.name',
    }
  }
  return alter(situation, state)
}

function missing({ name, isReadOnly, mode }: PublicationSituation): PublicationStep {
  const why = isReadOnly && mode !== 'disabled' ? 'the server is a standby' : 'publication.autocreate.mode is disabled'
  return {
    action: 'refuse',
    code: 'publication-missing',
    message: `publication "${name}" does not exist, and ${why}`,
    remedy: `create it and restart the connector: CREATE PUBLICATION ${quoteIdentifier(name)} FOR TABLE …`,
  }
}

function create({ name, slotName, mode, captured, isViaRoot, operations }: PublicationSituation): PublicationStep {
  const scope = mode === 'all_tables' ? ' FOR ALL TABLES' : mode === 'filtered' ? ` FOR TABLE ${tableList(captured)}` : ''
  const options = [...(isViaRoot ? ['publish_via_partition_root = true'] : []), ...(operations === null ? [] : [publishOption(operations)])]
  const publication = `PUBLICATION ${quoteIdentifier(name)}`
  return {
    action: 'run',
    statements: [
      `CREATE ${publication}${scope}${options.length === 0 ? '' : ` WITH (${options.join(', ')})`}`,
      `COMMENT ON ${publication} IS ${quoteLiteral(commentFor(slotName))}`,
    ],
    what: `creating publication "${name}"`,
    warnings: [],
  }
}

/** Tables are added and dropped one by one: row filters and column lists of the others stay as they are. */
function alter(situation: PublicationSituation, state: PublicationState): PublicationStep {
  const { name, slotName, mode, captured, isReadOnly } = situation
  const { comment } = state
  const isFiltered = mode === 'filtered'
  const isOwn = comment === commentFor(slotName)
  const isOfAnother = !isOwn && comment !== SHARED_COMMENT && comment?.startsWith(MADE) === true
  const added = isFiltered ? without(captured, [...state.named, ...state.covered]) : []
  const dropped = isFiltered && isOwn ? without(state.named, captured) : []
  const lacking = lackingOperations(situation, state)
  if (isReadOnly && added.length > 0) {
    return {
      action: 'refuse',
      code: 'publication-incomplete',
      message: `publication "${name}" lacks ${tableList(added)}, and the server is a standby`,
      remedy: 'add the tables on the primary: ALTER PUBLICATION … ADD TABLE …',
    }
  }
  const publication = `ALTER PUBLICATION ${quoteIdentifier(name)}`
  const canPublish = isOwn && !isReadOnly
  return {
    action: 'run',
    statements: [
      ...(isOfAnother && !isReadOnly && mode !== 'disabled'
        ? [`COMMENT ON PUBLICATION ${quoteIdentifier(name)} IS ${quoteLiteral(SHARED_COMMENT)}`]
        : []),
      ...(added.length === 0 ? [] : [`${publication} ADD TABLE ${tableList(added)}`]),
      ...(dropped.length === 0 || isReadOnly ? [] : [`${publication} DROP TABLE ${tableList(dropped)}`]),
      ...(lacking.length === 0 || !canPublish ? [] : [`${publication} SET (${publishOption([...state.operations, ...lacking])})`]),
    ],
    what: `altering publication "${name}"`,
    warnings: [
      ...(state.isViaRoot === situation.isViaRoot
        ? []
        : [
            `publication "${name}" has publish_via_partition_root = ${state.isViaRoot}; publish.via.partition.root = ${situation.isViaRoot} holds only for one that is created`,
          ]),
      ...(lacking.length === 0 || canPublish
        ? []
        : [`publication "${name}" does not publish ${lacking.join(', ')}: such changes will not be captured`]),
    ],
  }
}

/** What has events and is not sent. Without skipped.operations a TRUNCATE has none. */
function lackingOperations({ operations }: PublicationSituation, state: PublicationState): readonly PublishedOperation[] {
  const needed: readonly PublishedOperation[] = operations ?? ['insert', 'update', 'delete']
  return needed.filter((operation) => !state.operations.includes(operation))
}

function publishOption(operations: readonly PublishedOperation[]): string {
  return `publish = '${operations.join(', ')}'`
}

function without(tables: readonly TableName[], others: readonly TableName[]): readonly TableName[] {
  const names = new Set(others.map(tableText))
  return tables.filter((table) => !names.has(tableText(table)))
}

/** Quoted and whole: `"public"."orders"`. */
export function tableText({ schema, name }: TableName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

function tableList(tables: readonly TableName[]): string {
  return tables.map(tableText).join(', ')
}
