/** @module test/connect/tasks/pause-in-commit — a pause that comes while a sink flushes, when records are at hand that it has not been given. */
import { defineConfig, defineConverter, defineSink } from '@millrace/sdk'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningTask } from '../../../hub/connect/tasks/types.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { environmentOf, eventually, fill, loaderOf, startSink, textOf, world } from './workshop.ts'

let hub: TestHub

beforeAll(async () => {
  hub = await startHub()
})

afterAll(() => hub.close())

it('gives the sink, after the pause, what was at hand before it', async () => {
  const values = Array.from({ length: 20 }, (_, index) => `${index}`)
  await fill(hub.bootstrap, 'paused', values)
  const written: string[] = []
  let task: RunningTask | null = null
  let requestCommit = (): void => {}
  let flushCount = 0
  const sink = defineSink({
    class: 'test.PausedInFlush',
    version: '1.0.0',
    config: defineConfig({}),
    start: (_config, context) => {
      ;({ requestCommit } = context)
      return {
        write: (records) => {
          for (const { value } of records) written.push(textOf(value))
        },
        flush: async () => {
          flushCount++
          task?.pause()
          await world.clock.sleep(1)
          world.clock.timer(5, () => task?.resume())
          return undefined
        },
      }
    },
  })
  // Whenever a record has just come to hand, a commit is due of what was written before.
  const converter = defineConverter({
    class: 'test.CommittingText',
    version: '1.0.0',
    config: defineConfig({}),
    create: () => ({
      fromConnectData: (_topic, _schema, value) => Buffer.from(textOf(value)),
      toConnectData: (_topic, bytes) => {
        requestCommit()
        return { schema: null, value: Buffer.from(bytes ?? []).toString() }
      },
    }),
  })
  const environment = environmentOf({
    bootstrap: hub.bootstrap,
    connector: 'paused',
    config: { topics: 'paused', 'consumer.override.max.poll.records': '1', 'value.converter': 'test.CommittingText' },
    plugins: loaderOf(converter),
  })
  task = startSink(sink, environment)
  await eventually(() => written.at(-1) === values.at(-1))
  await task.stop(5_000)
  expect(written).toEqual(values)
  expect(flushCount).toBeGreaterThanOrEqual(values.length - 1)
})
