/**
 * @module demo/tally — what the demo has seen: counts, rates, latencies, the last changes and objects. Pure: times come with each call, in
 * milliseconds since 1970.
 */
import type { ChangeEvent, Operation } from './change-event.ts'
import { describeChange } from './change-event.ts'

/** One change on its way: in a topic, and later in an object. */
export interface ChangeLine {
  readonly committedMs: number
  readonly operation: Operation
  readonly table: string
  /** In a few words, as it came: not yet fit for a terminal. */
  readonly text: string
  readonly topic: string
  readonly offset: number
  /** From the commit until the demo's consumer had it. */
  readonly latencyMs: number
  /** Name of the object that holds it; undefined: none yet. */
  object: string | undefined
}

/** An object of the bucket, read. */
export interface ObjectLine {
  readonly key: string
  readonly recordCount: number
  readonly byteCount: number
  readonly seenMs: number
}

/** What a connector is doing, in Connect's words, and why it failed. */
export interface ConnectorView {
  readonly state: string
  readonly problem: string | undefined
}

/** Counts per second over the last seconds. */
interface Sample {
  readonly atMs: number
  readonly changes: number
  readonly records: number
  readonly objectRecords: number
}

/** What is kept of each kind. */
const LIMITS = { changeLines: 400, objectLines: 50, latencies: 1_000, samples: 20 } as const
/** Span of the shown rates. */
const RATE_MS = 5_000

export class Tally {
  readonly startMs: number
  /** Rows changed by the shop, committed. */
  changeCount = 0
  rowCount = 0
  /** Change events read from the topics; those of the snapshot among them. */
  recordCount = 0
  snapshotCount = 0
  tombstoneCount = 0
  objectCount = 0
  objectRecordCount = 0
  objectByteCount = 0
  /** Newest first. */
  readonly changes: ChangeLine[] = []
  /** Newest first. */
  readonly objects: ObjectLine[] = []
  readonly connectors = new Map<string, ConnectorView>()
  /** What is wrong right now, in one line, by whom it is wrong with. */
  readonly notices = new Map<string, string>()
  readonly #latenciesMs: number[] = []
  readonly #samples: Sample[] = []
  readonly #waiting = new Map<string, ChangeLine>()
  /** Events that were seen in an object before they were in their topic, with the object. */
  readonly #early = new Map<string, string>()

  constructor(startMs: number) {
    this.startMs = startMs
  }

  /** An event was read from a topic. */
  sawRecord(event: ChangeEvent, place: { readonly topic: string; readonly offset: number }, nowMs: number): ChangeLine {
    this.recordCount++
    const latencyMs = Math.max(0, nowMs - event.committedMs)
    if (event.operation === 'r') this.snapshotCount++
    else this.#latenciesMs.push(latencyMs)
    if (this.#latenciesMs.length > LIMITS.latencies) this.#latenciesMs.shift()
    const { committedMs, operation, table, identity } = event
    const line: ChangeLine = {
      committedMs,
      operation,
      table,
      text: describeChange(event),
      ...place,
      latencyMs,
      object: this.#early.get(identity),
    }
    this.changes.unshift(line)
    if (this.changes.length > LIMITS.changeLines) this.changes.pop()
    if (!this.#early.delete(identity)) keep(this.#waiting, identity, line)
    return line
  }

  /** An object was read, for the first time or anew after it was rewritten. */
  sawObject(object: ObjectLine, identities: Iterable<string>, former: ObjectLine | undefined): void {
    this.objectCount += former === undefined ? 1 : 0
    this.objectRecordCount += object.recordCount - (former?.recordCount ?? 0)
    this.objectByteCount += object.byteCount - (former?.byteCount ?? 0)
    this.objects.unshift(object)
    if (this.objects.length > LIMITS.objectLines) this.objects.pop()
    for (const identity of identities) {
      const line = this.#waiting.get(identity)
      if (line === undefined) keep(this.#early, identity, object.key)
      else line.object = object.key
      this.#waiting.delete(identity)
    }
  }

  /** Takes the counts as they are now; rates are told from these. */
  sample(nowMs: number): void {
    this.#samples.push({ atMs: nowMs, changes: this.changeCount, records: this.recordCount, objectRecords: this.objectRecordCount })
    if (this.#samples.length > LIMITS.samples) this.#samples.shift()
  }

  /** Counts per second over the last few seconds. */
  rates(nowMs: number): { readonly changes: number; readonly records: number; readonly objectRecords: number } {
    const first = this.#samples.find(({ atMs }) => nowMs - atMs <= RATE_MS)
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.atMs === first.atMs) return { changes: 0, records: 0, objectRecords: 0 }
    const perSecond = (from: number, to: number): number => ((to - from) * 1000) / (last.atMs - first.atMs)
    return {
      changes: perSecond(first.changes, last.changes),
      records: perSecond(first.records, last.records),
      objectRecords: perSecond(first.objectRecords, last.objectRecords),
    }
  }

  /** The latency that a share of the last changes did not exceed; undefined before the first one. */
  latencyMs(share: number): number | undefined {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  }
}

/** Puts an entry, and lets the oldest one go when there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value)
  if (map.size > LIMITS.changeLines) map.delete(map.keys().next().value ?? '')
}
