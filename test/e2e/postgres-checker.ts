/**
 * @module test/e2e/postgres-checker — what must hold of a captured table's topic however often the connector was cut off. Pure, but for reading topics.
 *
 * At least once means: the topic is the true sequence of changes in which, after each interruption, a stretch that was told already may be told once more.
 * So per writer (whose order is known) the changes of the topic are a walk through its list that goes on by one, or goes back; never ahead.
 */
import { type ConsumedRecord, createConsumer } from '../../hub/client/index.ts'
import { type Change, changeText, WRITER_COUNT } from './postgres-writer.ts'

export interface Row {
  readonly id: number
  readonly version: number
  readonly body: string
}

/** A record of the topic of a table. */
export interface TableEvent {
  readonly id: number
  /** null: a tombstone. */
  readonly operation: 'r' | 'c' | 'u' | 'd' | null
  readonly after: Row | null
  readonly snapshot: string
  readonly timestampMs: number
}

/** Reads partition 0 of a topic from its beginning up to its end now. */
export async function readTopic(bootstrapServers: string, topic: string): Promise<ConsumedRecord[]> {
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'earliest', fetchWaitMsMax: 20 })
  const partition = { topic, partition: 0 }
  try {
    consumer.assign([partition])
    const [end] = await consumer.endOffsets([partition])
    const records: ConsumedRecord[] = []
    while ((records.at(-1)?.offset ?? -1) + 1 < (end?.offset ?? 0)) records.push(...(await consumer.poll(200)))
    return records
  } finally {
    await consumer.close()
  }
}

/** A record of a table's topic. */
export function eventOf({ key, value, timestampMs }: ConsumedRecord): TableEvent {
  const { id } = JSON.parse(String(key)) as { readonly id: number }
  if (value === null) return { id, operation: null, after: null, snapshot: 'false', timestampMs }
  const { op, after, source } = JSON.parse(String(value)) as {
    readonly op: 'r' | 'c' | 'u' | 'd'
    readonly after: Row | null
    readonly source: { readonly snapshot: string }
  }
  return { id, operation: op, after, snapshot: source.snapshot, timestampMs }
}

/** What a topic says that a table holds: the last word on each key. */
export function compacted(events: readonly TableEvent[]): readonly Row[] {
  const rows = new Map<number, Row>()
  for (const { id, after } of events) {
    if (after === null) rows.delete(id)
    else rows.set(id, after)
  }
  return [...rows.values()].sort((a, b) => a.id - b.id)
}

/** What a walk through a writer's list found. */
export interface Walk {
  /** Times that it went back. */
  readonly rewindCount: number
  readonly faults: readonly string[]
}

/** Follows the changes of one writer through the events of a table. `firstEventMs`: what began later must have been streamed. */
export function walk(events: readonly TableEvent[], history: readonly Change[], writer: number): Walk {
  const places = new Map(history.map(({ text }, index) => [text, index]))
  const faults: string[] = []
  let place: number | undefined
  let rewindCount = 0
  let first = history.length
  for (const [at, { id, operation, after }] of events.entries()) {
    if (operation === 'r' || operation === null || id % WRITER_COUNT !== writer) continue
    const text = changeText(operation, id, after?.version ?? null)
    const next = places.get(text)
    if (next === undefined) {
      faults.push(`record ${at} tells of "${text}", which was never committed`)
      continue
    }
    if (place !== undefined && next <= place) rewindCount++
    else if (place !== undefined && next > place + 1)
      faults.push(`record ${at}, "${text}": ${next - place - 1} changes are missing before it, "${history[place + 1]?.text}" first`)
    first = Math.min(first, next)
    place = next
  }
  if (place !== undefined && place !== history.length - 1)
    faults.push(`the last ${history.length - 1 - place} changes are missing, "${history[place + 1]?.text}" first`)
  const firstEventMs = events[0]?.timestampMs ?? 0
  const missed = history.slice(0, first).find(({ begunMs }) => begunMs > firstEventMs)
  if (missed !== undefined) faults.push(`"${missed.text}" began after the snapshot and was not streamed`)
  return { rewindCount, faults }
}

/** A tombstone follows the delete event of its key; a snapshot tells of rows that were there. */
export function faultsOfOthers(
  events: readonly TableEvent[],
  histories: readonly (readonly Change[])[],
  rowCount: number,
): readonly string[] {
  const made = new Set(histories.flat().map(({ text }) => text.replace(/^u/, 'c')))
  const last = new Map<number, TableEvent['operation']>()
  const faults: string[] = []
  for (const [at, { id, operation, after }] of events.entries()) {
    if (operation === null && last.get(id) !== 'd') faults.push(`record ${at} is a tombstone of ${id} after ${last.get(id)}`)
    last.set(id, operation)
    if (operation !== 'r' || after === null) continue
    const isOld = after.version === 0 && id < rowCount
    if (!isOld && !made.has(changeText('c', id, after.version)))
      faults.push(`record ${at} tells of a row ${id} with version ${after.version}, which never was`)
  }
  return faults
}

/** Where a slot stood at some time. */
export interface SlotSample {
  readonly atMs: number
  readonly confirmedLsn: number
}

/** How far a stored position is: up to a commit, or to where a snapshot was taken. */
export function positionLsn(offset: Readonly<Record<string, unknown>>): number {
  return Number(offset['millrace_commit_lsn'] ?? offset['lsn'] ?? 0)
}

/** Checks that a slot was never told more than what stood in the offsets topic: of each sample the positions that had been stored by then. */
export function faultsOfSlot(samples: readonly SlotSample[], records: readonly ConsumedRecord[], connector: string): readonly string[] {
  const positions = records
    .filter(({ key, value }) => value !== null && (JSON.parse(String(key)) as [string])[0] === connector)
    .map(({ timestampMs, value }) => {
      return { timestampMs, lsn: positionLsn(JSON.parse(String(value)) as Readonly<Record<string, unknown>>) }
    })
  // Made with the slot: nothing is told before.
  const createdLsn = samples[0]?.confirmedLsn ?? 0
  return samples.flatMap(({ atMs, confirmedLsn }) => {
    const storedLsn = Math.max(createdLsn, ...positions.filter(({ timestampMs }) => timestampMs <= atMs).map(({ lsn }) => lsn))
    return confirmedLsn <= storedLsn ? [] : [`at ${atMs} the slot stood at ${confirmedLsn}, where ${storedLsn} was stored`]
  })
}
