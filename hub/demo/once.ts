/** @module demo/once — the way with an end: some changes, a check that each arrived everywhere, a summary. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bucket, openBucket } from './bucket.ts'
import { type ChangeEvent, changeEventOf } from './change-event.ts'
import { OBJECTS_PREFIX, SHOP_TOPICS, viewOf } from './connectors.ts'
import { DemoError } from './packages.ts'
import { bytes, count, milliseconds } from './screen.ts'
import { SHOP_TABLES } from './shop.ts'
import { changeRows, rowsOf, ShopBook } from './shopkeeper.ts'
import type { Site } from './site.ts'
import { readTopics } from './topics.ts'
import { type Check, type TableEvidence, type TopicRecord, verify } from './verify.ts'

/** Times of the way with an end. */
const LIMITS = {
  /** No change arrives any more for so long: it will not. */
  stillMsMax: 60_000,
  /** After so long without a change it is asked whether a connector has failed. */
  suspectMs: 1_000,
  /** Between two looks. */
  lookMs: 100,
} as const

/** What came of it. */
export interface OnceResult {
  /** Sentences of the summary. */
  readonly lines: readonly string[]
  readonly checks: readonly Check[]
}

export interface OnceOptions {
  readonly site: Site
  readonly changeCount: number
  readonly signal: AbortSignal
  /** Hears how far it is, now and then. */
  readonly onProgress: (text: string) => void
}

/** What has been read of the topics so far. */
class TopicEvidence {
  readonly records = new Map<string, TopicRecord[]>(SHOP_TABLES.map((table) => [table, []]))
  eventCount = 0
  snapshotCount = 0
  tombstoneCount = 0
  lastCommittedMs = 0
  readonly #latenciesMs: number[] = []

  take(topic: string, key: Buffer | null, value: Buffer | null, nowMs: number): void {
    const event = value === null ? null : changeEventOf(value.toString())
    if (event === undefined) throw new DemoError(`topic ${topic} holds what is no change event: ${value?.toString().slice(0, 200)}`)
    this.records.get(topic.slice(topic.lastIndexOf('.') + 1))?.push({ key: key?.toString() ?? '', event })
    if (event === null) this.tombstoneCount++
    else this.#count(event, nowMs)
  }

  #count({ operation, committedMs }: ChangeEvent, nowMs: number): void {
    this.eventCount++
    if (operation === 'r') {
      this.snapshotCount++
      return
    }
    this.#latenciesMs.push(Math.max(0, nowMs - committedMs))
    this.lastCommittedMs = Math.max(this.lastCommittedMs, committedMs)
  }

  /** The time from commit to consumer that a share of the changes did not exceed. */
  latencyMs(share: number): number {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  }
}

/** What has been read of the bucket so far. */
class BucketEvidence {
  readonly #bucket: Bucket
  readonly #objects = new Map<string, { readonly tag: string; readonly byteCount: number; readonly identities: readonly string[] }>()

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  /** Reads objects that are new or other than before. */
  async look(signal: AbortSignal): Promise<void> {
    for (const { key, tag, byteCount } of await this.#bucket.list(OBJECTS_PREFIX, '', signal)) {
      if (this.#objects.get(key)?.tag === tag) continue
      const text = (await this.#bucket.read(key, signal)) ?? ''
      this.#objects.set(key, { tag, byteCount, identities: identitiesOf(key, text) })
    }
  }

  get objectCount(): number {
    return this.#objects.size
  }

  get byteCount(): number {
    return [...this.#objects.values()].reduce((sum, { byteCount }) => sum + byteCount, 0)
  }

  get recordCount(): number {
    return [...this.#objects.values()].reduce((sum, { identities }) => sum + identities.length, 0)
  }

  get identities(): readonly string[] {
    return [...this.#objects.values()].flatMap(({ identities }) => identities)
  }
}

/** Events of an object; a line that is none is told as a record that no topic holds. */
function identitiesOf(key: string, text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => changeEventOf(line)?.identity ?? `${key}: ${line}`)
}

/** Makes the changes, waits until they stand in objects, checks. Rejects when they stop arriving, with what failed, or with the signal's reason. */
export async function runOnce(options: OnceOptions): Promise<OnceResult> {
  const { site, signal } = options
  const topics = new TopicEvidence()
  const reading = new AbortController()
  const readEnd = readTopics(site.hub.bootstrap, SHOP_TOPICS, AbortSignal.any([signal, reading.signal]), ({ topic, key, value }) =>
    topics.take(topic, key, value, Date.now()),
  )
  try {
    const result = changeAndCheck(options, topics)
    // A reader that fails ends the waiting too.
    await Promise.race([result, readEnd.then(() => signal.throwIfAborted())])
    return await result
  } finally {
    reading.abort(new DemoError('read enough'))
    await readEnd.catch(() => {})
  }
}

async function changeAndCheck({ site, changeCount, signal, onProgress }: OnceOptions, topics: TopicEvidence): Promise<OnceResult> {
  const book = new ShopBook()
  const bucket = new BucketEvidence(openBucket(site.s3.endpoint, site.bucket))
  const startMs = performance.now()
  await changeRows(site.shop, changeCount, book, signal)
  const changedMs = performance.now() - startMs
  const tables = SHOP_TABLES.map((table) => book.of(table))
  const deletedCount = tables.reduce((sum, { deleted }) => sum + deleted, 0)
  const wantedCount = changeCount + [...site.shop.firstRowCounts.values()].reduce((sum, rows) => sum + rows, 0)
  await untilDone(site, signal, async () => {
    await bucket.look(signal)
    const { eventCount, tombstoneCount } = topics
    return {
      isDone: eventCount >= wantedCount && tombstoneCount >= deletedCount && bucket.recordCount >= wantedCount,
      text: said(
        `${count(eventCount)} of ${count(wantedCount)} records, ${count(bucket.recordCount)} of them in ${count(bucket.objectCount)} objects`,
      ),
    }
  })
  const arrivedMs = Date.now() - topics.lastCommittedMs
  // Who writes objects is gone before the last look: what comes twice would have come by then.
  await site.rest.delete(site.sinkName, signal)
  while ((await site.rest.status(site.sinkName, signal)) !== undefined) await sleep(LIMITS.lookMs, undefined, { signal })
  await bucket.look(signal)
  return { lines: summary(), checks: await checksOf(site, book, topics, bucket.identities) }

  function said(text: string): string {
    onProgress(text)
    return text
  }

  function summary(): readonly string[] {
    const sum = (what: 'inserted' | 'updated'): string => count(tables.reduce((total, counts) => total + counts[what], 0))
    const latencies = `p50 ${milliseconds(topics.latencyMs(0.5))}, p99 ${milliseconds(topics.latencyMs(0.99))}`
    return [
      `${count(changeCount)} changes committed in ${milliseconds(changedMs)}: ${sum('inserted')} inserts, ${sum('updated')} updates, ${count(deletedCount)} deletes`,
      `${count(topics.eventCount)} records in ${SHOP_TOPICS.length} topics, ${count(topics.snapshotCount)} of them the snapshot; after commit ${latencies}`,
      `${count(bucket.recordCount)} records in ${count(bucket.objectCount)} objects, ${bytes(bucket.byteCount)}; the last one ${milliseconds(arrivedMs)} after its commit`,
    ]
  }
}

async function checksOf(site: Site, book: ShopBook, topics: TopicEvidence, objectIdentities: readonly string[]): Promise<readonly Check[]> {
  const client = await site.shop.connect()
  try {
    const tables: TableEvidence[] = []
    for (const table of SHOP_TABLES) {
      tables.push({
        table,
        committed: book.of(table),
        firstRowCount: site.shop.firstRowCounts.get(table) ?? 0,
        rows: await rowsOf(client, table),
        records: topics.records.get(table) ?? [],
      })
    }
    return verify(tables, objectIdentities)
  } finally {
    await client.end()
  }
}

/** Looks until it is done. Throws what a connector failed with, or that nothing has changed for long. */
async function untilDone(
  site: Site,
  signal: AbortSignal,
  look: () => Promise<{ readonly isDone: boolean; readonly text: string }>,
): Promise<void> {
  let last = ''
  let changedMs = performance.now()
  for (;;) {
    const { isDone, text } = await look()
    if (isDone) return
    const stillMs = text === last ? performance.now() - changedMs : 0
    if (stillMs === 0) changedMs = performance.now()
    last = text
    if (stillMs > LIMITS.suspectMs) await throwFailure(site, signal)
    if (stillMs > LIMITS.stillMsMax) throw new DemoError(`nothing has arrived for ${LIMITS.stillMsMax / 1000} s: ${text}`)
    await sleep(LIMITS.lookMs, undefined, { signal })
  }
}

async function throwFailure({ rest }: Site, signal: AbortSignal): Promise<void> {
  for (const [name, { status }] of Object.entries(await rest.connectors(signal))) {
    const { problem } = viewOf(status)
    if (problem !== undefined) throw new DemoError(`connector ${name} failed: ${problem}`)
  }
}
