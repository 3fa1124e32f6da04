/**
 * @module connector-postgres/streaming-tables — the tables of the stream by their OIDs, each in its present shape.
 *
 * A relation message comes before the first row of a table and again after each change of its shape. What it does not tell (nullability,
 * defaults, the order of a key) is asked of the catalog, on another connection; labels that an enum has gained are seen only by a row that
 * has one, since the server sends nothing for them.
 */
import type { PluginLog } from '@millrace/sdk'
import { tableOfRelation, readTable, readTypes } from './catalog/index.ts'
import { type EventSettings, type TableEvents, type TableFilter, tableEvents } from './events/index.ts'
import type { RelationMessage, RowText, Table, Types } from './model.ts'
import type { Session } from './replication/index.ts'

/** A captured table. */
interface KnownTable {
  readonly table: Table
  readonly enums: readonly EnumColumn[]
  readonly events: TableEvents
}

interface EnumColumn {
  readonly index: number
  readonly labels: Set<string>
}

/** See the module. */
export class StreamTables {
  readonly #session: Session
  readonly #settings: EventSettings
  readonly #isCaptured: TableFilter
  /** null: of a table that is not captured. */
  readonly #tables = new Map<number, KnownTable | null>()
  readonly #log: Pick<PluginLog, 'warn'>
  #types: Types

  constructor(session: Session, settings: EventSettings, isCaptured: TableFilter, types: Types, log: Pick<PluginLog, 'warn'>) {
    this.#session = session
    this.#settings = settings
    this.#isCaptured = isCaptured
    this.#types = types
    this.#log = log
  }

  /** Takes the shape in which the rows that follow come. */
  async learn(relation: RelationMessage): Promise<void> {
    const { oid, schema, name } = relation
    if (!this.#isCaptured(schema, name)) {
      const known = this.#tables.get(oid)?.table
      if (known !== undefined) {
        const [before, now] = [`${known.schema}.${known.name}`, `${schema}.${name}`]
        this.#log.warn(`table ${before} is ${now} now, which the filters leave out: its changes are no longer captured`)
      }
      this.#tables.set(oid, null)
      return
    }
    const table = tableOfRelation(relation, await readTable(this.#session, oid))
    if (table.columns.some(({ typeOid }) => this.#types.get(typeOid) === undefined)) this.#types = await readTypes(this.#session)
    this.#tables.set(oid, this.#compile(table))
  }

  /** The events of a table; null: it is not captured. */
  eventsOf(oid: number): TableEvents | null {
    return this.#known(oid)?.events ?? null
  }

  /** Whether a row has a label that its enum did not have when types were last read: {@link refresh} before its events are made. */
  isStale(oid: number, row: RowText): boolean {
    const known = this.#known(oid)
    return known?.enums.some(({ index, labels }) => !hasLabel(row, index, labels)) === true
  }

  /** Reads the types again and tells the table of this row anew; others when they have such a row. */
  async refresh(oid: number, row: RowText): Promise<void> {
    const known = this.#known(oid)
    if (known === null) return
    this.#types = await readTypes(this.#session)
    const fresh = this.#compile(known.table)
    // A label that is not there any more (it was renamed since) is asked for once.
    for (const { index, labels } of fresh.enums) if (!hasLabel(row, index, labels)) labels.add(labelOf(row, index))
    this.#tables.set(oid, fresh)
  }

  #known(oid: number): KnownTable | null {
    const known = this.#tables.get(oid)
    if (known === undefined) throw new Error(`the server sent a row of the relation ${oid} without having told its shape`)
    return known
  }

  #compile(table: Table): KnownTable {
    const enums = table.columns.flatMap(({ typeOid }, index): EnumColumn[] => {
      const type = this.#types.get(typeOid)
      return type?.kind === 'enum' ? [{ index, labels: new Set(type.labels) }] : []
    })
    return { table, enums, events: tableEvents(table, this.#types, this.#settings, 'stream') }
  }
}

function hasLabel(row: RowText, index: number, labels: ReadonlySet<string>): boolean {
  return (row.bounds[2 * index] ?? -1) < 0 || labels.has(labelOf(row, index))
}

function labelOf({ bytes, bounds }: RowText, index: number): string {
  return bytes.toString('utf8', bounds[2 * index], bounds[2 * index + 1])
}
