/**
 * @module test/e2e/connect-faults — a source of numbers and a sink with a ledger (test/connect/fixtures/plugins/numbers.ts) run in a hub that
 * is killed (−9), stopped and started again with other settings, while both are paused, stopped, restarted, reconfigured, deleted and made
 * anew by REST. Whatever happens, nothing may be lost between the source and the ledger: `connect-faults-checker.ts` says what is looked at.
 *
 * The plan of faults comes from a seed, which a failure names; MILLRACE_SEED runs that plan again (not its timing), MILLRACE_LONG runs a
 * longer one.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAdmin } from '../../hub/client/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { Checker } from './connect-faults-checker.ts'
import { type ConnectorName, type Fault, GRACE_MS_MAX, type Life, type Plan, planOf } from './connect-faults-plan.ts'

const isLong = process.env['MILLRACE_LONG'] !== undefined
const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 1_000_000))
const faultCount = isLong ? 120 : 8
/** After so many faults everything must have come further. */
const FAULTS_PER_PROGRESS = 4
/** How long something may be shown as FAILED before it must have healed. */
const FAILURE_MS_MAX = 0
const PARTITION_COUNT = 4
const TOPIC = 'numbers'
const WAIT_MS_MAX = 60_000
const plugins = new URL('../connect/fixtures/plugins', import.meta.url).pathname

let folder: string
let hub: HubProcess
let checker: Checker
/** What the connectors are told, for when they are made anew. */
const configs = new Map<ConnectorName, Readonly<Record<string, string>>>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-connect-faults-'))
  await mkdir(join(folder, 'plugin'))
  checker = new Checker({
    directory: join(folder, 'plugin'),
    topic: TOPIC,
    offsetsTopic: 'connect-offsets',
    sourceName: 'numbers-in',
    sinkName: 'numbers-out',
    partitionCount: PARTITION_COUNT,
  })
})

afterAll(async () => {
  await hub.end('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

async function start({ graceMs, isolation, flushIntervalMs }: Life): Promise<void> {
  hub = await startHubProcess({
    directory: join(folder, 'data'),
    connect: true,
    overrides: {
      'connect.plugin.path': plugins,
      'connect.offset.storage.topic': 'connect-offsets',
      'connect.offset.storage.partitions': '1',
      'connect.offset.flush.interval.ms': String(flushIntervalMs),
      'connect.task.shutdown.graceful.timeout.ms': String(graceMs),
      'connect.millrace.tasks.isolation': isolation,
      'connect.key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'connect.value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    },
  })
}

/** Asks the worker; a connector that is being changed (409), or has no such task for now (404), is asked again. */
async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const endMs = performance.now() + WAIT_MS_MAX
  for (;;) {
    const response = await fetch(`${hub.connectUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(WAIT_MS_MAX),
    })
    const text = await response.text()
    if (response.ok) return text === '' ? null : JSON.parse(text)
    if (![404, 409].includes(response.status) || performance.now() > endMs) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    await sleep(20)
  }
}

interface Status {
  readonly connector: { readonly state: string; readonly trace?: string }
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[]
}

async function statusOf(name: ConnectorName): Promise<Status> {
  return (await ask('GET', `/connectors/${name}/status`)) as Status
}

/** Looks; rejects with all that must not be: breaches, and failures that stand, for nothing here is a reason to fail. */
async function look(): Promise<void> {
  await checker.look(hub.bootstrap)
  expect(checker.breaches).toEqual([])
  const endMs = performance.now() + FAILURE_MS_MAX
  for (;;) {
    const failures = await failuresOf([...configs.keys()])
    if (failures.length === 0) return
    if (performance.now() > endMs) throw new Error(failures.join('\n'))
    await sleep(20)
  }
}

async function failuresOf(names: readonly ConnectorName[]): Promise<readonly string[]> {
  const statuses = await Promise.all(names.map(statusOf))
  return statuses
    .flatMap(({ connector, tasks }) => [connector, ...tasks])
    .filter(({ state }) => state === 'FAILED')
    .map(({ trace }) => trace ?? 'FAILED')
}

/** Looks until a condition holds. */
async function lookUntil(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX
  for (;;) {
    await look()
    if (await condition()) return
    if (performance.now() > endMs) throw new Error(`not within ${WAIT_MS_MAX} ms: ${what}`)
    await sleep(20)
  }
}

/** Reads and commits go on in every partition. */
async function lookForProgress(): Promise<void> {
  await look()
  const before = checker.partitions.map(({ highest, stored, committed }) => ({ highest, stored, committed }))
  await lookUntil('progress in every partition', () =>
    checker.partitions.every(({ highest, stored, committed }, partition) => {
      const past = before[partition] ?? { highest: 0, stored: 0, committed: 0 }
      return highest > past.highest && stored > past.stored && committed > past.committed
    }),
  )
}

async function make(name: ConnectorName): Promise<void> {
  await ask('POST', '/connectors', { name, config: configs.get(name) })
}

async function configure(name: ConnectorName, change: Readonly<Record<string, string>>): Promise<void> {
  const config = { ...configs.get(name), ...change }
  configs.set(name, config)
  await ask('PUT', `/connectors/${name}/config`, config)
}

/**
 * Pauses or stops a connector. With grace enough a source must then have stored all that it has sent, once it has sent anything in this
 * life of the hub: what an earlier one left half done is sent again before.
 */
async function holdBack(name: ConnectorName, kind: 'pause' | 'stop', { graceMs }: Life): Promise<void> {
  const storesAll = name === 'numbers-in' && graceMs === GRACE_MS_MAX
  if (storesAll) await lookForProgress()
  await ask('PUT', `/connectors/${name}/${kind}`)
  await lookUntilState(name, kind === 'pause' ? 'PAUSED' : 'STOPPED')
  if (storesAll) await lookUntil('the positions of all that was sent', () => checker.isStored)
}

async function lookUntilState(name: ConnectorName, wanted: string): Promise<void> {
  await lookUntil(`${name} ${wanted}`, async () => {
    const { connector, tasks } = await statusOf(name)
    return [connector, ...tasks].every(({ state }) => state === wanted)
  })
}

/** Does what the fault says; resolves with the hub's life from here on. */
async function suffer(fault: Fault, life: Life): Promise<Life> {
  switch (fault.kind) {
    case 'kill':
      await hub.end('SIGKILL')
      break
    case 'terminate':
      expect(await hub.end('SIGTERM'), hub.stderr()).toBe(0)
      break
    case 'kill-ending': {
      const ended = hub.end('SIGTERM')
      await sleep(fault.afterMs)
      await hub.end('SIGKILL')
      await ended
      break
    }
    case 'kill-stopping':
      await ask('PUT', `/connectors/${fault.connector}/stop`)
      await sleep(fault.afterMs)
      await hub.end('SIGKILL')
      break
    case 'pause':
    case 'stop':
      await holdBack(fault.connector, fault.kind, life)
      await sleep(fault.forMs)
      await ask('PUT', `/connectors/${fault.connector}/resume`)
      return life
    case 'restart':
      await ask('POST', `/connectors/${fault.connector}/restart?includeTasks=true`)
      return life
    case 'restart-task':
      await ask('POST', `/connectors/${fault.connector}/tasks/0/restart`)
      return life
    case 'recreate':
      await ask('DELETE', `/connectors/${fault.connector}`)
      await make(fault.connector)
      return life
    case 'configure':
      await configure(fault.connector, fault.change)
      return life
  }
  if ('downMs' in fault) await sleep(fault.downMs)
  await start(fault.life)
  if (fault.kind === 'kill-stopping') await ask('PUT', `/connectors/${fault.connector}/resume`)
  return fault.life
}

async function begin({ life, config }: Plan): Promise<void> {
  await start(life)
  const admin = createAdmin({ bootstrapServers: hub.bootstrap })
  await admin.createTopics([{ name: TOPIC, partitionCount: PARTITION_COUNT }])
  await admin.close()
  const shared = { directory: join(folder, 'plugin') }
  const streams = String(PARTITION_COUNT)
  configs.set('numbers-in', { ...shared, ...config, 'connector.class': 'NumbersSource', topic: TOPIC, streams })
  configs.set('numbers-out', { ...shared, ...config, 'connector.class': 'NumbersSink', topics: TOPIC })
  await make('numbers-in')
  await make('numbers-out')
  await lookForProgress()
}

/** A last life in which both stop in order; then the source comes to its end, and everything through the sink. */
async function finish(): Promise<void> {
  expect(await hub.end('SIGTERM'), hub.stderr()).toBe(0)
  const life = { graceMs: GRACE_MS_MAX, isolation: 'thread', flushIntervalMs: 100 }
  await start(life)
  await lookForProgress()
  await holdBack('numbers-out', 'stop', life)
  await ask('PUT', '/connectors/numbers-out/resume')
  await holdBack('numbers-in', 'stop', life)
  const ends = checker.partitions.map(({ highest }) => highest + 200)
  await configure('numbers-in', { until: ends.join() })
  await ask('PUT', '/connectors/numbers-in/resume')
  await lookUntil(`all numbers up to ${ends.join()}, stored and committed`, () => checker.isComplete(ends))
  // The worker's own view is the same.
  const { offsets } = (await ask('GET', '/connectors/numbers-in/offsets')) as { offsets: { partition: object; offset: object }[] }
  const stored = ends.map((count, stream) => ({ partition: { stream, by: 'record' }, offset: { count } }))
  expect(offsets).toEqual(expect.arrayContaining(stored))
  expect(await hub.end('SIGTERM'), hub.stderr()).toBe(0)
}

it(`loses nothing over ${faultCount} faults`, { timeout: isLong ? 30 * 60_000 : 3 * 60_000 }, async () => {
  const plan = planOf(seed, faultCount)
  const done: string[] = [JSON.stringify(plan.life)]
  try {
    let life = plan.life
    await begin(plan)
    for (const [index, fault] of plan.faults.entries()) {
      await sleep(fault.waitMs)
      done.push(JSON.stringify(fault))
      life = await suffer(fault, life)
      await ((index + 1) % FAULTS_PER_PROGRESS === 0 ? lookForProgress() : look())
    }
    await finish()
  } catch (error) {
    const story = [`MILLRACE_SEED=${seed}, after:`, ...done.slice(-12), checker.summary, hub.stderr().slice(-4_000)]
    throw new Error(`${(error as Error).message}\n${story.join('\n')}`, { cause: error })
  }
})
