/**
 * @module test/group/next/kafka — a conversation about consumer groups with Apache Kafka 4.3.1 (`group.consumer.assignment.interval.ms` 0)
 * and the log that it left: the same answers, the same records, and the log of one is the other's.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  Heartbeat,
  JoinGroup,
  SyncGroup,
  decodeCoordinatorKey,
} from '../../../hub/wire/index.ts'
import type { RequestInput } from '../../../hub/wire/index.ts'
import { memoryClock } from '../../../hub/io/index.ts'
import { memoryStateTopic } from '../../../hub/replica/index.ts'
import { GroupDraft } from '../../../hub/group/next/draft.ts'
import type { ConsumerRecord } from '../../../hub/group/next/draft.ts'
import { allSubscribedNames, emptyConsumerGroup } from '../../../hub/group/next/group.ts'
import { decodeConsumerRecord, encodeRecord } from '../../../hub/group/next/records.ts'
import { metadataHash } from '../../../hub/group/next/topics.ts'
import type { Harness } from '../harness.ts'
import { caller, harness, overWire, request, settle } from '../harness.ts'
import { FakeTopics, fakeWorld } from './world.ts'

type Json = Readonly<Record<string, unknown>>
interface Topic {
  readonly name: string
  readonly topicId: string
  readonly partitions: number
}
interface Step {
  readonly api: string
  readonly request: Json
  readonly response: Json
}
interface LogRecord {
  readonly partition: number
  readonly key: string
  readonly value: string | null
}

const lines = readFileSync(new URL('../../golden/group/kafka-consumer-groups.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line, (_, value: unknown) => bytesIn(value)) as Json)
const topicList = lines.flatMap((line) => (line['topics'] as Topic[] | undefined) ?? [])
const described = lines.flatMap((line) => (line['described'] as Json[] | undefined) ?? [])
const steps = lines.flatMap((line) => ('api' in line ? [line as unknown as Step] : []))
const log = lines.flatMap((line) => ('key' in line ? [line as unknown as LogRecord] : []))

function bytesIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$hex' in value)) return value
  return Buffer.from(String(value.$hex), 'hex')
}

/** The topics at the end of the conversation, or at its beginning, when t2 had not grown yet. */
function topicsAt(when: 'beginning' | 'end'): FakeTopics {
  const topics = new FakeTopics()
  for (const { name, topicId, partitions } of topicList) topics.set(name, when === 'beginning' && name === 't2' ? 2 : partitions, topicId)
  return topics
}

/** Lists that Kafka fills in the order of a hash map, in order. */
function sorted(value: unknown): unknown {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sorted(each)]))
  return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** Plays a step; member ids that a broker made are put in and taken out by `ids`. */
async function play(of: Harness, { api, request: asked }: Step, ids: Map<string, string>): Promise<Json> {
  const { memberId } = asked
  const input = { ...asked, memberId: ids.get(String(memberId)) ?? memberId }
  switch (api) {
    case 'ConsumerGroupHeartbeat': {
      const wire = request(ConsumerGroupHeartbeat, 1, input as unknown as RequestInput<typeof ConsumerGroupHeartbeat>)
      return overWire(ConsumerGroupHeartbeat, 1, await of.groups.consumerGroupHeartbeat(wire, caller(1))) as unknown as Json
    }
    case 'JoinGroup': {
      const wire = request(JoinGroup, 9, input as unknown as RequestInput<typeof JoinGroup>)
      return overWire(JoinGroup, 9, await settle(of, of.groups.joinGroup(wire, caller(9)))) as unknown as Json
    }
    case 'SyncGroup': {
      const own = (asked['assignments'] as { memberId: string }[]).map((each) => ({
        ...each,
        memberId: ids.get(each.memberId) ?? each.memberId,
      }))
      const wire = request(SyncGroup, 5, { ...input, assignments: own } as unknown as RequestInput<typeof SyncGroup>)
      return overWire(SyncGroup, 5, await settle(of, of.groups.syncGroup(wire, caller(5)))) as unknown as Json
    }
    default: {
      const wire = request(Heartbeat, 4, input as unknown as RequestInput<typeof Heartbeat>)
      return overWire(Heartbeat, 4, await of.groups.heartbeat(wire, caller(4))) as unknown as Json
    }
  }
}

/** Everything but what a regular expression brings: Kafka looks it up after the answer, here before. */
const conversation = steps.filter(({ request: { groupId } }) => groupId !== 'regex')

async function replayed(look: (step: Step, answer: Json) => void): Promise<Harness> {
  const topics = topicsAt('beginning')
  const world = fakeWorld(topics)
  const of = await harness({ partitionCount: 1, world })
  const ids = new Map<string, string>()
  for (const step of conversation) {
    if (step.request['groupId'] === 'grown' && step.request['memberEpoch'] === 2) topics.set('t2', 4)
    const answer = await play(of, step, ids)
    const { memberId } = step.response
    if (step.api === 'JoinGroup' && typeof memberId === 'string') ids.set(memberId, String(answer['memberId']))
    const named = JSON.parse(JSON.stringify(answer), (_, value: unknown) => {
      const recorded = [...ids].find(([, ours]) => ours === value)?.[0]
      if (recorded !== undefined) return recorded
      return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
        ? Buffer.from((value as { data?: number[] }).data ?? [])
        : value
    }) as Json
    look(step, named)
  }
  return of
}

/** The last record of each key, as compaction leaves them: those of consumer groups, by group and key. */
function lastRecords(
  records: readonly { readonly key: Buffer | null; readonly value: Buffer | null }[],
): Map<string, { groupId: string; record: ConsumerRecord }> {
  const last = new Map<string, { groupId: string; record: ConsumerRecord }>()
  for (const { key, value } of records) {
    const decoded = key === null ? undefined : decodeCoordinatorKey(key)
    if (decoded === undefined || !('groupId' in decoded.value)) continue
    const record = decodeConsumerRecord(decoded, value)
    if (record !== undefined) last.set(key?.toString('hex') ?? '', { groupId: decoded.value.groupId, record })
  }
  return last
}

function nameOf({ groupId, record }: { readonly groupId: string; readonly record: ConsumerRecord }): string {
  return [groupId, record.type, 'memberId' in record ? record.memberId : ''].join(' ')
}

const recordedLog = log.map(({ key, value }) => ({
  key: Buffer.from(key, 'hex'),
  value: value === null ? null : Buffer.from(value, 'hex'),
}))

describe('consumer groups as in Apache Kafka 4.3.1', () => {
  it('answer alike, step by step', async () => {
    let count = 0
    const of = await replayed((step, answer) => {
      count++
      expect(sorted(answer), `${JSON.stringify(step.request)} → ${JSON.stringify(answer)}`).toEqual(sorted(step.response))
    })
    expect(count).toBe(conversation.length)
    await of.groups.close()
  })

  it('leave the same records', async () => {
    const of = await replayed(() => {})
    const skipped = new Set(['regex', 'migrated'])
    const shown = (records: readonly { readonly key: Buffer | null; readonly value: Buffer | null }[]) =>
      [...lastRecords(records).values()]
        .filter(({ groupId }) => !skipped.has(groupId))
        // Their times are their own.
        .map(({ groupId, record }) =>
          record.type === 'assignment' && record.value !== null
            ? { groupId, record: { ...record, value: { ...record.value, assignmentTimestampMs: 0 } } }
            : { groupId, record },
        )
        .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    expect(shown(of.topic.records(0))).toEqual(shown(recordedLog))
    await of.groups.close()
  })

  it('are read from its log and described as it described them', async () => {
    const topic = memoryStateTopic({ partitionCount: 1 })
    const partition = topic.partition(0)
    if (typeof partition === 'number') throw new Error('no partition')
    await partition.append(recordedLog)
    const of = await harness({ topic, clock: memoryClock(), world: fakeWorld(topicsAt('end')) })
    expect(of.logger.messages('warn')).toEqual([])
    const groupIds = described.map(({ groupId }) => String(groupId))
    const asked = request(ConsumerGroupDescribe, 1, { groupIds, includeAuthorizedOperations: false })
    const { groups } = overWire(ConsumerGroupDescribe, 1, await of.groups.consumerGroupDescribe(asked))
    expect(sorted(groups)).toEqual(sorted(described))
    await of.groups.close()
  })

  it('hash their topics alike', () => {
    const drafts = new Map<string, GroupDraft>()
    for (const { groupId, record } of lastRecords(recordedLog).values()) {
      const draft = drafts.get(groupId) ?? new GroupDraft(emptyConsumerGroup(groupId))
      draft.replay(record)
      drafts.set(groupId, draft)
    }
    // Those that looked at their topics after t2 had grown, or that never read it.
    const looked = ['grown', 'plain', 'static', 'again', 'regex', 'left', 'migrated']
    for (const groupId of looked) {
      const group = drafts.get(groupId)?.group
      if (group === undefined) throw new Error(`no group ${groupId}`)
      expect(metadataHash(allSubscribedNames(group), topicsAt('end').now()), groupId).toBe(group.metadataHash)
    }
    expect(drafts.get('busy')?.group.metadataHash).toBe(metadataHash(['t1', 't2'], topicsAt('beginning').now()))
  })

  it('are written in the bytes in which they are read', () => {
    let count = 0
    for (const { key, value } of recordedLog) {
      const decoded = decodeCoordinatorKey(key)
      if (decoded === undefined || !('groupId' in decoded.value)) continue
      const record = decodeConsumerRecord(decoded, value)
      if (record === undefined) continue
      count++
      expect(encodeRecord(decoded.value.groupId, record)).toEqual({ key, value })
    }
    expect(count).toBeGreaterThan(50)
  })
})
