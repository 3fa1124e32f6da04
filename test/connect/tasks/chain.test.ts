import {
  type ConfigDefinition,
  type ConfigOf,
  defineConfig,
  definePredicate,
  defineTransform,
  type SourceRecord,
  sourceRecord,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { createChain } from '../../../hub/connect/tasks/chain.ts'
import type { Cursor } from '../../../hub/connect/tasks/step.ts'
import { loaderOf } from './workshop.ts'

const append = defineTransform({
  class: 'test.Append',
  version: '1.0.0',
  config: defineConfig({ text: { type: 'STRING', importance: 'HIGH' } }),
  create:
    ({ text }) =>
    (record) =>
      record.topic === 'drop' ? null : { ...record, topic: `${record.topic}${text}` },
})
const isTopic = definePredicate({
  class: 'test.IsTopic',
  version: '1.0.0',
  config: defineConfig({ name: { type: 'STRING', importance: 'HIGH' } }),
  create:
    ({ name }) =>
    ({ topic }) =>
      topic === name,
})
const broken = defineTransform({
  class: 'test.Broken',
  version: '1.0.0',
  config: defineConfig({}),
  create: (_config: ConfigOf<ConfigDefinition>) => () => {
    throw new Error('broken')
  },
})
const plugins = loaderOf(append, isTopic, broken)
const cursor: Cursor = { step: { stage: 'TASK_POLL', className: '', setting: '' } }
const record = (topic: string): SourceRecord => sourceRecord({ topic })

async function topicAfter(config: Record<string, string>, topic: string): Promise<string | null> {
  const chain = await createChain(config, plugins)
  return chain.apply(record(topic), cursor)?.topic ?? null
}

const appendX = { transforms: 'x', 'transforms.x.type': 'test.Append', 'transforms.x.text': '-x' }

describe('the chain', () => {
  it('without transforms gives the very same record', async () => {
    const chain = await createChain({}, plugins)
    const given = record('t')
    expect(chain.isEmpty).toBe(true)
    expect(chain.apply(given, cursor)).toBe(given)
  })

  it('runs transforms in their order and ends at the one that drops', async () => {
    const two = { ...appendX, transforms: ' x , y', 'transforms.y.type': 'test.Append', 'transforms.y.text': '-y' }
    expect(await topicAfter(two, 't')).toBe('t-x-y')
    expect(await topicAfter(two, 'drop')).toBeNull()
  })

  it.each([
    ['with a predicate', {}, 't', 't-x'],
    ['with a predicate that is not met', {}, 'u', 'u'],
    ['negated', { 'transforms.x.negate': 'true' }, 't', 't'],
    ['negated and not met', { 'transforms.x.negate': 'TRUE' }, 'u', 'u-x'],
  ])('%s', async (_name, more, topic, expected) => {
    const config = {
      ...appendX,
      ...more,
      'transforms.x.predicate': 'p',
      predicates: 'p',
      'predicates.p.type': 'test.IsTopic',
      'predicates.p.name': 't',
    }
    expect(await topicAfter(config, topic)).toBe(expected)
  })

  it('says which step runs when one throws', async () => {
    const chain = await createChain({ ...appendX, transforms: 'x,b', 'transforms.b.type': 'test.Broken' }, plugins)
    expect(() => chain.apply(record('t'), cursor)).toThrow('broken')
    expect(cursor.step).toEqual({ stage: 'TRANSFORMATION', className: 'test.Broken', setting: 'transforms.b.*' })
  })

  it.each([
    [{ transforms: 'x' }, 'Missing required configuration "transforms.x.type"'],
    [{ ...appendX, 'transforms.x.predicate': 'q' }, 'names the predicate q, which is not among predicates'],
    [{ ...appendX, 'transforms.x.negate': 'perhaps' }, 'must be true or false'],
    [{ transforms: 'x', 'transforms.x.type': 'test.Append' }, 'Missing required configuration "text"'],
    [{ transforms: 'x', 'transforms.x.type': 'test.Unknown' }, 'test.Unknown'],
  ])('refuses %o', async (config, message) => {
    await expect(createChain(config as unknown as Record<string, string>, plugins)).rejects.toThrow(message)
  })
})
