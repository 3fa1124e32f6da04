import { expect, it } from 'vitest'
import type { Consumer } from '../../../hub/client/index.ts'
import { Tail } from '../../../hub/connect/stores/tail.ts'
import { nodeWorld } from '../../../hub/io/index.ts'
import { memoryLogger } from '../../../hub/observe/index.ts'

const RECORD_COUNT = 10_000

/** A consumer that has fetched everything already: each poll gives one record at once. */
function readyConsumer(): Consumer {
  let offset = 0
  const facts = { timestampMs: 0, key: null, value: null, headers: [] }
  const consumer: Partial<Consumer> = {
    assign: () => {},
    seekToBeginning: () => {},
    wakeup: () => {},
    position: () => Promise.resolve(offset),
    close: () => Promise.resolve(),
    poll: (_timeoutMs, signal) => {
      if (offset < RECORD_COUNT) {
        const partitions = [{ topic: 't', partition: 0, timestampType: 'create', records: [{ ...facts, offset: offset++ }] }]
        return Promise.resolve({ partitions, count: 1 } as never)
      }
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    },
  }
  return consumer as Consumer
}

it('lets the event loop turn between what was fetched ahead', async () => {
  const world = nodeWorld()
  let readCount = 0
  const tail = new Tail(readyConsumer(), [{ topic: 't', partition: 0 }], {
    world,
    logger: memoryLogger(),
    onRecord: () => void readCount++,
  })
  await new Promise<void>((resolve) => world.clock.soon(resolve))
  expect(readCount).toBeLessThan(10)
  await tail.reached(new Map([[0, RECORD_COUNT]]))
  expect([readCount, tail.position(0)]).toEqual([RECORD_COUNT, RECORD_COUNT])
  await tail.close(new Error('the end'))
})
