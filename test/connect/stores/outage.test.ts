/** What stores do while their broker is away and when it is back on the same directory and port. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProducer } from '../../../hub/client/index.ts'
import { openConfigStore } from '../../../hub/connect/stores/config-store.ts'
import { offsetRecord } from '../../../hub/connect/stores/offset-records.ts'
import { openOffsetStore } from '../../../hub/connect/stores/offset-store.ts'
import { openStatusStore } from '../../../hub/connect/stores/status-store.ts'
import type { Status } from '../../../hub/connect/types.ts'
import { type Clock, nodeWorld } from '../../../hub/io/index.ts'
import { startHub, type TestHub } from '../../../hub/testing.ts'
import { storeSetup, until } from './store-setup.ts'

let directory: string
let hub: TestHub
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-stores-'))
  hub = await startHub({ directory })
})
afterEach(async () => {
  await hub.close()
  await rm(directory, { recursive: true, force: true })
})

/** Starts the hub anew where it was. */
async function back(): Promise<void> {
  hub = await startHub({ directory, overrides: { listeners: `PLAINTEXT://${hub.bootstrap}` } })
}

/** A clock whose timers are due in a twentieth of their time. */
function hasty(clock: Clock): Clock {
  const sped = { timer: (delayMs: number, callback: () => void) => clock.timer(delayMs / 20, callback) }
  return Object.assign(Object.create(clock) as Clock, sped)
}

const status = (generation: number): Status => ({ state: 'RUNNING', trace: null, workerId: 'w:1', generation, version: null })

describe('a broker that is away', () => {
  it('keeps configurations waiting, and they stand when it is back, once', async () => {
    const setup = storeSetup(hub.bootstrap)
    const store = await openConfigStore(setup)
    const reader = await openConfigStore(storeSetup(hub.bootstrap))
    await store.putConnector('before', {}, null)
    await hub.close()
    const puts = Promise.all([
      store.putConnector('a', { n: '1' }, 'PAUSED'),
      store.putTasks('a', [{ t: '0' }, { t: '1' }]),
      store.putConnector('b', {}, null),
    ])
    await back()
    await puts
    expect(store.connectors.get('a')).toMatchObject({ config: { n: '1' }, targetState: 'PAUSED', taskConfigs: [{ t: '0' }, { t: '1' }] })
    await until(() => reader.connectors.has('a') && reader.connectors.has('b') && reader.connectors.get('a')?.taskConfigs.length === 2)
    // before, target state and configuration of a, two tasks and their commit, b: nothing twice.
    expect([store.offset, reader.offset]).toEqual([7, 7])
    await Promise.all([store.close(), reader.close()])
  })

  it('lets readers of positions wait, however many, and tells it once', async () => {
    const setup = storeSetup(hub.bootstrap)
    const store = await openOffsetStore(setup)
    const producer = createProducer({ bootstrapServers: hub.bootstrap })
    const partition = { file: 'x' }
    await producer.send({ topic: 'connect-offsets', ...offsetRecord('c', partition, { n: 1 }) })
    expect(await store.read('c', [partition])).toEqual([{ n: 1 }])
    await hub.close()
    const reads = Promise.all(Array.from({ length: 20 }, () => store.read('c', [partition])))
    const stop = new AbortController()
    const impatient = store.read('c', [partition], stop.signal)
    stop.abort(new Error('enough'))
    await expect(impatient).rejects.toThrow('enough')
    await back()
    await producer.send({ topic: 'connect-offsets', ...offsetRecord('c', partition, { n: 2 }) })
    for (const read of await reads) expect([[{ n: 1 }], [{ n: 2 }]]).toContainEqual(read)
    expect(await store.read('c', [partition])).toEqual([{ n: 2 }])
    expect(setup.logger.messages('warn').length).toBeLessThanOrEqual(1)
    await Promise.all([store.close(), producer.close()])
  })

  it('gets the newest of each status when it is back', async () => {
    const store = await openStatusStore(storeSetup(hub.bootstrap))
    const reader = await openStatusStore(storeSetup(hub.bootstrap))
    store.putConnector('a', status(0))
    await store.flush()
    await hub.close()
    for (let generation = 1; generation <= 5_000; generation++) store.putConnector('a', status(generation))
    store.putTask({ connector: 'a', task: 0 }, status(1))
    expect(store.connector('a')?.generation).toBe(5_000)
    await back()
    await store.flush()
    await until(() => reader.connector('a')?.generation === 5_000 && reader.tasks('a').length === 1)
    expect(store.connector('a')?.generation).toBe(5_000)
    await Promise.all([store.close(), reader.close()])
  })

  it('does not keep a store from ending', async () => {
    const { clock } = nodeWorld()
    const [config, offsets, statuses] = await Promise.all([
      openConfigStore(storeSetup(hub.bootstrap)),
      openOffsetStore(storeSetup(hub.bootstrap)),
      openStatusStore(storeSetup(hub.bootstrap)),
    ])
    await hub.close()
    const left = [config.putConnector('a', {}, null), offsets.all('c')].map((promise) => promise.catch((error: Error) => error.name))
    statuses.putConnector('a', status(1))
    const startMs = clock.monotonicMs()
    await Promise.all([config.close(), offsets.close(), statuses.close()])
    for (const outcome of await Promise.all(left)) expect(outcome).toBe('StoreClosedError')
    expect(clock.monotonicMs() - startMs).toBeLessThan(5_000)
    await back()
  })

  it('is waited for at the start, which is told once', async () => {
    await hub.close()
    const setup = storeSetup(hub.bootstrap)
    const opening = openConfigStore({ ...setup, world: { ...setup.world, clock: hasty(setup.world.clock) } })
    await until(() => setup.logger.messages('warn').length > 0)
    await back()
    const store = await opening
    expect(setup.logger.messages('warn').length).toBe(1)
    expect(setup.logger.messages('info')).toContain('opening topic connect-configs works again')
    await store.close()
  })
})
