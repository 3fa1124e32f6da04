/**
 * @module connector-postgres/events/source-block — `source` of an envelope, and instants in its three units.
 */
import { type Struct, structMaker } from '@millrace/sdk'
import type { Table } from '../model.ts'
import type { EventSettings, Place } from './settings.ts'
import { sourceSchema } from './table-shape.ts'

const makeSource = structMaker(sourceSchema)

/** One instant since 1970. */
export interface Instant {
  readonly us: bigint
  readonly ms: bigint
  readonly ns: bigint
}

/** Turns microseconds into an {@link Instant}; all changes of a transaction have the same, so the last one is kept. */
export function instants(): (us: bigint) => Instant {
  let last: Instant = { us: 0n, ms: 0n, ns: 0n }
  return (us) => (us === last.us ? last : (last = { us, ms: us / 1000n, ns: us * 1000n }))
}

/**
 * Makes the blocks of a table. A change of the stream leaves `snapshot` to the default of its schema, `false`, as Debezium does. Rows of a
 * snapshot share one block: it is the same object, which is also printed once.
 */
export function sourceBlocks(table: Table, settings: EventSettings): (place: Place) => Struct {
  const { connectorVersion, topicPrefix, databaseName } = settings
  const instantOf = instants()
  let latest: { readonly place: SourcePlace; readonly block: Struct } | null = null
  return (place) => {
    if (latest !== null && isSamePlace(latest.place, place)) return latest.block
    const { lsn, lastCommitLsn, txId, snapshot, origin } = place
    const time = instantOf(place.timeUs)
    const block = makeSource([
      connectorVersion,
      'postgresql',
      topicPrefix,
      time.ms,
      snapshot === 'false' ? null : snapshot,
      databaseName,
      lastCommitLsn === null ? `[null,"${lsn}"]` : `["${lastCommitLsn}","${lsn}"]`,
      time.us,
      time.ns,
      table.schema,
      table.name,
      txId === null ? null : BigInt(txId),
      BigInt(lsn),
      null, // xmin: the server is not asked for it
      origin?.name ?? null,
      origin ? BigInt(origin.lsn) : null,
    ])
    latest = { place: { lsn, lastCommitLsn, txId, timeUs: place.timeUs, snapshot, origin }, block }
    return block
  }
}

/** What of a place a block tells. */
type SourcePlace = Pick<Place, 'lsn' | 'lastCommitLsn' | 'txId' | 'timeUs' | 'snapshot'> & { readonly origin?: Place['origin'] | undefined }

function isSamePlace(one: SourcePlace, other: SourcePlace): boolean {
  return (
    one.lsn === other.lsn &&
    one.snapshot === other.snapshot &&
    one.lastCommitLsn === other.lastCommitLsn &&
    one.txId === other.txId &&
    one.timeUs === other.timeUs &&
    one.origin === other.origin
  )
}
