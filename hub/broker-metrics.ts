/**
 * @module broker-metrics — what the broker tells at /metrics: the names of jmx_exporter's rules for Kafka and of kafka_exporter, so that existing dashboards
 * and alerts show it. All is read when somebody scrapes. Part of hub.ts.
 */
import type { Controller, PartitionImage } from './cluster/index.ts'
import { type Clock, eventLoopIdleMeter } from './io/index.ts'
import type { LogDirectory } from './log/index.ts'
import type { Emit, Registry } from './observe/index.ts'
import type { MetadataLog } from './raft/index.ts'
import type { Partition, Partitions, TopicTraffic } from './replica/index.ts'
import type { Server } from './server/index.ts'

/** What is observed. */
export interface Observed {
  readonly nodeId: number
  readonly clock: Clock
  readonly controller: Controller
  readonly metadataLog: MetadataLog
  readonly directory: LogDirectory
  readonly partitions: Partitions
  readonly server: Server
  /** `min.insync.replicas` of a topic. */
  readonly minInsyncReplicasOf: (topic: string) => number
  /** `transaction.max.timeout.ms`. */
  readonly transactionMaxTimeoutMs: () => number
}

type Read = (emit: Emit) => void

/** Registers everything that needs no counting on the way. */
export function brokerMetrics(registry: Registry, observed: Observed): void {
  const gauge = (name: string, help: string, read: () => number): void => registry.observed('gauge', name, help, [], (emit) => emit(read()))
  connections(registry, observed, gauge)
  traffic(registry, observed.partitions)
  logs(registry, observed)
  replicas(registry, observed, gauge)
  controllers(registry, observed, gauge)
  topics(registry, observed)
  quorum(registry, observed, gauge)
}

type Gauge = (name: string, help: string, read: () => number) => void

function connections(registry: Registry, { server }: Observed, gauge: Gauge): void {
  gauge('millrace_connections', 'Open client connections.', () => server.load().connectionCount)
  gauge('millrace_request_bytes', 'Bytes of requests that are not answered yet.', () => server.load().requestBytes)
  registry.observed(
    'gauge',
    'kafka_server_socket_server_metrics_connection_count',
    'Open client connections by listener.',
    ['listener'],
    (emit) => {
      for (const [listener, count] of server.connectionCounts()) emit(count, listener)
    },
  )
  // One thread takes, serves and answers, so Kafka's two figures are one here; each has its own meter since a meter tells the time since it was last asked.
  gauge(
    'kafka_network_socketserver_networkprocessoravgidle_percent',
    'Share of time (0–1) in which the main thread had nothing to do.',
    eventLoopIdleMeter(),
  )
  gauge('kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent', 'The same: one thread does both.', eventLoopIdleMeter())
}

const TRAFFIC: readonly (readonly [name: string, help: string, read: (traffic: TopicTraffic) => number])[] = [
  ['messagesin', 'Records taken from producers.', (traffic) => traffic.messagesInCount],
  ['bytesin', 'Bytes of batches taken from producers.', (traffic) => traffic.bytesInCount],
  ['bytesout', 'Bytes of batches read by consumers.', (traffic) => traffic.bytesOutCount],
  ['bytesrejected', 'Bytes of batches that were too large.', (traffic) => traffic.bytesRejectedCount],
  ['totalproducerequests', 'Batches that producers sent.', (traffic) => traffic.produceRequestCount],
  ['failedproducerequests', 'Batches that were refused.', (traffic) => traffic.failedProduceRequestCount],
  ['totalfetchrequests', 'Reads of a partition.', (traffic) => traffic.fetchRequestCount],
  ['failedfetchrequests', 'Reads of a partition that failed.', (traffic) => traffic.failedFetchRequestCount],
]

/** By topic, and all together under the empty label, which Prometheus takes for none: as Kafka has both. */
function traffic(registry: Registry, partitions: Partitions): void {
  for (const [name, help, read] of TRAFFIC) {
    registry.observed('counter', `kafka_server_brokertopicmetrics_${name}_total`, help, ['topic'], (emit) => {
      emit(read(partitions.trafficOfAll()), '')
      for (const { name: topic, traffic: ofTopic } of partitions.topics()) emit(read(ofTopic), topic)
    })
  }
}

function logs(registry: Registry, { partitions, directory }: Observed): void {
  const perPartition = (name: string, help: string, read: (partition: Partition) => number): void =>
    registry.observed('gauge', name, help, ['topic', 'partition'], (emit) => {
      for (const partition of open(partitions)) emit(read(partition), partition.topic, String(partition.partition))
    })
  perPartition('kafka_log_log_size', 'Bytes of the log.', ({ log }) => log.sizeBytes)
  perPartition('kafka_log_log_numlogsegments', 'Segments of the log.', ({ log }) => log.segmentCount)
  perPartition('kafka_log_log_logstartoffset', 'First offset of the log.', ({ log }) => log.logStartOffset)
  perPartition('kafka_log_log_logendoffset', 'Next offset of the log.', ({ log }) => log.logEndOffset)
  registry.observed(
    'counter',
    'kafka_log_logflushstats_logflushrateandtimems_count',
    'Rounds of the flush loop: one sync of every log that has something new.',
    [],
    (emit) => emit(directory.rounds.count),
  )
  registry.observed('counter', 'kafka_log_logflushstats_logflushrateandtimems_sum', 'Time in ms of all rounds.', [], (emit) =>
    emit(directory.rounds.totalMs),
  )
  const { cleaner } = directory
  const counts: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['millrace_log_compactions_total', 'Compactions of logs.', () => cleaner.compactionCount],
    ['millrace_log_compaction_read_bytes_total', 'Bytes that compaction has read.', () => cleaner.readBytes],
    ['millrace_log_compaction_written_bytes_total', 'Bytes that compaction has written.', () => cleaner.writtenBytes],
  ]
  for (const [name, help, read] of counts) registry.observed('counter', name, help, [], (emit) => emit(read()))
  registry.observed('gauge', 'kafka_log_logcleanermanager_uncleanable_partitions_count', 'Logs that cannot be compacted.', [], (emit) =>
    emit(cleaner.uncleanable.size),
  )
  const offline = (emit: Emit): void =>
    emit(directory.full || [...directory.logs.values()].some(({ fenced }) => fenced !== undefined) ? 1 : 0)
  registry.observed('gauge', 'kafka_log_logmanager_offlinelogdirectorycount', 'Log directories that take no produce.', [], offline)
}

function* open(partitions: Partitions): Generator<Partition> {
  for (const topic of partitions.topics()) for (const partition of topic.partitions) if (partition !== undefined) yield partition
}

function replicas(registry: Registry, observed: Observed, gauge: Gauge): void {
  const { nodeId, clock, controller, partitions, minInsyncReplicasOf, transactionMaxTimeoutMs } = observed
  const count = (isCounted: (partition: PartitionImage, topic: string) => boolean): number => {
    let sum = 0
    for (const { name, partitions: ofTopic } of controller.image.topicsByName.values())
      for (const partition of ofTopic) if (partition.replicas.includes(nodeId) && isCounted(partition, name)) sum++
    return sum
  }
  const manager = 'kafka_server_replicamanager'
  gauge(`${manager}_partitioncount`, 'Partitions hosted by this broker.', () => count(() => true))
  gauge(`${manager}_leadercount`, 'Partitions led by this broker.', () => count(({ leader }) => leader === nodeId))
  gauge(`${manager}_underreplicatedpartitions`, 'Partitions with fewer in-sync replicas than replicas.', () => count(isUnderReplicated))
  gauge(`${manager}_underminisrpartitioncount`, 'Partitions with fewer in-sync replicas than min.insync.replicas.', () =>
    count(({ isr }, topic) => isr.length < minInsyncReplicasOf(topic)),
  )
  gauge(`${manager}_atminisrpartitioncount`, 'Partitions with just min.insync.replicas in-sync replicas.', () =>
    count(({ isr }, topic) => isr.length === minInsyncReplicasOf(topic)),
  )
  gauge(`${manager}_offlinereplicacount`, 'Replicas whose log is not open.', () => [...partitions.failures()].length)
  gauge(`${manager}_produceridcount`, 'Producers that logs know.', () =>
    [...open(partitions)].reduce((sum, { log }) => sum + log.producerCount, 0),
  )
  gauge(
    `${manager}_partitionswithlatetransactionscount`,
    'Partitions with a transaction that is open longer than any may be (KIP-664).',
    () => {
      const nowMs = clock.nowMs()
      return [...open(partitions)].filter(({ log }) => log.hasLateTransaction(nowMs, transactionMaxTimeoutMs())).length
    },
  )
  gauge('millrace_partitions', 'Partitions whose log is open.', () => [...open(partitions)].length)
  gauge('millrace_log_bytes', 'Bytes of all logs.', () => [...open(partitions)].reduce((sum, { log }) => sum + log.sizeBytes, 0))
  const byPartition = (name: string, help: string, isSo: (isrCount: number, minCount: number) => boolean): void =>
    registry.observed('gauge', name, help, ['topic', 'partition'], (emit) => {
      for (const topic of controller.image.topicsByName.values()) {
        const minCount = minInsyncReplicasOf(topic.name)
        for (const { partition, isr } of topic.partitions) emit(isSo(isr.length, minCount) ? 1 : 0, topic.name, String(partition))
      }
    })
  byPartition(
    'kafka_cluster_partition_underminisr',
    'Whether the partition has fewer in-sync replicas than it needs.',
    (isr, min) => isr < min,
  )
  byPartition(
    'kafka_cluster_partition_atminisr',
    'Whether the partition has just the in-sync replicas that it needs.',
    (isr, min) => isr === min,
  )
}

function isUnderReplicated({ isr, replicas: all }: PartitionImage): boolean {
  return isr.length < all.length
}

function controllers(registry: Registry, { controller, partitions, nodeId, metadataLog }: Observed, gauge: Gauge): void {
  const prefix = 'kafka_controller_kafkacontroller'
  const partitionImages = (): PartitionImage[] => [...controller.image.topicsByName.values()].flatMap((topic) => topic.partitions)
  gauge(`${prefix}_activecontrollercount`, 'Whether this node is the active controller.', () => (metadataLog.leaderId === nodeId ? 1 : 0))
  gauge(`${prefix}_offlinepartitionscount`, 'Partitions without a leader, or whose log cannot be opened.', () => {
    const leaderless = partitionImages().filter(({ leader }) => leader < 0).length
    return leaderless + [...partitions.failures()].length
  })
  gauge(
    `${prefix}_preferredreplicaimbalancecount`,
    'Partitions that another replica than the first leads.',
    () => partitionImages().filter(({ leader, replicas: all }) => leader !== all[0]).length,
  )
  gauge(`${prefix}_globaltopiccount`, 'Topics of the cluster.', () => controller.image.topicsByName.size)
  gauge(`${prefix}_globalpartitioncount`, 'Partitions of the cluster.', () => partitionImages().length)
  gauge(
    `${prefix}_activebrokercount`,
    'Brokers that serve.',
    () => [...controller.image.brokers.values()].filter(({ fenced }) => !fenced).length,
  )
  gauge(
    `${prefix}_fencedbrokercount`,
    'Brokers that are fenced.',
    () => [...controller.image.brokers.values()].filter(({ fenced }) => fenced).length,
  )
  gauge(`${prefix}_metadataerrorcount`, 'Whether the metadata log takes no changes any more.', () =>
    metadataLog.failure === undefined ? 0 : 1,
  )
  // With one replica per partition no leader is ever elected.
  for (const name of ['uncleanleaderelections', 'electionfromeligibleleaderreplicas'])
    registry.observed('counter', `kafka_controller_controllerstats_${name}_total`, 'Elections of that kind.', [], (emit) => emit(0))
}

/** The names of kafka_exporter. */
function topics(registry: Registry, { controller, partitions }: Observed): void {
  const brokers: Read = (emit) => emit(controller.image.brokers.size)
  registry.observed('gauge', 'kafka_brokers', 'Brokers of the cluster.', [], brokers)
  registry.observed('gauge', 'kafka_broker_info', 'Brokers by id and address.', ['id', 'address'], (emit) => {
    for (const { brokerId, endpoints } of controller.image.brokers.values())
      for (const { host, port } of endpoints.slice(0, 1)) emit(1, String(brokerId), `${host}:${port}`)
  })
  registry.observed('gauge', 'kafka_topic_partitions', 'Partitions of a topic.', ['topic'], (emit) => {
    for (const topic of controller.image.topicsByName.values()) emit(topic.partitions.length, topic.name)
  })
  const perPartition = (
    name: string,
    help: string,
    read: (image: PartitionImage, hosted: Partition | undefined) => number | undefined,
  ): void =>
    registry.observed('gauge', `kafka_topic_partition_${name}`, help, ['topic', 'partition'], (emit) => {
      for (const topic of controller.image.topicsByName.values()) {
        const hosted = partitions.byName(topic.name)?.partitions
        for (const image of topic.partitions) emit(read(image, hosted?.[image.partition]), topic.name, String(image.partition))
      }
    })
  perPartition('current_offset', 'High watermark.', (_, hosted) => hosted?.highWatermark.value)
  perPartition('oldest_offset', 'First offset.', (_, hosted) => hosted?.logStartOffset)
  perPartition('leader', 'Broker that leads the partition.', ({ leader }) => leader)
  perPartition('leader_is_preferred', 'Whether the first replica leads.', ({ leader, replicas: all }) => (leader === all[0] ? 1 : 0))
  perPartition('replicas', 'Replicas.', ({ replicas: all }) => all.length)
  perPartition('in_sync_replica', 'In-sync replicas.', ({ isr }) => isr.length)
  perPartition('under_replicated_partition', 'Whether replicas are not in sync.', (image) => (isUnderReplicated(image) ? 1 : 0))
}

function quorum(registry: Registry, { metadataLog, nodeId }: Observed, gauge: Gauge): void {
  const prefix = 'kafka_server_raftmetrics'
  gauge(`${prefix}_current_leader`, 'Node that leads the metadata log, −1 none.', () => metadataLog.leaderId)
  gauge(`${prefix}_current_epoch`, 'Epoch of the metadata log.', () => metadataLog.epoch)
  gauge(`${prefix}_high_watermark`, 'End of what is committed in the metadata log.', () => metadataLog.highWatermark)
  gauge(`${prefix}_log_end_offset`, 'Next offset of the metadata log.', () => metadataLog.endOffset)
  gauge(`${prefix}_number_unknown_voter_connections`, 'Voters that cannot be reached.', () => 0)
  registry.observed('gauge', 'kafka_server_raft_metrics_current_state_info', 'State of this node in the quorum.', ['state'], (emit) =>
    emit(1, metadataLog.leaderId === nodeId ? 'leader' : 'unattached'),
  )
}
