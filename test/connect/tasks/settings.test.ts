import { describe, expect, it } from 'vitest'
import { failureSettings } from '../../../hub/connect/tasks/settings.ts'
import { SinkOffsets } from '../../../hub/connect/tasks/sink-offsets.ts'
import { subscriptionOf } from '../../../hub/connect/tasks/subscription.ts'
import { topicGroups } from '../../../hub/connect/tasks/topic-creation.ts'

describe('errors.*', () => {
  it('have upstream’s defaults', () => {
    expect(failureSettings({})).toEqual({
      retryTimeoutMs: 0,
      retryDelayMsMax: 60_000,
      toleratesAll: false,
      logEnable: false,
      logIncludesMessages: false,
      deadLetterTopic: '',
      deadLetterReplicationFactor: null,
      deadLetterHeaders: false,
    })
    expect(failureSettings({ 'errors.retry.timeout': '-1' }).retryTimeoutMs).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('topics', () => {
  it('are a list, or a pattern that matches as a whole', () => {
    expect(subscriptionOf({ topics: ' a, b ,' })).toEqual(['a', 'b'])
    const pattern = subscriptionOf({ 'topics.regex': 'a|b.' }) as RegExp
    expect(['a', 'bc', 'ab', 'b', 'xa'].map((topic) => pattern.test(topic))).toEqual([true, true, false, false, false])
    expect(() => subscriptionOf({ topics: 'a', 'topics.regex': 'b' })).toThrow('mutually exclusive')
    expect(() => subscriptionOf({})).toThrow('one of topics or topics.regex')
    expect(() => subscriptionOf({ 'topics.regex': '(' })).toThrow()
  })
})

describe('topic.creation', () => {
  const defaults = { 'topic.creation.default.partitions': '2', 'topic.creation.default.replication.factor': '-1' }

  it('is not used as long as no key of it is there', () => {
    expect(topicGroups({ topic: 'x' })).toEqual([])
  })

  it('tries groups in their order; what a group leaves out is the default’s', () => {
    const groups = topicGroups({
      ...defaults,
      'topic.creation.default.compression.type': 'zstd',
      'topic.creation.groups': 'one, two',
      'topic.creation.one.include': 'a.*, b',
      'topic.creation.one.exclude': 'ax',
      'topic.creation.one.partitions': '7',
      'topic.creation.one.retention.ms': '5',
      'topic.creation.two.include': '.*x',
      'topic.creation.two.replication.factor': '1',
    })
    const nameFor = (topic: string): string | undefined => groups.find((group) => group.matches(topic))?.name
    expect(['a', 'ab', 'b', 'bb', 'ax', 'c'].map(nameFor)).toEqual(['one', 'one', 'one', 'default', 'two', 'default'])
    expect(
      groups.map(({ name, partitionCount, replicationFactor, configs }) => ({ name, partitionCount, replicationFactor, configs })),
    ).toEqual([
      { name: 'one', partitionCount: 7, replicationFactor: -1, configs: { 'retention.ms': '5' } },
      { name: 'two', partitionCount: 2, replicationFactor: 1, configs: {} },
      { name: 'default', partitionCount: 2, replicationFactor: -1, configs: { 'compression.type': 'zstd' } },
    ])
  })

  it.each([
    [{ 'topic.creation.groups': 'one' }, 'Missing required configuration "topic.creation.default.partitions"'],
    [{ ...defaults, 'topic.creation.default.partitions': '0' }, 'must be positive, or -1'],
    [{ ...defaults, 'topic.creation.groups': 'one', 'topic.creation.one.include': '(' }, 'topic.creation.one.include'],
  ])('refuses %o', (config, message) => {
    expect(() => topicGroups(config as unknown as Record<string, string>)).toThrow(message)
  })
})

describe('a sink’s offsets', () => {
  const at = { topic: 't', partition: 0 }
  const other = { topic: 't', partition: 1 }

  it('go from delivered over flushed to committed', () => {
    const offsets = new SinkOffsets()
    offsets.assign([at, other])
    expect(offsets.hasNews()).toBe(false)
    offsets.noteRead(at, 5)
    offsets.noteDelivered([
      { ...at, offset: 9 },
      { topic: 'gone', partition: 0, offset: 3 },
    ])
    expect(offsets.delivered()).toEqual([{ ...at, offset: 9 }])
    expect([offsets.hasNews(), offsets.hasNews([other])]).toEqual([true, false])
    const asked = offsets.delivered()
    expect(offsets.judge(asked, undefined)).toEqual({ commit: [{ ...at, offset: 9 }], refused: [] })
    expect(offsets.judge(asked, []).commit).toEqual([])
    offsets.markCommitted([{ ...at, offset: 9 }])
    expect(offsets.hasNews()).toBe(false)
    expect(offsets.judge(asked, undefined).commit).toEqual([])
  })

  it('that a flush may not give are refused with a reason', () => {
    const offsets = new SinkOffsets()
    offsets.assign([at])
    const { commit, refused } = offsets.judge(
      [{ ...at, offset: 9 }],
      [
        { ...at, offset: 10 },
        { ...other, offset: 1 },
        { ...at, offset: -1 },
        { ...at, offset: 1.5 },
        { ...at, offset: 8 },
      ],
    )
    expect(commit).toEqual([{ ...at, offset: 8 }])
    expect(refused.map(({ reason }) => reason)).toEqual([
      'only what is before 9 was delivered',
      'nothing of this partition was to be flushed',
      'it is no offset',
      'it is no offset',
    ])
  })

  it('go back to what is committed, or to where reading began', () => {
    const offsets = new SinkOffsets()
    offsets.assign([at, other])
    expect(offsets.rewind()).toEqual([])
    offsets.noteRead(at, 5)
    offsets.noteRead(other, 0)
    offsets.noteDelivered([
      { ...at, offset: 9 },
      { ...other, offset: 4 },
    ])
    offsets.markCommitted([{ ...other, offset: 2 }])
    expect(offsets.rewind()).toEqual([
      { ...at, offset: 5 },
      { ...other, offset: 2 },
    ])
    expect(offsets.hasNews()).toBe(false)
    offsets.noteSeek(at, 1)
    expect(offsets.delivered([at])).toEqual([{ ...at, offset: 1 }])
    offsets.remove([at])
    expect([offsets.has(at), offsets.partitions]).toEqual([false, [other]])
  })
})
