import { expect, it } from 'vitest'
import { memoryStateTopic } from '../../hub/replica/index.ts'
import { stateTopicContract } from './state-topic-contract.ts'

stateTopicContract('in memory', async () => {
  const topic = memoryStateTopic({ partitionCount: 3, exists: false })
  return { topic, reopen: async () => topic.reopened(), close: async () => {} }
})

it('forgets what was not synced', async () => {
  const topic = memoryStateTopic({ partitionCount: 2 })
  const partition = topic.partition(0)
  if (typeof partition === 'number') throw new Error('no partition')
  topic.holdAppends()
  const held = partition.append([{ key: Buffer.from('a'), value: null }])
  expect(topic.records(0)).toEqual([])
  expect(topic.reopened().records(0)).toEqual([])
  topic.releaseAppends()
  expect(await held).toBe(0)
  expect(topic.reopened().records(0)).toHaveLength(1)
  topic.failAppends(56)
  expect(await partition.append([{ key: Buffer.from('b'), value: null }])).toBe(56)
  expect(topic.records(0)).toHaveLength(1)
})
