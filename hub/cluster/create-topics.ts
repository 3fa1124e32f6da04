/**
 * @module cluster/create-topics — decides on new topics.
 * Source of order and messages: org.apache.kafka.controller.ReplicationControlManager and kafka.server.ControllerApis of Kafka 4.3.1.
 */

import { checkTopicConfig } from '../config/index.ts'
import { METADATA_TOPIC } from '../raft/index.ts'
import { ConfigRecord, ErrorCode, encodeMetadataRecord, TopicRecord, ZERO_UUID } from '../wire/index.ts'
import { type Assignment, countProblem, manualProblem, partitionRecords, placed } from './assignments.ts'
import { resourceTypeNumber } from './config-resources.ts'
import { type Circumstances, type Decision, type Problem, problem, SUCCESS, tooLongProblem } from './decision.ts'
import { collisionKey, topicNameProblem } from './topic-names.ts'
import type { CreateTopicOutcome, CreateTopicSpec } from './types.ts'

/** One outcome per distinct name, in the order of the request. */
export function decideCreateTopics(circumstances: Circumstances, specs: readonly CreateTopicSpec[]): Decision<CreateTopicOutcome> {
  const byName = Map.groupBy(specs, (spec) => spec.name)
  const excess = countProblem(
    circumstances,
    specs.reduce((sum, spec) => sum + wantedCount(circumstances, spec), 0),
  )
  const newNames = new Map<string, string>()
  const records: Buffer[] = []
  const outcomes: CreateTopicOutcome[] = []
  for (const [name, [spec, ...others]] of byName) {
    const duplicate = others.length > 0 ? problem(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.') : undefined
    const decided = excess ?? duplicate ?? createOne(circumstances, spec as CreateTopicSpec, newNames)
    if ('errorCode' in decided) {
      outcomes.push({ name, topicId: ZERO_UUID, partitionCount: -1, replicationFactor: -1, ...decided })
      continue
    }
    newNames.set(collisionKey(name) ?? name, name)
    records.push(...decided.records)
    outcomes.push(decided.outcome)
  }
  return { records, outcomes }
}

function createOne(
  circumstances: Circumstances,
  spec: CreateTopicSpec,
  newNames: ReadonlyMap<string, string>,
): { readonly records: readonly Buffer[]; readonly outcome: CreateTopicOutcome } | Problem {
  const { name } = spec
  const refused = nameProblem(circumstances, name, newNames) ?? configProblem(circumstances, spec)
  if (refused !== undefined) return refused
  const assignment = assign(circumstances, spec)
  if ('errorCode' in assignment) return assignment
  const topicId = circumstances.newId()
  return {
    records: [
      encodeMetadataRecord(TopicRecord, { name, topicId }),
      ...spec.configs.map((config) =>
        encodeMetadataRecord(ConfigRecord, {
          resourceType: resourceTypeNumber('topic'),
          resourceName: name,
          name: config.name,
          value: config.value,
        }),
      ),
      ...partitionRecords(circumstances.image, topicId, 0, assignment),
    ],
    outcome: { name, topicId, partitionCount: assignment.length, replicationFactor: assignment[0]?.length ?? 0, ...SUCCESS },
  }
}

function nameProblem({ image }: Circumstances, name: string, newNames: ReadonlyMap<string, string>): Problem | undefined {
  if (name === METADATA_TOPIC) return problem(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
  const illegal = topicNameProblem(name)
  if (illegal !== undefined) return problem(ErrorCode.INVALID_TOPIC_EXCEPTION, illegal)
  if (image.topicsByName.has(name)) return problem(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  const key = collisionKey(name)
  const colliding = key === undefined ? undefined : (image.collisions.get(key)?.[0] ?? newNames.get(key))
  if (colliding === undefined) return undefined
  return problem(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${colliding}`)
}

function configProblem({ limits }: Circumstances, { configs }: CreateTopicSpec): Problem | undefined {
  const refusal = checkTopicConfig(configs)
  if (refusal !== undefined) return problem(ErrorCode[refusal.error], refusal.message)
  return configs.some(({ value }) => (value?.length ?? 0) > limits.configValueLengthMax) ? tooLongProblem(limits) : undefined
}

function assign(circumstances: Circumstances, spec: CreateTopicSpec): Assignment | Problem {
  if (spec.assignments.length > 0) return manual(circumstances, spec)
  if (spec.replicationFactor < -1 || spec.replicationFactor === 0) {
    return problem(ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0, or -1 to use the default value.')
  }
  if (spec.partitionCount < -1 || spec.partitionCount === 0) {
    return problem(ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.')
  }
  const replicationFactor = spec.replicationFactor === -1 ? defaultReplicationFactor(circumstances) : spec.replicationFactor
  return placed(circumstances, wantedCount(circumstances, spec), replicationFactor)
}

/** A default that nobody set is as good as the brokers allow; one that somebody set is meant. */
function defaultReplicationFactor({ image, settings }: Circumstances): number {
  if (settings.replicationFactorSet) return settings.replicationFactor
  const liveCount = [...image.brokers.values()].filter((broker) => !broker.fenced).length
  return Math.max(1, Math.min(settings.replicationFactor, liveCount))
}

function manual({ image }: Circumstances, spec: CreateTopicSpec): Assignment | Problem {
  if (spec.replicationFactor !== -1) {
    return problem(ErrorCode.INVALID_REQUEST, 'A manual partition assignment was specified, but replication factor was not set to -1.')
  }
  if (spec.partitionCount !== -1) {
    return problem(ErrorCode.INVALID_REQUEST, 'A manual partition assignment was specified, but numPartitions was not set to -1.')
  }
  const byPartition = new Map<number, readonly number[]>()
  let replicationFactor: number | undefined
  for (const { partition, brokerIds } of spec.assignments) {
    if (byPartition.has(partition)) {
      return problem(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `Found multiple manual partition assignments for partition ${partition}`)
    }
    const wrong = manualProblem(image, partition, brokerIds, replicationFactor)
    if (wrong !== undefined) return wrong
    replicationFactor = brokerIds.length
    byPartition.set(partition, brokerIds)
  }
  const assignment = Array.from(byPartition, (_, partition) => byPartition.get(partition))
  if (assignment.every((replicas) => replicas !== undefined)) return assignment
  return problem(ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'partitions should be a consecutive 0-based integer sequence')
}

function wantedCount({ settings }: Circumstances, spec: CreateTopicSpec): number {
  if (spec.assignments.length > 0) return spec.assignments.length
  return spec.partitionCount === -1 ? settings.partitionCount : Math.max(0, spec.partitionCount)
}
