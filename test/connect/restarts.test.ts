import { describe, expect, it } from 'vitest'
import { createProducer } from '../../hub/client/index.ts'
import type { ConfigText, State } from '../../hub/connect/index.ts'
import { createHosts } from '../../hub/connect/hosts.ts'
import type { ConnectorHost, HostFactory } from '../../hub/connect/worker-types.ts'
import { nodeWorld } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { startHub } from '../../hub/testing.ts'
import { eventually, startWorker, type TestWorker, temporaryFolder, troubleBegins, valuesOf } from './worker.ts'

const plugins = new URL('./fixtures/plugins', import.meta.url).pathname
const counting = (topic: string, more: ConfigText = {}): ConfigText => ({ 'connector.class': 'CountSource', topic, ...more })

function states(worker: TestWorker, name: string, expected: readonly State[]): Promise<unknown> {
  return eventually(
    () => {
      const status = worker.status(name)
      return [status?.connector.state, ...(status?.tasks ?? []).map(({ state }) => state)]
    },
    (found) => JSON.stringify(found) === JSON.stringify(expected),
  )
}

const countIn = async (worker: TestWorker, name: string): Promise<number> =>
  Number((await worker.offsets(name)).offsets[0]?.offset['count'] ?? 0)

describe('a worker that starts again', () => {
  it('goes on where it was: running, paused, stopped, failed', async () => {
    await using hub = await startHub()
    const first = await startWorker(hub.bootstrap, plugins)
    await first.create({ name: 'runs', config: counting('runs', { lines: '300', 'interval.ms': '1' }) })
    await first.create({ name: 'waits', config: counting('waits', { 'tasks.max': '2' }) })
    await states(first, 'waits', ['RUNNING', 'RUNNING', 'RUNNING'])
    await first.pause('waits')
    await first.create({ name: 'off', config: counting('off') })
    await states(first, 'off', ['RUNNING', 'RUNNING'])
    await first.stop('off')
    await first.create({ name: 'failed', config: { 'connector.class': 'TroubleSource', topic: 'failed', trouble: 'throw' } })
    await states(first, 'failed', ['RUNNING', 'FAILED'])
    await states(first, 'waits', ['PAUSED', 'PAUSED', 'PAUSED'])
    await states(first, 'off', ['STOPPED'])
    await eventually(
      () => countIn(first, 'runs'),
      (count) => count > 10,
    )
    await first.close()

    await using second = await startWorker(hub.bootstrap, plugins, {}, { workerId: '127.0.0.1:9999' })
    await second.started()
    expect([...second.connectorNames()].sort()).toEqual(['failed', 'off', 'runs', 'waits'])
    await states(second, 'runs', ['RUNNING', 'RUNNING'])
    await states(second, 'waits', ['PAUSED', 'PAUSED', 'PAUSED'])
    await states(second, 'off', ['STOPPED'])
    expect(second.status('runs')?.tasks[0]?.worker_id).toBe('127.0.0.1:9999')
    // It ran again, however short.
    await troubleBegins(second, 'failed')
    await states(second, 'failed', ['RUNNING', 'FAILED'])
    await eventually(
      () => countIn(second, 'runs'),
      (count) => count === 300,
    )
    // Closed in order, nothing comes twice.
    expect(await valuesOf(hub.bootstrap, 'runs', (found) => found.length >= 300)).toEqual(
      Array.from({ length: 300 }, (_, index) => `0:${index + 1}`),
    )
  })

  it('after a kill at any moment: every connector runs, nothing is lost', async () => {
    await using hub = await startHub()
    const rounds = process.env['MILLRACE_LONG'] === undefined ? 5 : 40
    const { clock, random } = nodeWorld()
    for (let round = 0; round < rounds; round++) {
      // The threads of a killed worker go without a word; what it still writes itself is cut off with them.
      const hosts = createHosts({ isolation: 'thread', world: nodeWorld(), logger: memoryLogger(), hasSpare: false })
      const killed = await startWorker(hub.bootstrap, plugins, {}, { hosts: hosts.start })
      const work = (async () => {
        await killed.putConfig('killed', counting('killed', { 'tasks.max': String(1 + (round % 3)), 'interval.ms': '1' }))
        await killed.putConfig(`round-${round}`, counting('rounds', { 'tasks.max': '2' }))
      })()
      work.catch(() => {})
      await clock.sleep(random.float() * 800)
      await hosts.close()
      await killed.close()
      await work.catch(() => {})
    }
    await using last = await startWorker(hub.bootstrap, plugins)
    await last.started()
    await last.putConfig('killed', counting('killed', { 'interval.ms': '1' }))
    for (const name of last.connectorNames()) {
      await eventually(
        () => last.status(name),
        (status) => status?.connector.state === 'RUNNING' && status.tasks.every(({ state }) => state === 'RUNNING'),
      )
      await eventually(
        () => last.tasks(name)?.length ?? 0,
        (count) => count === (name === 'killed' ? 1 : 2),
      )
    }
    const before = await countIn(last, 'killed')
    await eventually(
      () => countIn(last, 'killed'),
      (count) => count > before + 10,
    )
    const count = await countIn(last, 'killed')
    const values = new Set(await valuesOf(hub.bootstrap, 'killed', (found) => found.includes(`0:${count}`)))
    for (let number = 1; number <= count; number++) expect(values.has(`0:${number}`), `0:${number}`).toBe(true)
  })
})

describe('isolation', () => {
  it('what a dead worker has left of a deleted connector is not shown', async () => {
    await using hub = await startHub()
    const first = await startWorker(hub.bootstrap, plugins)
    await first.started()
    await first.close()
    const producer = createProducer({ bootstrapServers: hub.bootstrap })
    const value = JSON.stringify({ state: 'RUNNING', trace: null, worker_id: 'dead:8083', generation: 1, version: null })
    await producer.send({ topic: 'connect-status', key: 'status-connector-ghost', value })
    await producer.send({ topic: 'connect-status', key: 'status-task-ghost-0', value })
    await producer.close()
    await using worker = await startWorker(hub.bootstrap, plugins)
    await worker.started()
    expect(worker.status('ghost')).toBeUndefined()
    expect(worker.taskStatus({ connector: 'ghost', task: 0 })).toBeUndefined()
    await worker.create({ name: 'ghost', config: counting('ghost'), initialState: 'STOPPED' })
    await states(worker, 'ghost', ['STOPPED'])
    expect(worker.taskStatus({ connector: 'ghost', task: 0 })).toBeUndefined()
  })

  it('shared: fifty connectors in one thread; one that blocks it is ended, the others start again', async () => {
    await using hub = await startHub()
    await using worker = await startWorker(hub.bootstrap, plugins, {
      'millrace.tasks.isolation': 'shared',
      'task.shutdown.graceful.timeout.ms': '300',
    })
    await worker.started()
    const names = Array.from({ length: 50 }, (_, index) => `small-${index}`)
    await Promise.all(names.map((name) => worker.create({ name, config: counting('small', { 'interval.ms': '100' }) })))
    const allRun = (): Promise<unknown> =>
      eventually(
        () => names.filter((name) => worker.status(name)?.tasks[0]?.state !== 'RUNNING'),
        (others) => others.length === 0,
        40_000,
      )
    await allRun()
    await worker.create({ name: 'blocks', config: { 'connector.class': 'TroubleSource', topic: 'blocks', trouble: 'loop' } })
    await troubleBegins(worker, 'blocks')
    await worker.delete('blocks')
    await eventually(
      () => worker.status('blocks'),
      (status) => status === undefined,
    )
    await allRun()
    const before = await countIn(worker, 'small-7')
    await eventually(
      () => countIn(worker, 'small-7'),
      (count) => count > before,
    )
  })

  it('inline: on the main thread', async () => {
    await using hub = await startHub()
    await using worker = await startWorker(hub.bootstrap, plugins, { 'millrace.tasks.isolation': 'inline' })
    await worker.create({ name: 'inside', config: counting('inside', { 'tasks.max': '2' }) })
    await states(worker, 'inside', ['RUNNING', 'RUNNING', 'RUNNING'])
    await eventually(
      () => countIn(worker, 'inside'),
      (count) => count > 5,
    )
    await worker.putConfig('inside', counting('inside-2'))
    await states(worker, 'inside', ['RUNNING', 'RUNNING'])
    await worker.delete('inside')
    await eventually(
      () => worker.status('inside'),
      (status) => status === undefined,
    )
  })

  it('a plugin that ends its thread while it is imported is named in the log, and the worker starts without it', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('exit.ts', 'process.exit(9)')
    await using hub = await startHub()
    await using worker = await startWorker(hub.bootstrap, folder.path)
    await worker.started()
    expect(worker.log.entries.filter(({ message }) => message === 'a plugin cannot be used').map(({ facts }) => facts)).toEqual([
      { path, cause: expect.stringMatching(/brought the inspection down \(process\.exit\(9\)\)/) },
    ])
    expect((await worker.plugins()).map((plugin) => plugin.class)).toContain('org.apache.kafka.connect.file.FileStreamSourceConnector')
    expect((await worker.pluginProblems()).map((problem) => problem.path)).toEqual([path])
  })

  it('a connector that is slow to start delays no other', async () => {
    await using hub = await startHub()
    const real = createHosts({ isolation: 'thread', world: nodeWorld(), logger: memoryLogger(), hasSpare: false })
    const never = new Promise<never>(() => {})
    const start: HostFactory = (data, handlers): ConnectorHost => {
      const host = real.start(data, handlers)
      return data.connector === 'slow' ? { ...host, calls: { ...host.calls, startConnector: () => never } } : host
    }
    const worker = await startWorker(hub.bootstrap, plugins, {}, { hosts: start })
    try {
      await worker.create({ name: 'slow', config: counting('slow') })
      await worker.create({ name: 'quick', config: counting('quick') })
      await states(worker, 'quick', ['RUNNING', 'RUNNING'])
      expect(worker.status('slow')).toBeUndefined()
      await worker.delete('slow')
      expect(worker.connectorNames()).toEqual(['quick'])
    } finally {
      await worker.close()
      await real.close()
    }
  })
})

describe('a broker that is away', () => {
  it('a change is refused in time, and what came of it is consistent later', async () => {
    await using folder = await temporaryFolder()
    let hub = await startHub({ directory: folder.path })
    const worker = await startWorker(hub.bootstrap, plugins, {}, { requestMsMax: 1_500 })
    try {
      await worker.create({ name: 'stays', config: counting('stays') })
      await states(worker, 'stays', ['RUNNING', 'RUNNING'])
      const before = await countIn(worker, 'stays')
      const listeners = `PLAINTEXT://${hub.bootstrap}`
      await hub.close()
      const { clock } = nodeWorld()
      const startMs = clock.monotonicMs()
      await expect(worker.putConfig('stays', counting('changed', { 'tasks.max': '2' }))).rejects.toMatchObject({ status: 500 })
      await expect(worker.offsets('stays')).rejects.toMatchObject({ status: 500 })
      expect(clock.monotonicMs() - startMs).toBeLessThan(6_000)
      expect(worker.connector('stays')?.name).toBe('stays')
      expect(worker.status('stays')?.name).toBe('stays')
      hub = await startHub({ directory: folder.path, overrides: { listeners } })
      await eventually(
        () =>
          worker.putConfig('stays', counting('stays', { 'tasks.max': '2' })).then(
            () => 'done',
            (error: Error) => error.message,
          ),
        (outcome) => outcome === 'done',
      )
      await states(worker, 'stays', ['RUNNING', 'RUNNING', 'RUNNING'])
      await eventually(
        () => countIn(worker, 'stays').catch(() => 0),
        (count) => count > before,
      )
      expect(worker.tasks('stays')?.map(({ config }) => config['topic'])).toEqual(['stays', 'stays'])
    } finally {
      await worker.close()
      await hub.close()
    }
  })

  it('a worker that finds none is starting, and starts when it comes', async () => {
    await using folder = await temporaryFolder()
    const scout = await startHub({ directory: folder.path })
    const { bootstrap } = scout
    await scout.close()
    const worker = await startWorker(bootstrap, plugins, {}, { requestMsMax: 500 })
    expect(worker.health().status).toBe('starting')
    await expect(worker.create({ name: 'early', config: counting('early') })).rejects.toMatchObject({ status: 503 })
    expect(() => worker.connectorNames()).toThrow(/still starting/)
    const hub = await startHub({ directory: folder.path, overrides: { listeners: `PLAINTEXT://${bootstrap}` } })
    try {
      await eventually(
        () => worker.health().status,
        (status) => status === 'healthy',
      )
      await worker.create({ name: 'early', config: counting('early') })
      await states(worker, 'early', ['RUNNING', 'RUNNING'])
    } finally {
      await worker.close()
      await hub.close()
    }
    await expect(worker.create({ name: 'late', config: counting('late') })).rejects.toMatchObject({ status: 500 })
  })
})
