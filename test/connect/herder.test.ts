import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConfigText, State } from '../../hub/connect/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { eventually, startWorker, type TestWorker, temporaryFolder, valuesOf } from './worker.ts'

const plugins = new URL('./fixtures/plugins', import.meta.url).pathname
let hub: TestHub
let worker: TestWorker

beforeAll(async () => {
  hub = await startHub()
  worker = await startWorker(hub.bootstrap, plugins)
  await worker.started()
})

afterAll(async () => {
  await worker.close()
  await hub.close()
})

const counting = (topic: string, more: ConfigText = {}): ConfigText => ({ 'connector.class': 'CountSource', topic, ...more })

function statesOf(name: string, of: TestWorker = worker): readonly (State | undefined)[] {
  const status = of.status(name)
  return [status?.connector.state, ...(status?.tasks ?? []).map(({ state }) => state)]
}

function states(name: string, expected: readonly State[], of: TestWorker = worker): Promise<unknown> {
  return eventually(
    () => statesOf(name, of),
    (found) => JSON.stringify(found) === JSON.stringify(expected),
  )
}

const countIn = async (name: string): Promise<number> => Number((await worker.offsets(name)).offsets[0]?.offset['count'] ?? 0)

describe('a connector', () => {
  it('is created, runs, and is shown', async () => {
    const info = await worker.create({ name: ' lines ', config: counting('lines-topic', { 'tasks.max': '2' }) })
    expect(info).toEqual({
      name: 'lines',
      config: { ...counting('lines-topic', { 'tasks.max': '2' }), name: 'lines' },
      tasks: [],
      type: 'source',
    })
    await states('lines', ['RUNNING', 'RUNNING', 'RUNNING'])
    expect(worker.status('lines')?.tasks[1]).toEqual({ id: 1, state: 'RUNNING', worker_id: '127.0.0.1:8083', version: '1.2.3' })
    expect(worker.tasks('lines')?.[1]).toEqual({
      id: { connector: 'lines', task: 1 },
      config: { ...info.config, part: '1', 'task.class': 'test.CountSource' },
    })
    expect(worker.connector('lines')?.tasks).toHaveLength(2)
    // Each task stores its own position, in its own time.
    const parts = await eventually(
      async () => (await worker.offsets('lines')).offsets.map(({ partition }) => String(partition['part'])).sort(),
      (found) => found.length === 2,
    )
    expect(parts).toEqual(['0', '1'])
    expect(worker.topics('lines')).toEqual(['lines-topic'])
    await worker.delete('lines')
    await eventually(
      () => worker.status('lines'),
      (status) => status === undefined,
    )
    expect(worker.connector('lines')).toBeUndefined()
    expect(worker.topics('lines')).toEqual([])
    await expect(worker.offsets('lines')).rejects.toMatchObject({ status: 404, message: 'Connector lines not found' })
  })

  it('pauses, resumes, stops and goes on where it was', async () => {
    await worker.create({ name: 'paces', config: counting('paces-topic', { lines: '400', 'interval.ms': '1' }) })
    await eventually(
      () => countIn('paces'),
      (count) => count > 20,
    )
    await worker.pause('paces')
    await states('paces', ['PAUSED', 'PAUSED'])
    await worker.resume('paces')
    await states('paces', ['RUNNING', 'RUNNING'])
    await worker.stop('paces')
    await states('paces', ['STOPPED'])
    expect(worker.tasks('paces')).toEqual([])
    const stopped = await countIn('paces')
    expect(await countIn('paces')).toBe(stopped)
    await worker.pause('paces')
    await states('paces', ['PAUSED'])
    await worker.resume('paces')
    await eventually(
      () => countIn('paces'),
      (count) => count === 400,
    )
    const values = await valuesOf(hub.bootstrap, 'paces-topic', (found) => found.length >= 400)
    expect(values).toEqual(Array.from({ length: 400 }, (_, index) => `0:${index + 1}`))
    await worker.delete('paces')
  })

  it('starts paused or stopped when it is created so', async () => {
    await worker.create({ name: 'asleep', config: counting('asleep'), initialState: 'PAUSED' })
    await states('asleep', ['PAUSED'])
    expect(worker.status('asleep')?.connector.version).toBe('1.2.3')
    await worker.create({ name: 'off', config: counting('off'), initialState: 'STOPPED' })
    await states('off', ['STOPPED'])
    expect(worker.status('off')?.connector.version).toBe('1.2.3')
    await worker.resume('asleep')
    await states('asleep', ['RUNNING', 'RUNNING'])
    await worker.delete('asleep')
    await worker.delete('off')
  })

  it('takes a changed configuration, more and fewer tasks', async () => {
    await worker.create({ name: 'shifts', config: counting('shifts-1') })
    await states('shifts', ['RUNNING', 'RUNNING'])
    await valuesOf(hub.bootstrap, 'shifts-1', (found) => found.length > 3)
    expect(await worker.putConfig('shifts', counting('shifts-2', { 'tasks.max': '3' }))).toMatchObject({ isNew: false })
    await states('shifts', ['RUNNING', 'RUNNING', 'RUNNING', 'RUNNING'])
    await valuesOf(hub.bootstrap, 'shifts-2', (found) => found.length > 3)
    expect((await worker.patchConfig('shifts', { 'tasks.max': null, extra: 'x' })).config).toEqual({
      ...counting('shifts-2', { extra: 'x' }),
      name: 'shifts',
    })
    await states('shifts', ['RUNNING', 'RUNNING'])
    await worker.delete('shifts')
  })

  it('becomes a sink when its class changes', async () => {
    await worker.create({ name: 'turns', config: counting('turns') })
    await states('turns', ['RUNNING', 'RUNNING'])
    await worker.putConfig('turns', { 'connector.class': 'NowhereSink', topics: 'turns', 'tasks.max': '2' })
    await states('turns', ['RUNNING', 'RUNNING', 'RUNNING'])
    expect(worker.connector('turns')?.type).toBe('sink')
    await eventually(
      () => worker.offsets('turns'),
      ({ offsets }) => Number(offsets[0]?.offset['kafka_offset'] ?? 0) > 0,
    )
    expect((await worker.offsets('turns')).offsets[0]?.partition).toEqual({ kafka_topic: 'turns', kafka_partition: 0 })
    await worker.delete('turns')
  })

  it('a hundred quick changes end in the last one', async () => {
    await worker.create({ name: 'storm', config: counting('storm-0') })
    await Promise.all(Array.from({ length: 100 }, (_, index) => worker.putConfig('storm', counting(`storm-${index}`))))
    await worker.putConfig('storm', counting('storm-last', { 'tasks.max': '2' }))
    await eventually(
      () => worker.tasks('storm'),
      (tasks) => tasks?.length === 2 && tasks.every(({ config }) => config['topic'] === 'storm-last'),
    )
    await states('storm', ['RUNNING', 'RUNNING', 'RUNNING'])
    await valuesOf(hub.bootstrap, 'storm-last', (found) => found.length > 3)
    await worker.delete('storm')
  })

  it('is deleted while it starts, and created again', async () => {
    for (let round = 0; round < 5; round++) {
      await worker.create({ name: 'hasty', config: counting('hasty') })
      await worker.delete('hasty')
    }
    await worker.create({ name: 'hasty', config: counting('hasty', { 'tasks.max': '2' }) })
    await states('hasty', ['RUNNING', 'RUNNING', 'RUNNING'])
    await worker.delete('hasty')
    await eventually(
      () => worker.status('hasty'),
      (status) => status === undefined,
    )
  })

  it('is planned again when it asks, and its tasks restart only when the plan differs', async () => {
    await worker.create({ name: 'replans', config: { 'connector.class': 'ReplanSource', topic: 'replans' } })
    const values = await valuesOf(hub.bootstrap, 'replans', (found) => found.includes('second'))
    expect(values.filter((value) => value === 'second')).toHaveLength(1)
    expect(worker.tasks('replans')?.[0]?.config['generation']).toBe('second')
    await worker.delete('replans')
  })
})

describe('restarts', () => {
  it('of the connector, of a task, of all, of what failed', async () => {
    await worker.create({ name: 'again', config: counting('again', { 'tasks.max': '2' }) })
    await states('again', ['RUNNING', 'RUNNING', 'RUNNING'])
    await worker.restartConnector('again')
    expect(statesOf('again')).toEqual(['RUNNING', 'RUNNING', 'RUNNING'])
    await worker.restartTask({ connector: 'again', task: 1 })
    await states('again', ['RUNNING', 'RUNNING', 'RUNNING'])
    const all = await worker.restart('again', { includeTasks: true, onlyFailed: false })
    expect([all.connector.state, ...all.tasks.map(({ state }) => state)]).toEqual(['RESTARTING', 'RESTARTING', 'RESTARTING'])
    await states('again', ['RUNNING', 'RUNNING', 'RUNNING'])
    const none = await worker.restart('again', { includeTasks: true, onlyFailed: true })
    expect([none.connector.state, ...none.tasks.map(({ state }) => state)]).toEqual(['RUNNING', 'RUNNING', 'RUNNING'])
    await worker.delete('again')
  })

  it('while stopped or paused change nothing', async () => {
    await worker.create({ name: 'still', config: counting('still'), initialState: 'STOPPED' })
    await states('still', ['STOPPED'])
    await worker.restartConnector('still')
    await worker.restart('still', { includeTasks: true, onlyFailed: false })
    await states('still', ['STOPPED'])
    await expect(worker.restartTask({ connector: 'still', task: 0 })).rejects.toMatchObject({
      status: 404,
      message: 'Unknown task: still-0',
    })
    await worker.delete('still')
  })
})

describe('refusals', () => {
  it('by the words that clients know', async () => {
    await worker.create({ name: 'taken', config: counting('taken'), initialState: 'STOPPED' })
    const refused = (promise: Promise<unknown>, status: number, message: string): Promise<void> =>
      expect(promise).rejects.toMatchObject({ status, message })
    await refused(worker.create({ name: 'taken', config: counting('taken') }), 409, 'Connector taken already exists')
    await refused(
      worker.create({ name: 'one', config: counting('x', { name: 'two' }) }),
      400,
      "Connector name configuration (two) doesn't match connector name in the URL (one)",
    )
    await refused(worker.putConfig('one', { topic: 'x' }), 400, 'Connector config {name=one, topic=x} contains no connector type')
    await refused(
      worker.create({ name: 'bad', config: { 'connector.class': 'CountSource' } }),
      400,
      'Connector configuration is invalid and contains the following 1 error(s):\nMissing required configuration "topic" which has no default value.\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
    )
    await refused(worker.delete('none'), 404, 'Connector none not found')
    await refused(worker.patchConfig('none', {}), 404, 'Connector none not found')
    for (const act of ['pause', 'resume', 'stop'] as const) await refused(worker[act]('none'), 404, 'Unknown connector none')
    await refused(worker.restartConnector('none'), 404, 'Unknown connector: none')
    await refused(worker.restart('none', { includeTasks: true, onlyFailed: false }), 404, 'Unknown connector: none')
    await refused(worker.restartTask({ connector: 'none', task: 0 }), 404, 'Unknown connector: none')
    expect(worker.status('none')).toBeUndefined()
    expect(worker.tasks('none')).toBeUndefined()
    expect(worker.taskStatus({ connector: 'taken', task: 9 })).toBeUndefined()
    await worker.delete('taken')
  })

  it('two at once make one connector', async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() => worker.create({ name: 'race', config: counting('race'), initialState: 'STOPPED' })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await worker.delete('race')
  })
})

describe('values of config providers', () => {
  it('reach the plugin and nobody else', async () => {
    await using folder = await temporaryFolder()
    const file = await folder.write('secrets.properties', 'password=hunter2hunter2\nempty.topic=provided-topic\n')
    const config = {
      'connector.class': 'TroubleSource',
      topic: `\${file:${file}:empty.topic}`,
      trouble: 'throw',
      password: `\${file:${file}:password}`,
    }
    await worker.create({ name: 'secretive', config })
    await states('secretive', ['RUNNING', 'FAILED'])
    const trace = worker.status('secretive')?.tasks[0]?.trace ?? ''
    expect(trace.split('\n')[0]).toBe('Error: the source gave up with [hidden]')
    expect(trace).toContain('Caused by: TypeError: deep inside')
    expect(worker.tasks('secretive')?.[0]?.config).toMatchObject({ topic: config.topic, password: config.password })
    expect(worker.connector('secretive')?.config).toMatchObject({ password: config.password })
    expect(JSON.stringify([worker.status('secretive'), worker.log.entries])).not.toContain('hunter2')
    await valuesOf(hub.bootstrap, 'provided-topic', (found) => found.includes('before'))
    await worker.delete('secretive')
  })
})
