import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHosts } from '../../hub/connect/hosts.ts'
import type { ConfigText, State } from '../../hub/connect/index.ts'
import { nodeWorld } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { eventually, startWorker, type TestWorker, troubleBegins } from './worker.ts'

const plugins = new URL('./fixtures/plugins', import.meta.url).pathname
let hub: TestHub
let worker: TestWorker

beforeAll(async () => {
  hub = await startHub()
  worker = await startWorker(hub.bootstrap, plugins, { 'task.shutdown.graceful.timeout.ms': '300' })
  await worker.started()
  await worker.create({ name: 'bystander', config: { 'connector.class': 'CountSource', topic: 'bystander' } })
  await states('bystander', ['RUNNING', 'RUNNING'])
})

afterAll(async () => {
  await worker.close()
  await hub.close()
})

const troubled = (trouble: string, more: ConfigText = {}): ConfigText => ({
  'connector.class': 'TroubleSource',
  topic: 'trouble',
  trouble,
  ...more,
})
const healthy: ConfigText = { 'connector.class': 'CountSource', topic: 'trouble' }

function states(name: string, expected: readonly State[]): Promise<unknown> {
  return eventually(
    () => {
      const status = worker.status(name)
      return [status?.connector.state, ...(status?.tasks ?? []).map(({ state }) => state)]
    },
    (found) => JSON.stringify(found) === JSON.stringify(expected),
  )
}

const taskTrace = (name: string): string => worker.status(name)?.tasks[0]?.trace ?? ''

/** The worker and its other connectors go on. */
async function nobodyElseSuffers(): Promise<void> {
  expect(worker.health().status).toBe('healthy')
  const before = Number((await worker.offsets('bystander')).offsets[0]?.offset['count'])
  await eventually(
    async () => Number((await worker.offsets('bystander')).offsets[0]?.offset['count']),
    (count) => count > before,
  )
  expect(worker.status('bystander')?.tasks[0]?.state).toBe('RUNNING')
}

describe('a plugin that takes its thread down', () => {
  it.each([
    ['uncaught', 'Error: nobody catches this'],
    ['rejection', 'Error: nobody looks at this'],
    ['exit', "Error: the connector's thread ended by process.exit(7)"],
  ])('%s: its tasks are FAILED with the cause, a restart or a new configuration heals it', async (trouble, cause) => {
    await worker.create({ name: trouble, config: troubled(trouble) })
    await states(trouble, ['FAILED', 'FAILED'])
    expect(taskTrace(trouble).split('\n')[0]).toBe(cause)
    await nobodyElseSuffers()
    const restarting = await worker.restart(trouble, { includeTasks: true, onlyFailed: true })
    expect(restarting.tasks[0]?.state).toBe('RESTARTING')
    // It runs too shortly for RUNNING to be seen for sure, and a thread that exits may take its last words along.
    await states(trouble, ['FAILED', 'FAILED'])
    await worker.restartTask({ connector: trouble, task: 0 })
    await states(trouble, ['FAILED', 'FAILED'])
    await worker.putConfig(trouble, healthy)
    await states(trouble, ['RUNNING', 'RUNNING'])
    await worker.delete(trouble)
  })

  it('a full heap ends its thread alone', async () => {
    const hosts = createHosts({ isolation: 'thread', world: nodeWorld(), logger: worker.log, heapMegabytesMax: 64 })
    const small = await startWorker(
      hub.bootstrap,
      plugins,
      { 'config.storage.topic': 'c2', 'offset.storage.topic': 'o2', 'status.storage.topic': 's2' },
      { hosts: hosts.start },
    )
    try {
      await small.create({ name: 'greedy', config: troubled('oom') })
      await eventually(
        () => small.status('greedy')?.tasks[0],
        (task) => task?.state === 'FAILED',
        40_000,
      )
      expect(small.status('greedy')?.tasks[0]?.trace).toMatch(/^Error: Worker terminated due to reaching memory limit/)
      await small.create({ name: 'modest', config: healthy })
      await eventually(
        () => small.status('modest')?.tasks[0]?.state,
        (state) => state === 'RUNNING',
      )
    } finally {
      await small.close()
      await hosts.close()
    }
    await nobodyElseSuffers()
  })
})

describe('a plugin that does not come to an end', () => {
  it('loop: a pause takes it out of its loop', async () => {
    await worker.create({ name: 'busy', config: troubled('loop') })
    await states('busy', ['RUNNING', 'RUNNING'])
    await troubleBegins(worker, 'busy')
    await worker.pause('busy')
    await states('busy', ['PAUSED', 'PAUSED'])
    await worker.delete('busy')
    await eventually(
      () => worker.status('busy'),
      (status) => status === undefined,
    )
  })

  it.each(['loop', 'hang'])('%s: is ended with the grace when it is stopped, changed, deleted', async (trouble) => {
    await worker.create({ name: trouble, config: troubled(trouble) })
    await eventually(
      () => worker.offsets(trouble),
      ({ offsets }) => offsets.length === 1 || trouble === 'loop',
    )
    await states(trouble, ['RUNNING', 'RUNNING'])
    await troubleBegins(worker, trouble)
    await nobodyElseSuffers()
    await worker.putConfig(trouble, troubled(trouble, { change: 'yes' }))
    await eventually(
      () => worker.tasks(trouble)?.[0]?.config['change'],
      (change) => change === 'yes',
    )
    await troubleBegins(worker, trouble, 2)
    await worker.stop(trouble)
    await states(trouble, ['STOPPED'])
    await worker.resume(trouble)
    await states(trouble, ['RUNNING', 'RUNNING'])
    await worker.delete(trouble)
    await eventually(
      () => worker.status(trouble),
      (status) => status === undefined,
    )
  })

  it.each(['plan-hangs', 'plan-loops'])('%s: what replaces it runs after the grace', async (trouble) => {
    await worker.create({ name: trouble, config: troubled(trouble) })
    await states(trouble, ['RUNNING'])
    await worker.putConfig(trouble, healthy)
    await states(trouble, ['RUNNING', 'RUNNING'])
    await worker.putConfig(trouble, troubled(trouble))
    await worker.delete(trouble)
    await eventually(
      () => worker.status(trouble),
      (status) => status === undefined,
    )
  })
})

describe('a plugin that fails in order', () => {
  it('in a task: the task is FAILED, the connector is not; a restart of the task runs it again', async () => {
    await worker.create({ name: 'throws', config: troubled('throw', { password: 'correct-horse' }) })
    await states('throws', ['RUNNING', 'FAILED'])
    expect(taskTrace('throws')).toMatch(/^Error: the source gave up with \[hidden\]\n/)
    await worker.restartConnector('throws')
    await states('throws', ['RUNNING', 'FAILED'])
    await worker.restartTask({ connector: 'throws', task: 0 })
    await troubleBegins(worker, 'throws', 2)
    await states('throws', ['RUNNING', 'FAILED'])
    await worker.pause('throws')
    await states('throws', ['PAUSED', 'FAILED'])
    await worker.delete('throws')
  })

  it('in the plan: the connector is FAILED with the cause, without secrets', async () => {
    await worker.create({ name: 'no-plan', config: troubled('plan-throws', { password: 'correct-horse' }) })
    await states('no-plan', ['FAILED'])
    expect(worker.status('no-plan')?.connector.trace?.split('\n')[0]).toBe('Error: no plan with [hidden]')
    expect(JSON.stringify(worker.log.entries)).not.toContain('correct-horse')
    await worker.delete('no-plan')
  })

  it('in the plan, for a while: it is planned again', async () => {
    await worker.create({ name: 'later', config: troubled('plan-retriable') })
    await eventually(
      () => worker.log.entries.filter(({ facts }) => facts['connector'] === 'later' && facts['cause'] !== undefined),
      (waits) => waits.length >= 3,
    )
    await states('later', ['RUNNING'])
    await worker.putConfig('later', healthy)
    await states('later', ['RUNNING', 'RUNNING'])
    await worker.delete('later')
  })

  it('with too many tasks: FAILED, or a warning where tasks.max is not enforced', async () => {
    await worker.create({ name: 'many', config: troubled('plan-too-many') })
    await states('many', ['FAILED'])
    expect(worker.status('many')?.connector.trace).toMatch(
      /^org\.apache\.kafka\.connect\.runtime\.TooManyTasksException: The connector many has generated 2 tasks, which is greater than 1,/,
    )
    await worker.putConfig('many', troubled('plan-too-many', { 'tasks.max.enforce': 'false' }))
    await eventually(
      () => worker.tasks('many'),
      (tasks) => tasks?.length === 2,
    )
    await worker.delete('many')
  })
})
