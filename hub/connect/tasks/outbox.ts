/**
 * @module connect/tasks/outbox — a source's records on their way to their topics: transforms, converters, producer, acknowledgement.
 *
 * Records are handed to the producer in units: one promise for many records. What is dropped by a transform or tolerated counts as
 * delivered. A failure that ends the task is told once, to `onFailure`; what was acknowledged until then stays acknowledged.
 */
import { type SourceOffset, type SourcePartition, type SourceRecord, sourceRecord, type SourceRecordInput } from '@millrace/sdk'
import { ClientError, type Producer, type ProducerRecord, SendBatchError } from '../../client/index.ts'
import type { Chain } from './chain.ts'
import type { Conversion } from './conversion.ts'
import { told } from './failure.ts'
import type { Positions, Unit } from './positions.ts'
import { sourcePlace } from './source-place.ts'
import type { Cursor, Step } from './step.ts'
import type { Tolerance } from './tolerance.ts'

/** What may be on its way. */
export const OUTBOX_LIMITS = {
  /** Records that are sent as one unit. */
  unitRecordCountMax: 1_000,
  /** Bytes at which a unit is sent though there are more records. */
  unitBytesMax: 1024 * 1024,
  /**
   * Records that are not acknowledged; beyond it the source is not asked for more. What waits longer than the young generation's life is
   * copied twice by the garbage collector: more on the way costs more than it brings.
   */
  recordCountMax: 10_000,
  /** Bytes of keys, values and headers of these. */
  bytesMax: 4 * 1024 * 1024,
} as const

/** Of what is no record. */
const NO_POSITION: Pick<SourceRecordInput, 'sourcePartition' | 'sourceOffset'> = {}

const NO_HEADERS: SourceRecord['headers'] = []

/** What a record costs beside its key and value. */
const RECORD_OVERHEAD_BYTES = 64

export interface OutboxParts {
  readonly chain: Chain
  readonly conversion: Conversion
  readonly producer: Producer
  readonly positions: Positions
  readonly tolerance: Tolerance<SourceRecord>
  /** Whether reports on records tell their keys and values (errors.log.include.messages). */
  readonly isTellingMessages: boolean
  /** Class of the source, for records that are none. */
  readonly className: string
  /** Awaited before the first record of a topic is sent. */
  readonly onNewTopic: (topic: string) => Promise<void>
  /** Something was acknowledged. */
  readonly onProgress: () => void
  readonly onFailure: (error: unknown) => void
}

/** See the module. */
export class Outbox {
  readonly #parts: OutboxParts
  readonly #cursor: Cursor
  readonly #pollStep: Step
  readonly #produceStep: Step
  readonly #topics = new Set<string>()
  #latestTopic = ''
  #pendingCount = 0
  #pendingBytes = 0
  #isClosed = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#pollStep = { stage: 'TASK_POLL', className: parts.className, setting: 'connector.class' }
    this.#produceStep = { stage: 'KAFKA_PRODUCE', className: parts.className, setting: 'producer.override.*' }
    this.#cursor = { step: this.#pollStep }
  }

  /** Whether the source may be asked for more. */
  get hasRoom(): boolean {
    return this.#pendingCount < OUTBOX_LIMITS.recordCountMax && this.#pendingBytes < OUTBOX_LIMITS.bytesMax
  }

  /** Records that are sent and not acknowledged. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  /**
   * Takes a unit's worth of records from `from` on, at least one; resolves with the index after the last one, when they are handed to the
   * producer. Rejects with what fails the task: what came before that record is on its way then. One call at a time.
   */
  async take(inputs: readonly SourceRecordInput[], from: number): Promise<number> {
    const { positions } = this.#parts
    const end = Math.min(inputs.length, from + OUTBOX_LIMITS.unitRecordCountMax)
    let index = from
    const unit = positions.begin()
    const shipment = new Shipment(this.#parts.isTellingMessages)
    let latest: { readonly partition: SourcePartition; readonly offset: SourceOffset } | null = null
    try {
      for (; index < end && shipment.sizeBytes < OUTBOX_LIMITS.unitBytesMax; index++) {
        const input = inputs[index] as SourceRecordInput
        const wait = this.#add(input, shipment)
        if (wait !== undefined) {
          // While it waits the source may fill its objects anew.
          if (latest !== null) positions.note(unit, latest.partition, latest.offset)
          latest = null
          await wait
        }
        // What is no record may be anything.
        const { sourcePartition, sourceOffset } = (input as SourceRecordInput | null | undefined) ?? NO_POSITION
        if (!isPosition(sourcePartition) || !isPosition(sourceOffset)) continue
        // Of one source partition only the last position of a unit counts: most sources give the same object each time.
        if (latest !== null && latest.partition !== sourcePartition) positions.note(unit, latest.partition, latest.offset)
        latest = { partition: sourcePartition, offset: sourceOffset }
      }
    } finally {
      if (latest !== null) positions.note(unit, latest.partition, latest.offset)
      this.#send(unit, shipment)
    }
    return index
  }

  /** No more of what comes back is judged: the producer is being closed. */
  close(): void {
    this.#isClosed = true
  }

  /** Adds what becomes of a record; a promise only where something has to be waited for. */
  #add(input: SourceRecordInput, shipment: Shipment): Promise<void> | undefined {
    let record: SourceRecord | null = null
    try {
      this.#cursor.step = this.#pollStep
      record = sourceRecord(input)
      const converted = this.#convert(record)
      if (converted === null) return undefined
      if (converted instanceof Promise) return this.#addLater(converted, record, shipment)
      if (converted.topic === this.#latestTopic) {
        shipment.add(converted, record)
        return undefined
      }
      return this.#addOfTopic(converted, record, shipment)
    } catch (error) {
      return this.#recover(error, record ?? rawRecord(input), record === null ? null : shipment)
    }
  }

  #convert(record: SourceRecord): ProducerRecord | Promise<ProducerRecord> | null {
    const { chain, conversion } = this.#parts
    const transformed = chain.isEmpty ? record : chain.apply(record, this.#cursor)
    return transformed === null ? null : conversion.toBytes(transformed, this.#cursor)
  }

  async #addLater(pending: Promise<ProducerRecord>, record: SourceRecord, shipment: Shipment): Promise<void> {
    let converted: ProducerRecord
    try {
      converted = await pending
    } catch (error) {
      return this.#recover(error, record, shipment)
    }
    await this.#addOfTopic(converted, record, shipment)
  }

  /** `shipment` null: the source gave no record, trying again makes none of it. */
  async #recover(error: unknown, record: SourceRecord, shipment: Shipment | null): Promise<void> {
    const { tolerance } = this.#parts
    if (shipment === null) {
      tolerance.skip(record, error, this.#cursor.step)
      return
    }
    const converted = await tolerance.recover(record, error, this.#cursor, () => this.#convert(record))
    if (converted !== null) await this.#addOfTopic(converted, record, shipment)
  }

  async #addOfTopic(converted: ProducerRecord, record: SourceRecord, shipment: Shipment): Promise<void> {
    const { topic } = converted
    if (!this.#topics.has(topic)) {
      await this.#parts.onNewTopic(topic)
      this.#topics.add(topic)
    }
    this.#latestTopic = topic
    shipment.add(converted, record)
  }

  #send(unit: Unit, shipment: Shipment): void {
    const { producer } = this.#parts
    const { count, sizeBytes } = shipment
    if (count === 0) {
      this.#acknowledge(unit)
      return
    }
    this.#pendingCount += count
    this.#pendingBytes += sizeBytes
    const settle = (): void => {
      this.#pendingCount -= count
      this.#pendingBytes -= sizeBytes
    }
    producer.sendBatch(shipment.takeRecords()).then(
      () => {
        settle()
        this.#acknowledge(unit)
      },
      (error: unknown) => {
        if (this.#isClosed) return
        settle()
        this.#judge(error, unit, shipment)
      },
    )
  }

  #acknowledge(unit: Unit): void {
    this.#parts.positions.acknowledge(unit)
    this.#parts.onProgress()
  }

  /** A producer's failure: a record that is refused for good is tolerated or not; anything else is no fault of the record. */
  #judge(error: unknown, unit: Unit, { sources }: Shipment): void {
    try {
      const failures = error instanceof SendBatchError ? error.failures : [{ index: 0, error }]
      for (const failure of failures) {
        const record = sources[failure.index] as SourceRecord
        if (!isRefusal(failure.error)) {
          throw told(
            failure.error,
            `record ${sourcePlace(record)} to topic ${record.topic} was given up by the producer; see producer.override.*`,
          )
        }
        this.#parts.tolerance.skip(record, failure.error, this.#produceStep)
      }
      this.#acknowledge(unit)
    } catch (failure) {
      this.#parts.onFailure(failure)
    }
  }
}

/**
 * Records that become a unit. Until it is acknowledged nothing is kept of them but what a report on a refused one would tell: what is held
 * that long is copied by the garbage collector, which costs as much as making it.
 */
class Shipment {
  /** Where each came from. */
  readonly sources: SourceRecord[] = []
  sizeBytes = 0
  #records: ProducerRecord[] = []
  readonly #isTellingMessages: boolean

  constructor(isTellingMessages: boolean) {
    this.#isTellingMessages = isTellingMessages
  }

  get count(): number {
    return this.sources.length
  }

  add(record: ProducerRecord, source: SourceRecord): void {
    this.#records.push(record)
    this.sources.push(this.#isTellingMessages ? source : placeOnly(source))
    this.sizeBytes += RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0)
    for (const { key, value } of record.headers ?? []) this.sizeBytes += key.length + (value?.length ?? 0)
  }

  /** Hands them over. */
  takeRecords(): readonly ProducerRecord[] {
    const records = this.#records
    this.#records = []
    return records
  }
}

/** A record without what it says. */
function placeOnly({ topic, partition, timestampMs, sourcePartition, sourceOffset }: SourceRecord): SourceRecord {
  const nothing = { keySchema: null, key: null, valueSchema: null, value: null, headers: NO_HEADERS }
  return { topic, partition, timestampMs, sourcePartition, sourceOffset, ...nothing }
}

/** A broker has said no to the record itself; a time-out or a closed client says nothing about it. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof ClientError) && !(error as { retriable?: boolean }).retriable
}

/** A position that an unusable record still may have. */
function isPosition<T extends object>(value: T | null | undefined): value is T {
  return typeof value === 'object' && value !== null
}

/** What was yielded, as far as it can be told, for the report on it. */
function rawRecord(input: SourceRecordInput): SourceRecord {
  const given = (typeof input === 'object' && input !== null ? input : {}) as Partial<SourceRecordInput>
  return {
    topic: String(given.topic),
    partition: null,
    keySchema: null,
    key: null,
    valueSchema: null,
    value: null,
    timestampMs: null,
    headers: NO_HEADERS,
    sourcePartition: given.sourcePartition ?? null,
    sourceOffset: given.sourceOffset ?? null,
  }
}
