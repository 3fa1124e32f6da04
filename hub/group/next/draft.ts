/**
 * @module group/next/draft — a consumer group while records are folded into it, at load or within one step (pure but for itself).
 *
 * The group that a draft begins with stays as it is. Maps are copied when they first change; {@link GroupDraft.group} gives the
 * state so far, whose maps go on changing with the draft: take members out of it, not maps.
 */
import { LEAVE_EPOCH, newMember } from './group.ts'
import type { ConsumerGroup, ConsumerMember, MemberProgress, MemberSubscription, ResolvedRegex } from './group.ts'
import { NOTHING_OWNED } from './partitions.ts'
import type { OwnedPartitions, Partitions } from './partitions.ts'
import type { Topics } from './topics.ts'

/** A record of a consumer group; a null value is a tombstone. */
export type ConsumerRecord =
  | { readonly type: 'group'; readonly value: { readonly groupEpoch: number; readonly metadataHash: bigint } | null }
  | { readonly type: 'member'; readonly memberId: string; readonly value: MemberSubscription | null }
  | { readonly type: 'progress'; readonly memberId: string; readonly value: MemberProgress | null }
  | { readonly type: 'assignment'; readonly value: { readonly assignmentEpoch: number; readonly assignmentTimestampMs: number } | null }
  | { readonly type: 'target'; readonly memberId: string; readonly value: Partitions | null }
  | { readonly type: 'regex'; readonly regex: string; readonly value: ResolvedRegex | null }
  /** Partition counts by topic, which Kafka wrote before 4.1; only tombstones are written now. */
  | { readonly type: 'partitionMetadata'; readonly value: 'present' | null }

const LEFT: MemberProgress = {
  memberEpoch: LEAVE_EPOCH,
  previousMemberEpoch: LEAVE_EPOCH,
  reconciliation: 'Stable',
  assigned: NOTHING_OWNED,
  pendingRevocation: NOTHING_OWNED,
}
const NEVER_ASSIGNED = { assignmentEpoch: LEAVE_EPOCH, assignmentTimestampMs: 0 }

/** A group under change, and the records that made the change. */
export class GroupDraft {
  readonly records: ConsumerRecord[] = []
  readonly #base: ConsumerGroup
  #group: ConsumerGroup
  #own: CopiedMaps | null = null
  #isDeleted = false

  constructor(base: ConsumerGroup) {
    this.#base = base
    this.#group = base
  }

  /** The group so far. */
  get group(): ConsumerGroup {
    return this.#group
  }

  /** Its last record was the tombstone of the group. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** Folds a record in and keeps it for the log. */
  put(record: ConsumerRecord): void {
    this.records.push(record)
    this.replay(record)
  }

  /** Folds in a record that stands in the log. */
  replay(record: ConsumerRecord): void {
    this.#isDeleted = record.type === 'group' && record.value === null
    switch (record.type) {
      case 'group':
        if (record.value !== null) this.#change(record.value)
        return
      case 'assignment':
        this.#change(record.value ?? NEVER_ASSIGNED)
        return
      case 'partitionMetadata':
        this.#change({ hasPartitionMetadata: record.value !== null })
        return
      case 'member':
        if (record.value === null) this.#remove(record.memberId)
        else this.#update({ ...this.#member(record.memberId), ...record.value })
        return
      case 'progress':
        if (record.value !== null || this.#group.members.has(record.memberId))
          this.#update({ ...this.#member(record.memberId), ...(record.value ?? LEFT) })
        return
      case 'target':
        setOrDelete(this.#maps().targets, record.memberId, record.value)
        return
      case 'regex':
        setOrDelete(this.#maps().regexes, record.regex, record.value)
    }
  }

  /** Takes the records behind the first `recordCount` back. */
  rewind(recordCount: number): void {
    if (this.records.length === recordCount) return
    const kept = this.records.slice(0, recordCount)
    const { seenTopics } = this.#group
    this.records.length = 0
    this.#group = recordCount === 0 ? this.#base : { ...this.#base, seenTopics }
    this.#own = null
    this.#isDeleted = false
    for (const record of kept) this.put(record)
  }

  /** Notes that the group was looked at with these topics; nothing of it is written. */
  seen(topics: Topics): void {
    if (this.#group.seenTopics !== topics) this.#change({ seenTopics: topics })
  }

  #member(memberId: string): ConsumerMember {
    return this.#group.members.get(memberId) ?? newMember(memberId)
  }

  #update(member: ConsumerMember): void {
    const { members, staticMembers, owners } = this.#maps()
    const former = members.get(member.memberId)
    if (former !== undefined) release(owners, former)
    members.set(member.memberId, member)
    claim(owners, member, member.assigned)
    claim(owners, member, member.pendingRevocation)
    if (member.instanceId !== null) staticMembers.set(member.instanceId, member.memberId)
  }

  #remove(memberId: string): void {
    const { members, staticMembers, owners } = this.#maps()
    const former = members.get(memberId)
    if (former === undefined) return
    release(owners, former)
    members.delete(memberId)
    if (former.instanceId !== null && staticMembers.get(former.instanceId) === memberId) staticMembers.delete(former.instanceId)
  }

  #change(part: Partial<ConsumerGroup>): void {
    this.#group = { ...this.#group, ...part }
  }

  #maps(): CopiedMaps {
    if (this.#own !== null) return this.#own
    const { members, staticMembers, targets, regexes, owners } = this.#group
    this.#own = {
      members: new Map(members),
      staticMembers: new Map(staticMembers),
      targets: new Map(targets),
      regexes: new Map(regexes),
      owners: new Map([...owners].map(([topicId, partitions]) => [topicId, new Map(partitions)])),
    }
    this.#change(this.#own)
    return this.#own
  }
}

/** The maps of a group, which are this draft's own. */
interface CopiedMaps {
  readonly members: Map<string, ConsumerMember>
  readonly staticMembers: Map<string, string>
  readonly targets: Map<string, Partitions>
  readonly regexes: Map<string, ResolvedRegex>
  readonly owners: Map<string, Map<number, string>>
}

function setOrDelete<V>(map: Map<string, V>, key: string, value: V | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}

function claim(owners: Map<string, Map<number, string>>, { memberId }: ConsumerMember, owned: OwnedPartitions): void {
  for (const [topicId, epochs] of owned) {
    const partitions = owners.get(topicId) ?? new Map<number, string>()
    for (const partition of epochs.keys()) partitions.set(partition, memberId)
    owners.set(topicId, partitions)
  }
}

function release(owners: Map<string, Map<number, string>>, { memberId, assigned, pendingRevocation }: ConsumerMember): void {
  for (const owned of [assigned, pendingRevocation]) {
    for (const [topicId, epochs] of owned) {
      const partitions = owners.get(topicId)
      for (const partition of epochs.keys()) if (partitions?.get(partition) === memberId) partitions.delete(partition)
      if (partitions?.size === 0) owners.delete(topicId)
    }
  }
}
