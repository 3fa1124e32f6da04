/**
 * @module group/next/epoch — when a group's epoch rises, and the dealing out of new targets that follows (KIP-848) (pure).
 */
import { assignors } from './assignors.ts'
import type { GroupDraft } from './draft.ts'
import { allSubscribedNames, isHomogeneous, regexCounts, subscribedIds } from './group.ts'
import type { ConsumerGroup } from './group.ts'
import { NO_PARTITIONS, samePartitions } from './partitions.ts'
import { metadataHash } from './topics.ts'
import type { Turn } from './turn.ts'

/** Raises the epoch, with the hash of the topics as they are now. */
export function bumpEpoch(draft: GroupDraft, turn: Turn): void {
  const hash = metadataHash(allSubscribedNames(draft.group), turn.topics)
  draft.put({ type: 'group', value: { groupEpoch: draft.group.groupEpoch + 1, metadataHash: hash } })
}

/** Raises the epoch when members changed their subscriptions, or when topics of the group came, grew, moved or went. */
export function updateEpoch(draft: GroupDraft, subscriptionsChanged: boolean, turn: Turn): void {
  if (!subscriptionsChanged && draft.group.seenTopics === turn.topics) return
  const hash = metadataHash(allSubscribedNames(draft.group), turn.topics)
  if (subscriptionsChanged || hash !== draft.group.metadataHash) bumpEpoch(draft, turn)
  if (draft.group.hasPartitionMetadata) draft.put({ type: 'partitionMetadata', value: null })
  draft.seen(turn.topics)
}

/**
 * Looks regular expressions up: one that is new at once; all of them when topics came or went, or after
 * `group.consumer.regex.refresh.interval.ms`. True when the topics of some expression are others now.
 */
export function refreshRegexes(draft: GroupDraft, turn: Turn): boolean {
  const wanted = regexCounts(draft.group.members.values())
  if (wanted.size === 0) return false
  const isDue = areRegexesDue(draft.group, turn)
  let changed = false
  for (const regex of wanted.keys()) {
    const former = draft.group.regexes.get(regex)
    if (former !== undefined && !isDue) continue
    const topicNames = turn.matchTopics(regex)
    changed ||= former === undefined ? topicNames.length > 0 : former.topicNames.join('\n') !== topicNames.join('\n')
    draft.put({ type: 'regex', regex, value: { topicNames, version: turn.topics.version, timestampMs: turn.nowMs } })
  }
  return changed
}

function areRegexesDue(group: ConsumerGroup, { nowMs, rules, topics }: Turn): boolean {
  let sinceMs = Number.POSITIVE_INFINITY
  let version = Number.POSITIVE_INFINITY
  for (const resolved of group.regexes.values()) {
    sinceMs = Math.min(sinceMs, resolved.timestampMs)
    version = Math.min(version, resolved.version)
  }
  if (nowMs > sinceMs + rules.regexRefreshIntervalMs) return true
  return version < topics.version && nowMs >= sinceMs + rules.regexRefreshMinIntervalMs
}

/** Deals new targets out when the group's epoch is ahead of them, but not more often than the assignment interval allows. */
export function updateTargets(draft: GroupDraft, turn: Turn): void {
  const { group } = draft
  if (group.assignmentEpoch >= group.groupEpoch || !mayAssign(group, turn)) return
  const members = [...group.members.values()]
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      topicIds: subscribedIds(group, member, turn.topics),
      target: group.targets.get(member.memberId) ?? NO_PARTITIONS,
    }))
  const dealt = assignorOf(
    group,
    turn,
  )({
    members,
    isHomogeneous: isHomogeneous(group),
    partitionCount: (topicId) => turn.topics.byId(topicId)?.partitionCount ?? 0,
  })
  for (const { memberId } of members) {
    const target = dealt.get(memberId) ?? NO_PARTITIONS
    const former = group.targets.get(memberId)
    if (former === undefined || !samePartitions(former, target)) draft.put({ type: 'target', memberId, value: target })
  }
  draft.put({ type: 'assignment', value: { assignmentEpoch: group.groupEpoch, assignmentTimestampMs: turn.nowMs } })
}

function mayAssign({ assignmentTimestampMs }: ConsumerGroup, { nowMs, rules }: Turn): boolean {
  if (assignmentTimestampMs === 0 || rules.assignmentIntervalMs === 0) return true
  return nowMs >= assignmentTimestampMs + rules.assignmentIntervalMs
}

/** The assignor that most members prefer, the first configured one among equals; the default when nobody has a preference. */
export function preferredAssignor(group: ConsumerGroup, names: readonly string[]): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of group.members.values()) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  const ranked = names.filter((name) => votes.has(name)).sort((a, b) => (votes.get(b) ?? 0) - (votes.get(a) ?? 0))
  return ranked[0] ?? names[0] ?? 'uniform'
}

function assignorOf(group: ConsumerGroup, { rules }: Turn) {
  const name = preferredAssignor(group, rules.assignors)
  const assignor = assignors.get(name)
  if (assignor === undefined) throw new Error(`there is no assignor ${name}: the configuration should have been refused`)
  return assignor
}
