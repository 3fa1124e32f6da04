/**
 * @module broker — opens what a broker stands on: its directory, its metadata log, its partitions and groups. Part of hub.ts.
 */
import { hostname } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { AnswerBudget, type Broker, type ConfigInForce, createDispatcher, FetchSessions, markerWriter } from './api/index.ts'
import { brokerMetrics } from './broker-metrics.ts'
import { type BrokerFacts, type Controller, type MetadataImage, openController } from './cluster/index.ts'
import { type BrokerConfig, brokerConfigInForce, ConfigError, type HubConfig, resolveTopicConfig } from './config/index.ts'
import { consumerWorld, createGroupCoordinator, groupConfig } from './group/index.ts'
import { groupMetrics } from './group-metrics.ts'
import { type HubHealth, healthWatch } from './health.ts'
import { type Disk, memoryDisk, type World } from './io/index.ts'
import { type CleanerSettings, type LogDirectory, openLogDirectory } from './log/index.ts'
import type { Logger, Registry } from './observe/index.ts'
import { METADATA_TOPIC, openMetadataLog } from './raft/index.ts'
import { createStateTopic, Partitions, RisingMark } from './replica/index.ts'
import { requestMetrics } from './request-metrics.ts'
import { type ConnectionLimits, defaultServerLimits, Server, type ServerLimits } from './server/index.ts'
import { StartError } from './start-error.ts'
import {
  createTransactionCoordinator,
  type MarkerWriter,
  producerIdSource,
  type TransactionCoordinator,
  transactionConfig,
} from './txn/index.ts'
import { coordinatorPartition } from './wire/index.ts'

/** The four ports to the outside, and where the hub tells what happens. */
export type HubWorld = World & { readonly logger: Logger }

/** A broker that serves. */
export interface RunningBroker {
  readonly server: Server
  readonly clusterId: string
  health(): HubHealth
}

/** Where logs are kept when all stays in memory. */
const MEMORY_DIRECTORY = '/data'
const TRANSACTION_TOPIC = '__transaction_state'
const NO_VALUES: ReadonlyMap<string, string> = new Map()
/** The protocol's number of PLAINTEXT, the only one of this version. */
const PLAINTEXT = 0

/** Binds the listeners, opens what lies behind them, and serves. What it opened is closed by `opened`. */
export async function startBroker(
  config: HubConfig,
  world: HubWorld,
  opened: AsyncDisposableStack,
  registry: Registry,
): Promise<RunningBroker> {
  const { clock, net, random, logger } = world
  const disk = config.isInMemory
    ? memoryDisk({ crashable: false, directories: [MEMORY_DIRECTORY], nowMs: () => clock.nowMs() })
    : world.disk
  const server = new Server({ net, clock, logger: logger.named('millrace.server'), limits: serverLimits(config) })
  opened.defer(() => server.stop())
  await server.bind(config.listeners.filter(({ isController }) => !isController))
  const directory = await openDirectory(config, world, disk, opened)
  const quorum = { nodeId: config.nodeId, voterIds: [config.nodeId], limits: metadataLogLimits(config) }
  const metadataLog = await openMetadataLog({ ...quorum, logDirectory: directory, clock, disk, logger: logger.named('millrace.raft') })
  const controller = await openController({
    metadataLog,
    clusterId: directory.identity.clusterId,
    broker: brokerFacts(config, server, directory),
    settings: {
      partitionCount: config.broker['num.partitions'],
      replicationFactor: config.broker['default.replication.factor'],
      replicationFactorSet: config.given.has('default.replication.factor'),
      minInsyncReplicas: config.broker['min.insync.replicas'],
      given: config.given,
    },
    random,
  })
  opened.defer(() => controller.close())
  const broker = await openBroker({ config, world, disk, directory, controller, opened })
  followSettings(broker, server, opened)
  const slowRequestMs = (): number => broker.config().brokerConfig['millrace.log.slow.request.ms']
  server.start(createDispatcher(broker), requestMetrics({ registry, clock, logger, slowRequestMs }))
  opened.defer(async () => {
    // Nobody new; then whoever waits is answered, by the fetches and by the groups, so that the connections can end.
    broker.stopping.raise(1)
    await Promise.all([server.stop(), broker.groups.close(), broker.transactions.close()])
  })
  const { nodeId, partitions } = broker
  const minInsyncReplicasOf = (topic: string): number =>
    Number(
      controller.image.configs.get(`topic:${topic}`)?.get('min.insync.replicas') ?? broker.config().brokerConfig['min.insync.replicas'],
    )
  const transactionMaxTimeoutMs = (): number => broker.config().brokerConfig['transaction.max.timeout.ms']
  brokerMetrics(registry, {
    nodeId,
    clock,
    controller,
    metadataLog,
    directory,
    partitions,
    server,
    minInsyncReplicasOf,
    transactionMaxTimeoutMs,
  })
  groupMetrics(registry, { groups: broker.groups, partitions })
  const health = healthWatch({ clock, directory, metadataLog, partitions })
  opened.defer(() => health.stop())
  return { server, clusterId: directory.identity.clusterId, health: () => health.ask() }
}

/** Settings that may change while the hub runs and that nobody asks for at each use. */
function followSettings(broker: Broker, server: Server, opened: AsyncDisposableStack): void {
  let inForce: BrokerConfig | undefined
  const follow = (): void => {
    const { brokerConfig } = broker.config()
    if (brokerConfig === inForce) return
    inForce = brokerConfig
    server.limitConnections(connectionLimits(brokerConfig))
    broker.directory.configureCleaner(cleanerSettings(brokerConfig))
  }
  follow()
  opened.defer(broker.controller.onImage(follow))
}

function cleanerSettings(broker: BrokerConfig): CleanerSettings {
  return {
    isEnabled: broker['log.cleaner.enable'],
    backoffMs: broker['log.cleaner.backoff.ms'],
    dedupeBufferBytes: broker['log.cleaner.dedupe.buffer.size'],
    loadFactor: broker['log.cleaner.io.buffer.load.factor'],
    ioBytesPerSecondMax: broker['log.cleaner.io.max.bytes.per.second'],
  }
}

function serverLimits({ broker }: HubConfig): ServerLimits {
  const queuedBytes = broker['queued.max.request.bytes']
  return {
    ...defaultServerLimits,
    requestBytesMax: broker['socket.request.max.bytes'],
    ...(queuedBytes > 0 ? { queuedRequestBytesMax: queuedBytes } : {}),
    idleMs: broker['connections.max.idle.ms'],
    ...connectionLimits(broker),
    drainMs: broker['millrace.shutdown.timeout.ms'],
  }
}

function connectionLimits(broker: BrokerConfig): ConnectionLimits {
  return {
    connectionsMax: broker['max.connections'],
    connectionsPerHostMax: broker['max.connections.per.ip'],
    connectionsPerHostOverrides: hostCounts(broker['max.connections.per.ip.overrides']),
  }
}

/** `host:count,host:count` */
function hostCounts(text: string): Map<string, number> {
  const pairs = text.split(',').flatMap((pair) => {
    const colon = pair.lastIndexOf(':')
    return pair.trim() === '' ? [] : [[pair.slice(0, colon).trim(), Number(pair.slice(colon + 1))] as const]
  })
  for (const [host, count] of pairs) {
    if (host !== '' && Number.isInteger(count)) continue
    throw new ConfigError({ key: 'max.connections.per.ip.overrides', value: text, cause: 'is not host:count,…', remedy: 'correct it' })
  }
  return new Map(pairs)
}

function metadataLogLimits({ broker }: HubConfig): NonNullable<Parameters<typeof openMetadataLog>[0]['limits']> {
  return {
    snapshotBytes: broker['metadata.log.max.record.bytes.between.snapshots'],
    snapshotMs: broker['metadata.log.max.snapshot.interval.ms'],
    retentionBytes: broker['metadata.max.retention.bytes'],
    retentionMs: broker['metadata.max.retention.ms'],
    segmentBytes: broker['metadata.log.segment.bytes'],
    segmentMs: broker['metadata.log.segment.ms'],
  }
}

async function openDirectory(config: HubConfig, world: HubWorld, disk: Disk, opened: AsyncDisposableStack): Promise<LogDirectory> {
  const { clock, random } = world
  const logger = world.logger.named('millrace.log')
  const path = config.isInMemory ? MEMORY_DIRECTORY : absolute(config.logDirs[0] ?? '')
  const formatIfEmpty = { clusterId: random.uuid(), nodeId: config.nodeId, directoryId: random.uuid() }
  const limits = {
    retentionCheckMs: config.broker['log.retention.check.interval.ms'],
    producerIdExpirationMs: config.broker['producer.id.expiration.ms'],
    freeBytesMin: config.broker['millrace.disk.free.bytes.min'],
    freeBytesResume: config.broker['millrace.disk.free.bytes.resume'],
  }
  const directory = await openLogDirectory(path, {
    clock,
    disk,
    logger,
    randomFloat: () => random.float(),
    formatIfEmpty,
    limits,
    cleaner: cleanerSettings(config.broker),
  })
  opened.defer(() => directory.close())
  if (directory.identity.nodeId !== config.nodeId) {
    throw new StartError(
      `log directory ${path} belongs to node ${directory.identity.nodeId}, not ${config.nodeId}; set node.id=${directory.identity.nodeId}, or log.dirs to another directory`,
    )
  }
  const partitions = await directory.listPartitions()
  // Without its metadata every log would look like one that nobody claims, and be removed.
  if (partitions.length > 0 && !partitions.some(({ topic }) => topic === METADATA_TOPIC)) {
    throw new StartError(`log directory ${path} holds ${partitions.length} partitions but no ${METADATA_TOPIC}-0; restore it from a backup`)
  }
  return directory
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : resolve(path)
}

function brokerFacts(config: HubConfig, server: Server, directory: LogDirectory): BrokerFacts {
  const endpoints = config.advertised.map(({ name, host, port }) => {
    const bound = server.listeners.find((listener) => listener.name === name)
    return { name, host: host === '' ? hostname() : host, port: port === 0 ? (bound?.port ?? 0) : port, securityProtocol: PLAINTEXT }
  })
  return { nodeId: config.nodeId, rack: config.broker['broker.rack'], endpoints, directoryIds: [directory.identity.directoryId] }
}

interface BrokerParts {
  readonly config: HubConfig
  readonly world: HubWorld
  readonly disk: Disk
  readonly directory: LogDirectory
  readonly controller: Controller
  readonly opened: AsyncDisposableStack
}

/** Partitions, groups and the settings in force: what the handlers work on. */
async function openBroker({ config, world, disk, directory, controller, opened }: BrokerParts): Promise<Broker> {
  const { clock, logger, random } = world
  const inForce = configInForce(config, controller)
  const partitions = new Partitions(controller.image, {
    nodeId: config.nodeId,
    clock,
    directory,
    durability: config.flushOnAck,
    logger: logger.named('millrace.replica'),
    logConfigOf: (topic, image) => resolveTopicConfig(image.configs.get(`topic:${topic}`) ?? NO_VALUES, inForce(image).brokerConfig),
    onTopicDeleted: (topic) => {
      groups
        .topicsDeleted([topic])
        .catch((error: unknown) => logger.error(`cannot remove the committed offsets of ${topic.name}`, { error }))
    },
  })
  const offsetsTopic = createStateTopic({
    name: '__consumer_offsets',
    clock,
    controller,
    partitions,
    partitionCount: config.broker['offsets.topic.num.partitions'],
    replicationFactor: capped(config, 'offsets.topic.replication.factor', controller.image.brokers.size),
    segmentBytes: config.broker['offsets.topic.segment.bytes'],
  })
  const groupLogger = logger.named('millrace.group')
  const groups = createGroupCoordinator({
    offsetsTopic,
    clock,
    random,
    logger: groupLogger,
    config: groupConfig((key) => config.broker[key]),
    world: consumerWorld(
      () => controller.image,
      () => inForce(controller.image).brokerConfig,
      random,
    ),
  })
  const markers = markerWriter(controller, partitions, groups)
  const transactions = openTransactions({ config, world, disk, directory, controller, opened }, partitions, markers, (groupId) =>
    coordinatorPartition(groupId, offsetsTopic.partitionCount),
  )
  opened.defer(() => partitions.close())
  await partitions.start()
  opened.defer(controller.onImage((image, previous) => partitions.apply(image, previous)))
  opened.defer(() => groups.close())
  // Not awaited: groups of a partition that is still being loaded are told so, and all else is served meanwhile.
  groups.start().catch((error: unknown) => logger.error('cannot load the groups', { error }))
  opened.defer(() => transactions.close())
  transactions.start().catch((error: unknown) => logger.error('cannot load the transactions', { error }))
  return {
    nodeId: config.nodeId,
    clock,
    disk,
    random,
    logger: logger.named('millrace.api'),
    controller,
    partitions,
    directory,
    groups,
    transactions,
    markers,
    ensureOffsetsTopic: () => offsetsTopic.ensure(),
    config: () => inForce(controller.image),
    fetchSessions: new FetchSessions({
      slots: config.broker['max.incremental.fetch.session.cache.slots'],
      nowMs: () => clock.monotonicMs(),
      randomFloat: () => random.float(),
    }),
    answers: new AnswerBudget(serverLimits(config).unsentRecordBytesMax),
    stopping: new RisingMark(0),
  }
}

/** The coordinator of transactions over its topic; started by the caller. */
function openTransactions(
  { config, world, controller }: BrokerParts,
  partitions: Partitions,
  markers: MarkerWriter,
  offsetsPartition: (groupId: string) => number,
): TransactionCoordinator {
  const { clock, logger } = world
  const topic = createStateTopic({
    name: TRANSACTION_TOPIC,
    clock,
    controller,
    partitions,
    partitionCount: config.broker['transaction.state.log.num.partitions'],
    replicationFactor: capped(config, 'transaction.state.log.replication.factor', controller.image.brokers.size),
    segmentBytes: config.broker['transaction.state.log.segment.bytes'],
    minInsyncReplicas: capped(config, 'transaction.state.log.min.isr', controller.image.brokers.size),
    compressionType: 'uncompressed',
  })
  return createTransactionCoordinator({
    topic,
    clock,
    logger: logger.named('millrace.txn'),
    config: transactionConfig((key) => config.broker[key]),
    markers,
    newProducerId: producerIdSource(controller),
    transactionVersion: () => transactionVersion(controller.image),
    coordinatorEpoch: (index) => partitions.get(TRANSACTION_TOPIC, index)?.leaderEpoch ?? 0,
    offsetsPartition,
  })
}

/** The level of the feature that is in force; an older directory has 0 until somebody raises it. */
function transactionVersion({ features }: MetadataImage): 0 | 1 | 2 {
  const level = features.get('transaction.version') ?? 0
  return level <= 0 ? 0 : level === 1 ? 1 : 2
}

/** Factors, and counts of replicas, that nobody set are capped at the live brokers; one that the file sets holds strictly (design §2). */
function capped(
  config: HubConfig,
  key: 'offsets.topic.replication.factor' | 'transaction.state.log.replication.factor' | 'transaction.state.log.min.isr',
  brokerCount: number,
): number {
  return config.given.has(key) ? config.broker[key] : Math.min(config.broker[key], brokerCount)
}

/** The broker's settings under what an image holds; parsed again only when the broker's own overrides change. */
function configInForce(config: HubConfig, controller: Controller): (image: MetadataImage) => ConfigInForce {
  const layers = (image: MetadataImage) => ({
    dynamic: image.configs.get(`broker:${config.nodeId}`) ?? NO_VALUES,
    dynamicDefault: image.configs.get('broker:') ?? NO_VALUES,
    static: config.given,
  })
  let sources = layers(controller.image)
  let inForce: ConfigInForce = { brokerConfig: brokerConfigInForce(sources), sources }
  return (image) => {
    const now = layers(image)
    if (now.dynamic !== sources.dynamic || now.dynamicDefault !== sources.dynamicDefault) {
      sources = now
      inForce = { brokerConfig: brokerConfigInForce(sources), sources }
    }
    return inForce
  }
}
