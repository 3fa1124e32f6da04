/**
 * @module cluster/controller — the shell around the decisions: one queue of batches in the metadata log, images that follow its commits.
 *
 * A request is decided at once, on the image that has everything decided before it, and its batch is appended at once; so requests that
 * come together share the log's next sync. The image in force follows the commits, and answers are given once what they rest on is
 * committed, a refusal included ("already exists" would else speak of a topic that a crash may still take back).
 */
import type { Random } from '../io/index.ts'
import type { MetadataLog, Proposal } from '../raft/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { decideAlterConfigs, decideReplaceConfigs } from './alter-configs.ts'
import { bootstrapRecords } from './bootstrap.ts'
import { decideCreatePartitions } from './create-partitions.ts'
import { decideCreateTopics } from './create-topics.ts'
import type { Circumstances, ClusterSettings, Decision } from './decision.ts'
import { decideDeleteTopics } from './delete-topics.ts'
import { decideElectLeaders } from './elect-leaders.ts'
import { METADATA_VERSION } from './features.ts'
import { type ClusterImage, emptyImage } from './image.ts'
import { type ClusterLimits, clusterLimits } from './limits.ts'
import { decideProducerIds } from './producer-ids.ts'
import { decideReassignments } from './reassignments.ts'
import { applyRecords } from './records.ts'
import { type BrokerFacts, leadershipRecords, registrationRecord } from './register-broker.ts'
import { decideScramCredentials } from './scram.ts'
import { snapshotRecords } from './snapshot-records.ts'
import type { Controller, MetadataImage, Outcome, QuorumFacts } from './types.ts'
import { decideUnregisterBroker } from './unregister-broker.ts'
import { decideUpdateFeatures } from './update-features.ts'

export interface ControllerOptions {
  /** Opened, not yet replayed. The controller owns it from now on. */
  readonly metadataLog: MetadataLog
  readonly clusterId: string
  /** This node, with the listeners that are open: they are what clients will be told. */
  readonly broker: BrokerFacts
  readonly settings: ClusterSettings
  readonly random: Random
  readonly limits?: Partial<ClusterLimits>
}

/**
 * Replays the log, takes over as leader, writes the bootstrap records into an empty log, registers this broker and makes it leader of
 * its partitions. Resolves when all of that is committed. Rejects with UnusableRecordError or MetadataLogError when the log is of no
 * use here, and with the storage's errors.
 */
export async function openController(options: ControllerOptions): Promise<Controller> {
  const { broker, clusterId, metadataLog, settings } = options
  let image = emptyImage(clusterId, broker.nodeId)
  for await (const batch of metadataLog.replay()) image = applyRecords(image, batch.records, batch)
  await metadataLog.start()
  const controller = new LogController(options, image)
  const proposals: Promise<void>[] = []
  if (!image.features.has(METADATA_VERSION)) proposals.push(controller.submit(bootstrapRecords(settings)))
  proposals.push(controller.submit([registrationRecord(controller.circumstances, broker, metadataLog.endOffset)]))
  for (const records of batched(leadershipRecords(controller.circumstances), controller.limits.batchRecordsMax)) {
    proposals.push(controller.submit(records))
  }
  await Promise.all(proposals)
  return controller
}

function* batched(records: Iterable<Buffer>, countMax: number): Generator<Buffer[]> {
  let batch: Buffer[] = []
  for (const record of records) {
    batch.push(record)
    if (batch.length < countMax) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The metadata log took nothing, or lost what it had taken. */
class NotCommittedError extends Error {
  override readonly name = 'NotCommittedError'
  readonly errorCode: number
  constructor(errorCode: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.errorCode = errorCode
  }
}

class LogController implements Controller {
  readonly limits: ClusterLimits
  readonly #options: ControllerOptions
  readonly #log: MetadataLog
  readonly #listeners = new Set<(image: MetadataImage, previous: MetadataImage) => void>()
  /** In force: everything in it is committed. */
  #image: ClusterImage
  /** Images behind the one in force, a batch further each, that wait for their commit. */
  #pending: ClusterImage[] = []
  /** Settles when the last batch has been committed or lost; whoever submitted it has its error. */
  #lastCommit: Promise<void> = Promise.resolve()
  /** End of the log behind the last batch of ours. */
  #endOffset: number

  constructor(options: ControllerOptions, image: ClusterImage) {
    this.#options = options
    this.limits = { ...clusterLimits, ...options.limits }
    this.#log = options.metadataLog
    this.#image = image
    this.#endOffset = this.#log.endOffset
    this.#log.onCommit(({ highWatermark }) => this.#commit(highWatermark))
    this.#log.snapshotFrom(() => {
      const { offset, epoch, timestampMs } = this.#image
      return { offset, epoch, timestampMs, records: snapshotRecords(this.#image) }
    })
  }

  get image(): MetadataImage {
    return this.#image
  }

  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  createTopics: Controller['createTopics'] = (specs, { validateOnly }) =>
    this.#answer((circumstances) => decideCreateTopics(circumstances, specs), validateOnly)

  deleteTopics: Controller['deleteTopics'] = (topics) => this.#answer((circumstances) => decideDeleteTopics(circumstances, topics), false)

  createPartitions: Controller['createPartitions'] = (specs, { validateOnly }) =>
    this.#answer((circumstances) => decideCreatePartitions(circumstances, specs), validateOnly)

  incrementalAlterConfigs: Controller['incrementalAlterConfigs'] = (changes, { validateOnly }) =>
    this.#answer((circumstances) => decideAlterConfigs(circumstances, changes), validateOnly)

  replaceConfigs: Controller['replaceConfigs'] = (replacements, { validateOnly }) =>
    this.#answer((circumstances) => decideReplaceConfigs(circumstances, replacements), validateOnly)

  electLeaders: Controller['electLeaders'] = (type, partitions) =>
    this.#answer((circumstances) => decideElectLeaders(circumstances, type, partitions), false)

  reassignPartitions: Controller['reassignPartitions'] = (specs, options) =>
    this.#answer((circumstances) => decideReassignments(circumstances, specs, options), false)

  async updateFeatures(updates: Parameters<Controller['updateFeatures']>[0], { validateOnly }: { readonly validateOnly: boolean }) {
    const [outcome] = await this.#answer((circumstances) => decideUpdateFeatures(circumstances, updates), validateOnly)
    return outcome as Outcome
  }

  async unregisterBroker(brokerId: number): Promise<Outcome> {
    const [outcome] = await this.#answer((circumstances) => decideUnregisterBroker(circumstances, brokerId), false)
    return outcome as Outcome
  }

  alterScramCredentials: Controller['alterScramCredentials'] = (alterations) =>
    this.#answer((circumstances) => decideScramCredentials(circumstances, alterations), false)

  quorum(): QuorumFacts {
    const { leaderId, epoch, highWatermark, endOffset } = this.#log
    return { leaderId, leaderEpoch: epoch, highWatermark, logEndOffset: endOffset }
  }

  async allocateProducerIds(count: number): Promise<{ readonly first: number; readonly count: number }> {
    const { records, outcomes } = decideProducerIds(this.circumstances, count)
    await this.submit(records)
    return outcomes[0] as { readonly first: number; readonly count: number }
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  /** What a decision may look at now. */
  get circumstances(): Circumstances {
    const { broker, random, settings } = this.#options
    this.#dropLost()
    return {
      image: this.#pending.at(-1) ?? this.#image,
      nodeId: broker.nodeId,
      settings,
      limits: this.limits,
      newId: () => random.uuid(),
      randomFloat: () => random.float(),
    }
  }

  /** Appends one batch; resolves when it is committed and its image is in force. Rejects with NotCommittedError. */
  submit(records: readonly Buffer[]): Promise<void> {
    const { image } = this.circumstances
    const proposal = this.#log.append(records)
    if (proposal.kind === 'refused') return Promise.reject(new NotCommittedError(proposal.errorCode, proposal.message))
    this.#pending.push(applyRecords(image, records, proposal))
    this.#endOffset = this.#log.endOffset
    this.#lastCommit = committed(proposal)
    return this.#lastCommit
  }

  async #answer<T extends Outcome>(decide: (circumstances: Circumstances) => Decision<T>, validateOnly: boolean): Promise<T[]> {
    const { records, outcomes } = decide(this.circumstances)
    try {
      if (records.length > 0 && !validateOnly) await this.submit(records)
      else if (this.#pending.length > 0) await this.#lastCommit
      return [...outcomes]
    } catch (error) {
      if (!(error instanceof NotCommittedError)) throw error
      const { errorCode, message } = error
      return outcomes.map((outcome) => ({ ...outcome, errorCode, errorMessage: message }))
    }
  }

  #commit(highWatermark: number): void {
    const previous = this.#image
    const image = this.#pending.findLast(({ offset }) => offset < highWatermark)
    if (image === undefined) return
    this.#image = image
    this.#pending = this.#pending.filter(({ offset }) => offset >= highWatermark)
    for (const listener of this.#listeners) listener(image, previous)
  }

  /** A full device takes back batches that it could not write: what was decided with them never was. */
  #dropLost(): void {
    const endOffset = this.#log.endOffset
    if (endOffset === this.#endOffset) return
    this.#pending = this.#pending.filter((image) => image.offset < endOffset)
    this.#endOffset = endOffset
  }
}

async function committed(proposal: Proposal): Promise<void> {
  try {
    await proposal.committed
  } catch (error) {
    throw new NotCommittedError(ErrorCode.KAFKA_STORAGE_ERROR, 'The metadata log could not be written.', error)
  }
}
