/**
 * A transaction coordinator and partition leader by script, in either generation of the protocol: transactions live and die by the rules of
 * KIP-98 and KIP-890, markers are written as soon as a transaction ends, and a test can let any answer go astray.
 */
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  ApiVersions,
  apis,
  batchHeader,
  decodeRecords,
  EndTxn,
  ErrorCode,
  FindCoordinator,
  InitProducerId,
  Produce,
  recordsBuffer,
  TxnOffsetCommit,
} from '../../hub/wire/index.ts'
import { type ScriptedPeer, topicNameOf } from './scripted-peer.ts'

/** What becomes of a request: done and answered; done, but the connection breaks; not done, and it breaks; refused with a code. */
export type Fate = 'answered' | 'answer lost' | 'request lost' | number

interface LogEntry {
  readonly producerId: number
  readonly epoch: number
  readonly value: string
  /** Undefined while its transaction is open. */
  committed?: boolean
}

export interface ScriptedTransactions {
  /** By partition: values of committed transactions, in order. */
  committed(partition: number): string[]
  /** Values of transactions that nobody has ended. */
  open(): string[]
  readonly offsets: Map<string, number>
  readonly identity: { readonly producerId: number; readonly epoch: number }
  /** Puts the producer out, as another one with its id would. */
  fence(): void
  /** Aborts what is open, as the coordinator does when the time is up. */
  expire(): void
}

export function scriptTransactions(
  peer: ScriptedPeer,
  generation: 1 | 2,
  fate: (api: string) => Fate = () => 'answered',
): ScriptedTransactions {
  const port = Number(peer.bootstrap.split(':')[1])
  const logs = [0, 1].map((): { entries: LogEntry[]; epoch: number; next: number; offset: number } => ({
    entries: [],
    epoch: -1,
    next: 0,
    offset: 0,
  }))
  const offsets = new Map<string, number>()
  const pendingOffsets = new Map<string, number>()
  let identity = { producerId: 7, epoch: -1 }
  let isOngoing = false
  let last: { epoch: number; committed: boolean } | null = null
  const enrolled = new Set<number>()

  function end(committed: boolean): void {
    for (const { entries } of logs) for (const entry of entries) entry.committed ??= committed
    if (committed) for (const [key, offset] of pendingOffsets) offsets.set(key, offset)
    pendingOffsets.clear()
    enrolled.clear()
    isOngoing = false
  }

  /** Carries a request out as its fate has it. */
  function play<P>(api: string, refused: (code: number) => P, done: () => P): P | 'cut' {
    const what = fate(api)
    if (typeof what === 'number') return refused(what)
    if (what === 'request lost') return 'cut'
    const answer = done()
    return what === 'answer lost' ? 'cut' : answer
  }

  const codeFor = (producerId: number, epoch: number): number =>
    producerId === identity.producerId && epoch === identity.epoch ? 0 : ErrorCode.PRODUCER_FENCED

  peer.on(ApiVersions, () => ({
    errorCode: 0,
    apiKeys: [...apis.values()].map(({ key, versions }) => ({ apiKey: key, minVersion: versions.min, maxVersion: versions.max })),
    finalizedFeaturesEpoch: 1,
    finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: generation, minVersionLevel: generation }],
  }))
  peer.on(FindCoordinator, ({ coordinatorKeys }) =>
    play(
      'FindCoordinator',
      (errorCode) => ({
        coordinators: coordinatorKeys.map((key) => ({ key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: null })),
      }),
      () => ({
        coordinators: coordinatorKeys.map((key) => ({ key, nodeId: 1, host: '127.0.0.1', port, errorCode: 0, errorMessage: null })),
      }),
    ),
  )
  peer.on(InitProducerId, ({ producerId, producerEpoch }) =>
    play(
      'InitProducerId',
      (errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }),
      () => {
        const isRepeat = producerId === identity.producerId && producerEpoch === identity.epoch - 1
        if (producerId >= 0 && !isRepeat && codeFor(producerId, producerEpoch) !== 0) {
          return { throttleTimeMs: 0, errorCode: ErrorCode.PRODUCER_FENCED, producerId: -1, producerEpoch: -1 }
        }
        if (isOngoing) end(false)
        if (!isRepeat) identity = { ...identity, epoch: identity.epoch + 1 }
        return { throttleTimeMs: 0, errorCode: 0, producerId: identity.producerId, producerEpoch: identity.epoch }
      },
    ),
  )
  peer.on(AddPartitionsToTxn, ({ v3AndBelowProducerId, v3AndBelowProducerEpoch, v3AndBelowTopics }) => {
    const all = (errorCode: number) => ({
      throttleTimeMs: 0,
      resultsByTransaction: [],
      resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
      })),
    })
    return play('AddPartitionsToTxn', all, () => {
      const code = codeFor(v3AndBelowProducerId, v3AndBelowProducerEpoch)
      if (code !== 0) return all(code)
      isOngoing = true
      for (const { partitions } of v3AndBelowTopics) for (const partition of partitions) enrolled.add(partition)
      return all(0)
    })
  })
  peer.on(AddOffsetsToTxn, ({ producerId, producerEpoch }) =>
    play(
      'AddOffsetsToTxn',
      (errorCode) => ({ throttleTimeMs: 0, errorCode }),
      () => {
        const errorCode = codeFor(producerId, producerEpoch)
        if (errorCode === 0) isOngoing = true
        return { throttleTimeMs: 0, errorCode }
      },
    ),
  )
  peer.on(TxnOffsetCommit, ({ producerId, producerEpoch, topics }, version) => {
    const all = (errorCode: number) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    })
    return play('TxnOffsetCommit', all, () => {
      const code = codeFor(producerId, producerEpoch)
      if (code !== 0) return all(code)
      if (version >= 5 && generation === 2) isOngoing = true
      if (!isOngoing) return all(ErrorCode.INVALID_TXN_STATE)
      for (const { name, partitions } of topics) {
        for (const { partitionIndex, committedOffset } of partitions) pendingOffsets.set(`${name}-${partitionIndex}`, committedOffset)
      }
      return all(0)
    })
  })
  peer.on(EndTxn, ({ producerId, producerEpoch, committed }, version) =>
    play(
      'EndTxn',
      (errorCode) => ({ throttleTimeMs: 0, errorCode }),
      () => {
        const done = () => ({ throttleTimeMs: 0, errorCode: 0, producerId: identity.producerId, producerEpoch: identity.epoch })
        const isRepeat = last?.epoch === producerEpoch && last.committed === committed && !isOngoing
        if (version >= 5) {
          if (isRepeat && producerEpoch === identity.epoch - 1) return done()
          const errorCode = codeFor(producerId, producerEpoch)
          if (errorCode !== 0) return { throttleTimeMs: 0, errorCode }
          if (!isOngoing && committed) return { throttleTimeMs: 0, errorCode: ErrorCode.INVALID_TXN_STATE }
          end(committed)
          last = { epoch: producerEpoch, committed }
          identity = { ...identity, epoch: identity.epoch + 1 }
          return done()
        }
        const errorCode = codeFor(producerId, producerEpoch)
        if (errorCode !== 0) return { throttleTimeMs: 0, errorCode }
        if (!isOngoing) return { throttleTimeMs: 0, errorCode: isRepeat ? 0 : ErrorCode.INVALID_TXN_STATE }
        end(committed)
        last = { epoch: producerEpoch, committed }
        return { throttleTimeMs: 0, errorCode: 0 }
      },
    ),
  )
  peer.on(Produce, ({ topicData, transactionalId }, version) => {
    const answer = (outcome: (index: number, records: Buffer) => { errorCode: number; baseOffset: number }) => ({
      responses: topicData.map(({ topicId, name, partitionData }) => ({
        ...(version >= 13 ? { topicId } : { name: name || topicNameOf(topicId) }),
        partitionResponses: partitionData.map(({ index, records }) => ({
          index,
          ...outcome(index, recordsBuffer(records) ?? Buffer.alloc(0)),
        })),
      })),
    })
    return play(
      'Produce',
      (errorCode) => answer(() => ({ errorCode, baseOffset: -1 })),
      () =>
        answer((index, records) => {
          const refuse = (errorCode: number) => ({ errorCode, baseOffset: -1 })
          const log = logs[index]
          const epoch = batchHeader.producerEpoch(records, 0)
          if (log === undefined || transactionalId === null || !batchHeader.isTransactional(records, 0))
            return refuse(ErrorCode.INVALID_REQUEST)
          if (epoch !== identity.epoch) return refuse(ErrorCode.INVALID_PRODUCER_EPOCH)
          const base = batchHeader.baseSequence(records, 0)
          const isNewEpoch = epoch > log.epoch
          if (!isNewEpoch && base < log.next) return refuse(ErrorCode.DUPLICATE_SEQUENCE_NUMBER)
          if (base !== (isNewEpoch ? 0 : log.next)) return refuse(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
          if (generation === 2) isOngoing = true
          else if (!enrolled.has(index)) return refuse(ErrorCode.INVALID_TXN_STATE)
          const baseOffset = log.offset
          for (const { value } of decodeRecords(records, 0)) {
            log.entries.push({ producerId: identity.producerId, epoch, value: String(value) })
            log.offset++
          }
          log.epoch = epoch
          log.next = batchHeader.lastSequence(records, 0) + 1
          return { errorCode: 0, baseOffset }
        }),
    )
  })

  return {
    committed: (partition) => (logs[partition]?.entries ?? []).filter((entry) => entry.committed === true).map(({ value }) => value),
    open: () => logs.flatMap(({ entries }) => entries.filter((entry) => entry.committed === undefined).map(({ value }) => value)),
    offsets,
    get identity() {
      return identity
    },
    fence: () => {
      if (isOngoing) end(false)
      identity = { ...identity, epoch: identity.epoch + 1 }
    },
    expire: () => {
      if (isOngoing) end(false)
      identity = { ...identity, epoch: identity.epoch + 1 }
    },
  }
}
