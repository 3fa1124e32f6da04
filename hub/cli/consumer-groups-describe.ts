/** @module cli/consumer-groups-describe — `millrace consumer-groups --describe`: offsets, members, state. */
import type { Admin, CommittedOffset, DescribedGroup, DescribedMember, TopicPartition } from '../client/index.ts'
import { ConsumerGroupDescribe } from '../wire/index.ts'
import type { CommandIo } from './command.ts'
import type { ConsumerGroupsOptions } from './consumer-groups-options.ts'
import { javaText } from './error-text.ts'
import { type Column, tableLines } from './table.ts'
import { byPartition } from './topic-partitions.ts'

/** What stands where nothing is known. */
const MISSING = '-'

/** Prints the view that the options choose, group by group. Rejects with the first group's error, before anything is printed. */
export async function describeGroups(
  admin: Admin,
  groupIds: readonly string[],
  options: ConsumerGroupsOptions,
  io: CommandIo,
): Promise<void> {
  const groups = await admin.describeGroups(groupIds, io.signal)
  const failed = groups.find(({ error }) => error !== null)
  if (failed !== undefined) throw new Error(javaText(failed.error), { cause: failed.error })
  for (const group of groups) {
    if (options.has('members')) await printMembers(admin, group, options.has('verbose'), io)
    else if (options.has('state')) await printState(admin, group, options.has('verbose'), io)
    else await printOffsets(admin, group, options.has('verbose'), io)
  }
}

/** Says what the state means for the reader; false: there is nothing to show. */
function announceState({ groupId, state }: DescribedGroup, io: CommandIo): boolean {
  switch (state) {
    case 'Dead':
      io.stdout.write(`\nError: Consumer group '${groupId}' does not exist.\n`)
      return false
    case 'Empty':
      io.stderr.write(`\nConsumer group '${groupId}' has no active members.\n`)
      return true
    case 'PreparingRebalance':
    case 'CompletingRebalance':
    case 'Assigning':
    case 'Reconciling':
      io.stderr.write(`\nWarning: Consumer group '${groupId}' is rebalancing.\n`)
      return true
    default:
      return true
  }
}

/** A table with an empty line above it. */
function writeTable(io: CommandIo, columns: readonly Column[], rows: readonly (readonly string[])[], trailing = ''): void {
  io.stdout.write(`\n${tableLines(columns, rows, trailing).join('\n')}\n`)
}

async function printOffsets(admin: Admin, group: DescribedGroup, isVerbose: boolean, io: CommandIo): Promise<void> {
  const committed = new Map<string, CommittedOffset & TopicPartition>()
  for (const one of await admin.fetchOffsets(group.groupId, null, {}, io.signal)) committed.set(`${one.topic}-${one.partition}`, one)
  const owners = [...group.members].filter(({ assignment }) => assignment.length > 0)
  // Members with most partitions first, as Kafka lists them.
  owners.sort((one, other) => other.assignment.length - one.assignment.length)
  const owned = new Set(owners.flatMap(({ assignment }) => assignment.map(({ topic, partition }) => `${topic}-${partition}`)))
  const places: { at: TopicPartition; owner: DescribedMember | undefined }[] = [
    ...owners.flatMap((owner) => [...owner.assignment].sort(byPartition).map((at) => ({ at, owner }))),
    ...[...committed].filter(([key]) => !owned.has(key)).map(([, at]) => ({ at, owner: undefined })),
  ]
  if (!announceState(group, io) || places.length === 0) return
  const ends = new Map<string, number>()
  for (const { topic, partition, offset, error } of await admin.listOffsets(
    places.map(({ at: { topic, partition } }) => ({ topic, partition, at: 'latest' })),
    {},
    io.signal,
  )) {
    if (error === null) ends.set(`${topic}-${partition}`, offset)
  }
  const rows = places.map(({ at, owner }) => {
    const key = `${at.topic}-${at.partition}`
    return offsetRow(group.groupId, at, owner, committed.get(key), ends.get(key), isVerbose)
  })
  writeTable(io, offsetColumns(isVerbose), rows)
}

function offsetColumns(isVerbose: boolean): Column[] {
  return [
    { title: 'GROUP', widthMin: 15, grows: true },
    { title: 'TOPIC', widthMin: 15, grows: true },
    { title: 'PARTITION', widthMin: 10 },
    ...(isVerbose ? [{ title: 'LEADER-EPOCH', widthMin: 15 }] : []),
    { title: 'CURRENT-OFFSET', widthMin: 15 },
    { title: 'LOG-END-OFFSET', widthMin: 15 },
    { title: 'LAG', widthMin: 15 },
    { title: 'CONSUMER-ID', widthMin: 15, grows: true },
    { title: 'HOST', widthMin: 15, grows: true },
    { title: 'CLIENT-ID' },
  ]
}

function offsetRow(
  groupId: string,
  at: TopicPartition,
  owner: DescribedMember | undefined,
  committed: CommittedOffset | undefined,
  endOffset: number | undefined,
  isVerbose: boolean,
): string[] {
  const lag = committed === undefined || endOffset === undefined ? undefined : endOffset - committed.offset
  const leaderEpoch = committed === undefined || committed.leaderEpoch < 0 ? undefined : committed.leaderEpoch
  const numbers = [...(isVerbose ? [leaderEpoch] : []), committed?.offset, endOffset, lag]
  return [
    groupId,
    at.topic,
    String(at.partition),
    ...numbers.map((value) => (value === undefined ? MISSING : String(value))),
    owner?.memberId ?? MISSING,
    owner?.host ?? MISSING,
    owner?.clientId ?? MISSING,
  ]
}

async function printMembers(admin: Admin, group: DescribedGroup, isVerbose: boolean, io: CommandIo): Promise<void> {
  announceState(group, io)
  const { members } = group
  const hasInstances = members.some(({ groupInstanceId }) => groupInstanceId !== null)
  const targetEpoch = isVerbose ? await targetEpochOf(admin, group, io) : MISSING
  const columns: Column[] = [
    { title: 'GROUP', widthMin: 15, grows: true },
    { title: 'CONSUMER-ID', widthMin: 15, grows: true },
    ...(hasInstances ? [{ title: 'GROUP-INSTANCE-ID', widthMin: 17, grows: true }] : []),
    { title: 'HOST', widthMin: 15, grows: true },
    { title: 'CLIENT-ID', widthMin: 15, grows: true },
    { title: '#PARTITIONS', widthMin: 15 },
  ]
  if (isVerbose) {
    columns.push(
      { title: 'CURRENT-EPOCH', widthMin: 15 },
      { title: 'CURRENT-ASSIGNMENT', widthMin: 20, grows: true },
      { title: 'TARGET-EPOCH', widthMin: 15 },
      { title: 'TARGET-ASSIGNMENT', widthMin: 20, grows: true },
    )
  }
  const rows = members.map((member) => memberRow(group.groupId, member, hasInstances, isVerbose, targetEpoch))
  // Kafka closes the short form's rows with a blank.
  writeTable(io, columns, rows, isVerbose ? '' : ' ')
}

function memberRow(groupId: string, member: DescribedMember, hasInstances: boolean, isVerbose: boolean, targetEpoch: string): string[] {
  const { memberId, groupInstanceId, host, clientId, assignment, targetAssignment, memberEpoch } = member
  return [
    groupId,
    memberId,
    ...(hasInstances ? [groupInstanceId ?? ''] : []),
    host,
    clientId,
    String(assignment.length),
    ...(isVerbose ? [epochText(memberEpoch), assignmentText(assignment), targetEpoch, assignmentText(targetAssignment ?? [])] : []),
  ]
}

/** `topic:0,1;other:2` */
function assignmentText(assignment: readonly TopicPartition[]): string {
  if (assignment.length === 0) return MISSING
  const byTopic = Map.groupBy([...assignment].sort(byPartition), ({ topic }) => topic)
  return [...byTopic].map(([topic, list]) => `${topic}:${list.map(({ partition }) => partition).join(',')}`).join(';')
}

function epochText(epoch: number): string {
  return epoch < 0 ? MISSING : String(epoch)
}

/** The epoch of the target assignment; only groups of the new protocol (KIP-848) have one. */
async function targetEpochOf(admin: Admin, { groupId, type, coordinatorId }: DescribedGroup, io: CommandIo): Promise<string> {
  if (type !== 'consumer') return MISSING
  const response = await admin.request(
    { nodeId: coordinatorId },
    ConsumerGroupDescribe,
    { groupIds: [groupId], includeAuthorizedOperations: false },
    { signal: io.signal },
  )
  return epochText(response.groups[0]?.assignmentEpoch ?? -1)
}

async function printState(admin: Admin, group: DescribedGroup, isVerbose: boolean, io: CommandIo): Promise<void> {
  if (!announceState(group, io)) return
  const { groupId, coordinatorId, protocolName, state, members, epoch } = group
  const { brokers } = await admin.describeCluster({}, io.signal)
  const coordinator = brokers.find(({ nodeId }) => nodeId === coordinatorId)
  const columns: Column[] = [
    { title: 'GROUP', widthMin: 15, grows: true },
    { title: 'COORDINATOR (ID)', widthMin: 25, grows: true },
    { title: 'ASSIGNMENT-STRATEGY', widthMin: 20 },
    { title: 'STATE', widthMin: 20 },
    ...(isVerbose
      ? [
          { title: 'GROUP-EPOCH', widthMin: 15 },
          { title: 'TARGET-ASSIGNMENT-EPOCH', widthMin: 25 },
        ]
      : []),
    { title: '#MEMBERS' },
  ]
  const row = [
    groupId,
    `${coordinator?.host ?? ''}:${coordinator?.port ?? -1}  (${coordinatorId})`,
    protocolName === '' ? MISSING : protocolName,
    state,
    ...(isVerbose ? [epochText(epoch), await targetEpochOf(admin, group, io)] : []),
    String(members.length),
  ]
  writeTable(io, columns, [row])
}
