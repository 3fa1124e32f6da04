/**
 * @module test/connectors/postgres/pgoutput/oracle — the same messages as pg-logical-replication reads them (ADR 7), and ours in its words.
 */
import { type Pgoutput, PgoutputPlugin } from 'pg-logical-replication'
import { NULL_TEXT, type PgOutputMessage, type RelationMessage, type RowText } from '../../../../connectors/postgres/model.ts'
import { lsnText } from '../../../../connectors/postgres/replication/index.ts'

/** Reads messages in the order of a stream: it remembers the relations. */
export class Oracle {
  readonly #plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: ['p'] })

  read(bytes: Buffer): unknown {
    const message = this.#plugin.parse(bytes)
    // Types of our own: text stays text.
    if (message.tag === 'relation') for (const column of message.columns) column.parser = (text: string) => text
    return shownOracle(message)
  }
}

function shownOracle(message: Pgoutput.Message): unknown {
  switch (message.tag) {
    case 'begin':
      return { tag: 'begin', lsn: lsnOrZero(message.commitLsn), timeUs: String(message.commitTime), xid: message.xid >>> 0 }
    case 'commit':
      return { tag: 'commit', lsn: lsnOrZero(message.commitLsn), end: lsnOrZero(message.commitEndLsn), timeUs: String(message.commitTime) }
    case 'origin':
      return { tag: 'origin', lsn: lsnOrZero(message.originLsn), name: message.originName }
    case 'relation':
      return {
        tag: 'relation',
        oid: message.relationOid >>> 0,
        name: [message.schema, message.name],
        identity: message.replicaIdentity,
        columns: message.columns.map(({ name, flags, typeOid, typeMod }) => [name, (flags & 1) === 1, typeOid >>> 0, typeMod]),
      }
    case 'type':
      return { tag: 'type', oid: message.typeOid >>> 0, name: [message.typeSchema, message.typeName] }
    case 'insert':
      return { tag: 'insert', oid: message.relation.relationOid >>> 0, new: { ...message.new } }
    case 'update':
      return { tag: 'update', oid: message.relation.relationOid >>> 0, ...oldOf(message), new: { ...message.new } }
    case 'delete':
      return { tag: 'delete', oid: message.relation.relationOid >>> 0, ...oldOf(message) }
    case 'truncate':
      return {
        tag: 'truncate',
        oids: message.relations.map(({ relationOid }) => relationOid >>> 0),
        cascade: message.cascade,
        restart: message.restartIdentity,
      }
    case 'message':
      return {
        tag: 'message',
        transactional: message.transactional,
        lsn: lsnOrZero(message.messageLsn),
        prefix: message.prefix,
        content: Buffer.from(message.content).toString('hex'),
      }
  }
}

function oldOf({ key, old }: { readonly key: object | null; readonly old: object | null }): object {
  return { key: key === null ? null : { ...key }, old: old === null ? null : { ...old } }
}

/** It pads both halves with zeros, and takes 0/0 for null. */
function lsnOrZero(text: string | null): string {
  return text === null ? '0/0' : text.replace(/\b0+(?=[0-9A-F])/g, '')
}

/** Our message in the oracle's words; `relations`: those that came before. */
export function shownOurs(message: PgOutputMessage, relations: ReadonlyMap<number, RelationMessage>): unknown {
  switch (message.kind) {
    case 'begin':
      return { tag: 'begin', lsn: lsnText(message.commitLsn), timeUs: String(message.timeUs), xid: message.xid }
    case 'commit':
      return { tag: 'commit', lsn: lsnText(message.commitLsn), end: lsnText(message.endLsn), timeUs: String(message.timeUs) }
    case 'origin':
      return { tag: 'origin', lsn: lsnText(message.lsn), name: message.name }
    case 'relation':
      return {
        tag: 'relation',
        oid: message.oid,
        name: [message.schema, message.name],
        identity: message.replicaIdentity,
        columns: message.columns.map(({ name, isKey, typeOid, typeModifier }) => [name, isKey, typeOid, typeModifier]),
      }
    case 'type':
      return { tag: 'type', oid: message.oid, name: [message.schema, message.name] }
    case 'truncate':
      return { tag: 'truncate', oids: message.relationOids, cascade: message.isCascade, restart: message.isRestartIdentity }
    case 'message':
      return {
        tag: 'message',
        transactional: message.isTransactional,
        lsn: lsnText(message.lsn),
        prefix: message.prefix,
        content: message.content.toString('hex'),
      }
    default:
      return shownRows(message, relations.get(message.relationOid))
  }
}

function shownRows(
  message: Extract<PgOutputMessage, { readonly kind: 'insert' | 'update' | 'delete' }>,
  relation: RelationMessage | undefined,
): unknown {
  if (relation === undefined) throw new Error(`no relation ${message.relationOid} came before`)
  const { kind, relationOid: oid } = message
  if (kind === 'insert') return { tag: kind, oid, new: rowOf(message.row, relation) }
  const oldRow = message.old === null ? null : rowOf(message.old, relation)
  const key = message.oldKind === 'key' && oldRow !== null ? keyOf(oldRow, relation) : null
  const old = message.oldKind === 'full' ? oldRow : null
  if (kind === 'delete') return { tag: kind, oid, key, old }
  // An unchanged value is taken from the old row where there is one, by the oracle.
  return { tag: kind, oid, key, old, new: rowOf(message.row, relation, old) }
}

type TextRow = Record<string, string | null | undefined>

function rowOf({ bytes, bounds }: RowText, { columns }: RelationMessage, fallback: TextRow | null = null): TextRow {
  const row: TextRow = {}
  columns.forEach(({ name }, index) => {
    const start = bounds[2 * index] ?? Number.NaN
    if (start >= 0) row[name] = bytes.toString('utf8', start, bounds[2 * index + 1])
    else row[name] = start === NULL_TEXT ? null : fallback?.[name]
  })
  return row
}

function keyOf(row: TextRow, { columns }: RelationMessage): TextRow {
  const key: TextRow = {}
  for (const { name, isKey } of columns) if (isKey) key[name] = row[name] ?? undefined
  return key
}
