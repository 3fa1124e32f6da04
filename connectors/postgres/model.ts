/**
 * @module connector-postgres/model — the words that the parts of this connector share. Types only.
 *
 * ```
 *   replication/ ──messages──▶ pgoutput/ ──rows──▶ events/ ──records──▶ source
 *   replication/ ──COPY rows───────────────────────▶ │
 *   catalog/ ──tables, types──▶ values/ (text → value and schema of a column) ──▶ events/
 * ```
 */

/**
 * A place in the write-ahead log: its two halves as one number, `hi · 2³² + lo`. Exact below 2^53, which is 8 PiB of log in the life of a
 * server.
 */
export type Lsn = number

/** One column as the catalog and the stream tell of it. */
export interface TableColumn {
  readonly name: string
  readonly typeOid: number
  /** `atttypmod`; −1: none. */
  readonly typeModifier: number
  /** Whether null may stand in it (`attnotnull` is false). */
  readonly isOptional: boolean
  /** `pg_get_expr` of its default; null: there is none. */
  readonly defaultExpression: string | null
  readonly isGenerated: boolean
}

/** What a table's update and delete events tell of the row before. */
export type ReplicaIdentity = 'default' | 'nothing' | 'full' | 'index'

/** A table in one of its shapes. Never changed once made: another shape is another object. */
export interface Table {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** In the order of a row's values: of the relation message, or of the columns that a COPY names. */
  readonly columns: readonly TableColumn[]
  /** Names of the columns of the primary key, else of the first unique index over plain columns and all rows, which may be null; empty: no key. */
  readonly keyColumns: readonly string[]
  readonly replicaIdentity: ReplicaIdentity
}

/** A type of the database. */
export interface PgType {
  readonly oid: number
  /** `typname`: `int4`, `_int4`, `timestamptz`. */
  readonly name: string
  readonly schema: string
  readonly kind: 'base' | 'array' | 'enum' | 'domain' | 'range' | 'multirange' | 'composite' | 'pseudo'
  /** Of an array: the type of its elements; else 0. */
  readonly elementOid: number
  /** Of a domain: what it stands on and with which modifier; else 0 and −1. */
  readonly baseOid: number
  readonly baseTypeModifier: number
  /** Of an enum: its labels in `enumsortorder`. */
  readonly labels: readonly string[]
  /** Between elements of an array in text: `,`, and `;` for box. */
  readonly delimiter: string
}

/** Types by OID: those of the database at the time of asking. */
export interface Types {
  get(oid: number): PgType | undefined
}

/** In place of a start in {@link RowText}: the value is null. */
export const NULL_TEXT = -1
/** In place of a start in {@link RowText}: a TOASTed value that the change did not touch, and that the log does not hold. */
export const UNCHANGED_TEXT = -2

/**
 * The values of a row in the text form of their types' output functions, as slices of one buffer. Value `i` stands in
 * `bytes[bounds[2i] … bounds[2i+1])`; a start below zero says that there is none. Valid until the next row is asked for.
 */
export interface RowText {
  readonly bytes: Buffer
  readonly bounds: Int32Array
}

/** What of a row before a change stands in a message: the columns of the replica identity (others are null), or all. */
export type OldRowKind = 'key' | 'full'

/** A message of the output plugin `pgoutput`, protocol version 1. */
export type PgOutputMessage =
  | { readonly kind: 'begin'; readonly commitLsn: Lsn; readonly timeUs: bigint; readonly xid: number }
  | { readonly kind: 'commit'; readonly commitLsn: Lsn; readonly endLsn: Lsn; readonly timeUs: bigint }
  | { readonly kind: 'origin'; readonly lsn: Lsn; readonly name: string }
  | RelationMessage
  | { readonly kind: 'type'; readonly oid: number; readonly schema: string; readonly name: string }
  | { readonly kind: 'insert'; readonly relationOid: number; readonly row: RowText }
  | {
      readonly kind: 'update'
      readonly relationOid: number
      readonly oldKind: OldRowKind | null
      readonly old: RowText | null
      readonly row: RowText
    }
  | { readonly kind: 'delete'; readonly relationOid: number; readonly oldKind: OldRowKind; readonly old: RowText }
  | {
      readonly kind: 'truncate'
      readonly relationOids: readonly number[]
      readonly isCascade: boolean
      readonly isRestartIdentity: boolean
    }
  | { readonly kind: 'message'; readonly isTransactional: boolean; readonly lsn: Lsn; readonly prefix: string; readonly content: Buffer }

/** The shape of a table as the stream tells it before the first row of it, and again when it has changed. */
export interface RelationMessage {
  readonly kind: 'relation'
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly replicaIdentity: ReplicaIdentity
  readonly columns: readonly {
    readonly name: string
    /** Whether it is part of the replica identity. */
    readonly isKey: boolean
    readonly typeOid: number
    readonly typeModifier: number
  }[]
}

/** `source.snapshot` of an event. */
export type SnapshotMarker = 'true' | 'first' | 'first_in_data_collection' | 'last_in_data_collection' | 'last' | 'false'
