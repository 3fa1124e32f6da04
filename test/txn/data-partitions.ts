/**
 * @module test/txn/data-partitions — partitions that transactions write to, as small as they can be: batches with the name of their transaction, markers,
 * and Kafka's rules of who may append (epochs, verification guards, coordinator epochs).
 */
import type { Marker } from '../../hub/log/index.ts'
import type { MarkerWriter, TopicPartition } from '../../hub/txn/index.ts'
import { ErrorCode } from '../../hub/wire/index.ts'

type Entry =
  | { readonly kind: 'data'; readonly producerId: number; readonly producerEpoch: number; readonly tag: string }
  | { readonly kind: 'marker'; readonly producerId: number; readonly producerEpoch: number; readonly isCommit: boolean }

interface Producer {
  producerEpoch: number
  coordinatorEpoch: number
  isOpen: boolean
  markerCount: number
}

/** What became of a transaction in one partition. */
export type Outcome = 'commit' | 'abort' | 'open'

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

export class DataPartitions {
  readonly #entries = new Map<string, Entry[]>()
  readonly #producers = new Map<string, Producer>()
  /** Error codes that partitions answer to markers. */
  readonly refusing = new Map<string, number>()
  /** Markers asked for so far. */
  readonly asked: { readonly name: string; readonly marker: Marker }[] = []

  /** A way to write markers that can be cut, as when its process is killed. */
  writer(): MarkerWriter & { cut(): void } {
    let isCut = false
    return {
      cut: () => {
        isCut = true
      },
      write: (partition, marker) => (isCut ? new Promise<number>(() => {}) : Promise.resolve(this.#mark(nameOf(partition), marker))),
    }
  }

  /** As PartitionLog.beginVerification; the guard is a number. */
  begin(partition: TopicPartition, producerId: number, producerEpoch: number): number | undefined {
    const producer = this.#producerOf(nameOf(partition), producerId)
    if (producer.isOpen && producer.producerEpoch === producerEpoch) return undefined
    return producer.markerCount
  }

  append(partition: TopicPartition, producerId: number, producerEpoch: number, tag: string, guard: number | undefined): number {
    const name = nameOf(partition)
    const producer = this.#producerOf(name, producerId)
    if (producerEpoch < producer.producerEpoch) return ErrorCode.INVALID_PRODUCER_EPOCH
    if (!producer.isOpen && guard !== producer.markerCount) return ErrorCode.INVALID_TXN_STATE
    producer.producerEpoch = producerEpoch
    producer.isOpen = true
    this.#log(name).push({ kind: 'data', producerId, producerEpoch, tag })
    return ErrorCode.NONE
  }

  /** By transaction, what its batches came to in each partition. */
  outcomes(): Map<string, Set<Outcome>> {
    const outcomes = new Map<string, Set<Outcome>>()
    for (const log of this.#entries.values()) {
      for (const [at, entry] of log.entries()) {
        if (entry.kind !== 'data') continue
        const marker = log.slice(at).find((later) => later.kind === 'marker' && later.producerId === entry.producerId)
        const outcome = marker?.kind !== 'marker' ? 'open' : marker.isCommit ? 'commit' : 'abort'
        outcomes.set(entry.tag, (outcomes.get(entry.tag) ?? new Set()).add(outcome))
      }
    }
    return outcomes
  }

  #mark(name: string, { producerId, producerEpoch, coordinatorEpoch, isCommit, transactionVersion }: Marker): number {
    this.asked.push({ name, marker: { producerId, producerEpoch, coordinatorEpoch, isCommit, transactionVersion } })
    const refusal = this.refusing.get(name)
    if (refusal !== undefined) return refusal
    const producer = this.#producerOf(name, producerId)
    const isOld =
      transactionVersion === 2 && producer.isOpen ? producerEpoch <= producer.producerEpoch : producerEpoch < producer.producerEpoch
    if (isOld) return ErrorCode.INVALID_PRODUCER_EPOCH
    if (coordinatorEpoch < producer.coordinatorEpoch) return ErrorCode.TRANSACTION_COORDINATOR_FENCED
    Object.assign(producer, { producerEpoch, coordinatorEpoch, isOpen: false, markerCount: producer.markerCount + 1 })
    this.#log(name).push({ kind: 'marker', producerId, producerEpoch, isCommit })
    return ErrorCode.NONE
  }

  #log(name: string): Entry[] {
    const log = this.#entries.get(name) ?? []
    this.#entries.set(name, log)
    return log
  }

  #producerOf(name: string, producerId: number): Producer {
    const key = `${name}/${producerId}`
    const producer = this.#producers.get(key) ?? { producerEpoch: -1, coordinatorEpoch: -1, isOpen: false, markerCount: 0 }
    this.#producers.set(key, producer)
    return producer
  }
}
