/** @module client/producer-options — what a producer can be told. */
import { ClientError } from './errors.ts'
import { checkNumbers, type ClientOptions, defined, resolveClientOptions, type ResolvedClientOptions } from './options.ts'

/** How a batch is packed. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Options of {@link createProducer}; the Kafka key of each stands beside it. */
export interface ProducerOptions extends ClientOptions {
  /** acks: `all` waits for every in-sync replica, 1 for the leader, 0 for nothing. Below `all` idempotence is off. */
  readonly acks?: 0 | 1 | 'all'
  /** enable.idempotence: no duplicates and no reordering within a partition over retries. Default true with acks `all`. */
  readonly idempotence?: boolean
  /**
   * transactional.id: makes it a transactional producer, of which there is one at a time with this id: the newest (KIP-98). Only for
   * createTransactionalProducer.
   */
  readonly transactionalId?: string
  /** transaction.timeout.ms: a transaction that is open for so long is aborted by the broker. */
  readonly transactionTimeoutMs?: number
  /** linger.ms: how long a batch that is not full waits for more. */
  readonly lingerMs?: number
  /** batch.size: bytes at which a batch is sent without waiting, before compression. 0 makes every record a batch. */
  readonly batchSizeBytes?: number
  /** compression.type */
  readonly compression?: Compression
  /** compression.gzip.level, compression.lz4.level or compression.zstd.level, whichever goes with `compression`. */
  readonly compressionLevel?: number
  /** max.request.size: bytes of one record and of one request, before compression. */
  readonly requestBytesMax?: number
  /** buffer.memory: bytes of records that are not delivered yet; beyond it sending waits. */
  readonly bufferMemoryBytes?: number
  /** max.block.ms: how long sending waits for metadata or for room in the buffer. */
  readonly blockMsMax?: number
  /** delivery.timeout.ms: a record that is not acknowledged so long after it was taken fails. */
  readonly deliveryTimeoutMs?: number
  /** retries: attempts after the first one, within deliveryTimeoutMs. */
  readonly retriesMax?: number
  /** partitioner.ignore.keys: spread records with a key like those without. */
  readonly ignoreKeys?: boolean
}

/** Defaults of {@link ProducerOptions}: Kafka 4's. */
export const PRODUCER_DEFAULTS = {
  acks: 'all',
  transactionalId: '',
  transactionTimeoutMs: 60_000,
  lingerMs: 5,
  batchSizeBytes: 16_384,
  compression: 'none',
  requestBytesMax: 1_048_576,
  bufferMemoryBytes: 33_554_432,
  blockMsMax: 60_000,
  deliveryTimeoutMs: 120_000,
  retriesMax: 2_147_483_647,
  ignoreKeys: false,
} as const

/** Batches of one partition that a broker remembers to tell duplicates by: more must not be in flight. */
export const IDEMPOTENT_IN_FLIGHT_MAX = 5

/** Options with nothing left out (but the level, which each codec has its own default for). */
export interface ResolvedProducerOptions
  extends ResolvedClientOptions,
    Required<Omit<ProducerOptions, keyof ClientOptions | 'compressionLevel'>> {
  readonly compressionLevel: number | undefined
}

/** Fills in the defaults. Throws a ClientError of kind `config` for options that contradict each other. */
export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  const given = defined(options)
  const acks = given.acks ?? PRODUCER_DEFAULTS.acks
  const resolved = {
    compressionLevel: undefined,
    ...PRODUCER_DEFAULTS,
    idempotence: acks === 'all' && (given.retriesMax ?? 1) > 0 && (given.inFlightRequestsMax ?? 1) <= IDEMPOTENT_IN_FLIGHT_MAX,
    ...given,
    ...resolveClientOptions(options),
  }
  checkNumbers({ ...resolved, compressionLevel: undefined })
  const conflict = conflictOf(resolved, options.idempotence === true)
  if (conflict !== null) throw new ClientError('config', conflict)
  return resolved
}

function conflictOf(options: ResolvedProducerOptions, insists: boolean): string | null {
  if (insists && options.acks !== 'all') return 'enable.idempotence needs acks=all'
  if (insists && options.retriesMax === 0) return 'enable.idempotence needs retries above 0'
  if (insists && options.inFlightRequestsMax > IDEMPOTENT_IN_FLIGHT_MAX) {
    return `enable.idempotence allows at most ${IDEMPOTENT_IN_FLIGHT_MAX} max.in.flight.requests.per.connection`
  }
  if (options.transactionalId !== '' && !options.idempotence) return 'transactional.id needs enable.idempotence'
  if (options.inFlightRequestsMax < 1) return 'max.in.flight.requests.per.connection must be at least 1'
  if (options.deliveryTimeoutMs < options.lingerMs + options.requestTimeoutMs) {
    return 'delivery.timeout.ms must be at least linger.ms + request.timeout.ms'
  }
  return null
}
