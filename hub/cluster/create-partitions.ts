/**
 * @module cluster/create-partitions — decides on more partitions for topics (KIP-195).
 * Source of the messages: org.apache.kafka.controller.ReplicationControlManager of Kafka 4.3.1.
 */
import { ErrorCode } from '../wire/index.ts'
import { type Assignment, countProblem, manualProblem, partitionRecords, placed } from './assignments.ts'
import { type Circumstances, type Decision, type Problem, problem, SUCCESS } from './decision.ts'
import type { TopicState } from './image.ts'
import type { Outcome } from './types.ts'

export interface CreatePartitionsSpec {
  readonly name: string
  /** How many the topic is to have in all. */
  readonly count: number
  /** Replicas of each new partition; null for automatic. */
  readonly assignments: readonly (readonly number[])[] | null
}

export type CreatePartitionsOutcome = Outcome & { readonly name: string }

/** One outcome per distinct name, in the order of the request. */
export function decideCreatePartitions(
  circumstances: Circumstances,
  specs: readonly CreatePartitionsSpec[],
): Decision<CreatePartitionsOutcome> {
  const { image } = circumstances
  const newCount = specs.reduce(
    (sum, spec) => sum + Math.max(0, spec.count - (image.topicsByName.get(spec.name)?.partitions.length ?? spec.count)),
    0,
  )
  const excess = countProblem(circumstances, newCount)
  const records: Buffer[] = []
  const outcomes: CreatePartitionsOutcome[] = []
  for (const [name, [spec, ...others]] of Map.groupBy(specs, (each) => each.name)) {
    const duplicate = others.length > 0 ? problem(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.') : undefined
    const decided = excess ?? duplicate ?? grow(circumstances, spec as CreatePartitionsSpec)
    if ('errorCode' in decided) outcomes.push({ name, ...decided })
    else {
      records.push(...decided)
      outcomes.push({ name, ...SUCCESS })
    }
  }
  return { records, outcomes }
}

function grow(circumstances: Circumstances, spec: CreatePartitionsSpec): readonly Buffer[] | Problem {
  const { image } = circumstances
  const topic = image.topicsByName.get(spec.name)
  if (topic === undefined) return problem(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
  const present = topic.partitions.length
  if (spec.count === present) return problem(ErrorCode.INVALID_PARTITIONS, `Topic already has ${present} partition(s).`)
  if (spec.count < present) {
    const message = `The topic ${spec.name} currently has ${present} partition(s); ${spec.count} would not be an increase.`
    return problem(ErrorCode.INVALID_PARTITIONS, message)
  }
  const assignment = assign(circumstances, spec, topic)
  return 'errorCode' in assignment ? assignment : partitionRecords(image, topic.topicId, present, assignment)
}

function assign(circumstances: Circumstances, spec: CreatePartitionsSpec, topic: TopicState): Assignment | Problem {
  const present = topic.partitions.length
  const additional = spec.count - present
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 1
  const { assignments } = spec
  if (assignments === null) return placed(circumstances, additional, replicationFactor)
  if (assignments.length !== additional) {
    const message = `Attempted to add ${additional} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
    return problem(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  }
  for (const [index, replicas] of assignments.entries()) {
    const wrong = manualProblem(circumstances.image, present + index, replicas, replicationFactor)
    if (wrong !== undefined) return wrong
  }
  return assignments
}
