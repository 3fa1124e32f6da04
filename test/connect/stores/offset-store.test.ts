import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProducer, type Producer } from '../../../hub/client/index.ts'
import { offsetRecord } from '../../../hub/connect/stores/offset-records.ts'
import { openOffsetStore } from '../../../hub/connect/stores/offset-store.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { storeSetup } from './store-setup.ts'

let hub: TestHub
let producer: Producer
beforeAll(async () => {
  hub = await startHub()
  producer = createProducer({ bootstrapServers: hub.bootstrap })
})
afterAll(async () => {
  await producer.close()
  await hub.close()
})

describe('positions', () => {
  it('are read as the last task has written them, exact and in the order asked', async () => {
    const store = await openOffsetStore(storeSetup(hub.bootstrap))
    const tables = Array.from({ length: 40 }, (_, index) => ({ server: 's', table: `t${index}` }))
    for (let round = 0; round < 5; round++) {
      const offset = (index: number): { lsn: bigint; index: number } => ({ lsn: 9_007_199_254_740_993n + BigInt(round), index })
      await producer.sendBatch(tables.map((table, index) => ({ topic: 'connect-offsets', ...offsetRecord('c', table, offset(index)) })))
      const asked = [{ table: 't7', server: 's' }, { table: 'none' }, { table: 't0', server: 's' }]
      expect(await store.read('c', asked)).toEqual([offset(7), null, offset(0)])
    }
    expect(await store.read('c', [])).toEqual([])
    expect(await store.read('other', [{ server: 's', table: 't0' }])).toEqual([null])
    expect((await store.all('c')).length).toBe(40)
    expect(await store.all('other')).toEqual([])
    await producer.send({ topic: 'connect-offsets', ...offsetRecord('c', { server: 's', table: 't0' }, null) })
    expect(await store.read('c', [{ server: 's', table: 't0' }])).toEqual([null])
    expect((await store.all('c')).length).toBe(39)
    const second = await openOffsetStore(storeSetup(hub.bootstrap))
    expect((await second.all('c')).length).toBe(39)
    await Promise.all([store.close(), second.close()])
  })

  it('that cannot be read are told and passed over', async () => {
    const setup = storeSetup(hub.bootstrap, { 'offset.storage.topic': 'odd-offsets', 'offset.storage.partitions': '1' })
    const store = await openOffsetStore(setup)
    await producer.send({ topic: 'odd-offsets', key: '["c",{"a":1}]', value: '{"deep":{}}' })
    await producer.send({ topic: 'odd-offsets', ...offsetRecord('c', { a: 2 }, { n: 1 }) })
    expect(await store.all('c')).toEqual([{ partition: { a: 2 }, offset: { n: 1 } }])
    expect(setup.logger.messages('warn')).toEqual([
      'odd-offsets-0@0 is passed over: its value is no JSON object of texts, numbers and booleans',
    ])
    await store.close()
    await expect(store.read('c', [])).rejects.toThrow('was closed')
  })
})
