import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createHosts, HOST_DEFAULTS, type Hosts, type Isolation } from '../../hub/connect/hosts.ts'
import { createThreadInspector, INSPECTOR_LIMITS } from '../../hub/connect/inspector.ts'
import type { ConnectorThreadData, ThreadEvent } from '../../hub/connect/worker-types.ts'
import { memoryClock, nodeWorld } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { eventually, temporaryFolder } from './worker.ts'

const world = nodeWorld()
const plugins = new URL('./fixtures/plugins', import.meta.url).pathname
const opened: Hosts[] = []

afterEach(async () => {
  for (const hosts of opened.splice(0)) await hosts.close()
})

const hostsOf = (isolation: Isolation, hasSpare = false): Hosts => {
  const hosts = createHosts({ isolation, world, logger: memoryLogger(), hasSpare })
  opened.push(hosts)
  return hosts
}

async function dataOf(connector: string): Promise<ConnectorThreadData> {
  const own = createThreadInspector({ pluginPaths: [plugins], workerDefaults: {} }, world.clock, memoryLogger())
  const { plugins: found } = await own.catalog()
  await own.close()
  return {
    connector,
    plugins: found,
    logLevel: 'info',
    settings: {
      groupId: 'g',
      offsetStorageTopic: 'o',
      offsetFlushIntervalMs: 1000,
      offsetFlushTimeoutMs: 1000,
      topicCreationEnable: false,
      workerConfig: {},
    },
  }
}

const control = { readOffsets: async () => [] }

describe.each<Isolation>(['thread', 'shared', 'inline'])('a host, isolation %s', (isolation) => {
  it('loads a connector, plans it, tells events, and ends', async () => {
    const events: ThreadEvent[] = []
    const host = hostsOf(isolation).start(await dataOf('c'), { control, onEvent: (event) => events.push(event) })
    const config = { 'connector.class': 'CountSource', topic: 't', 'tasks.max': '2' }
    expect(await host.calls.startConnector({ config, targetState: 'STARTED' })).toEqual({
      type: 'source',
      version: '1.2.3',
      taskClass: 'test.CountSource',
    })
    expect(await host.calls.plan({ taskCountMax: 2 })).toEqual([
      { ...config, part: '0' },
      { ...config, part: '1' },
    ])
    await expect(host.calls.startConnector({ config: { 'connector.class': 'Nothing' }, targetState: 'STARTED' })).rejects.toThrow(
      /^Failed to find any class that implements Connector and which name matches Nothing/,
    )
    await expect(host.calls.startConnector({ config: { 'connector.class': 'CountSource' }, targetState: 'STARTED' })).rejects.toMatchObject(
      {
        className: 'ConfigException',
      },
    )
    await host.calls.close({ graceMs: 100 })
    await host.end()
    expect(await host.ended).toBeUndefined()
    await expect(host.calls.plan({ taskCountMax: 1 })).rejects.toThrow(/was ended/)
  })
})

describe('the spare thread', () => {
  it('is taken by the next connector, and made again some time later', async () => {
    const clock = memoryClock()
    const hosts = createHosts({ isolation: 'thread', world: { ...world, clock }, logger: memoryLogger() })
    opened.push(hosts)
    hosts.warmUp()
    hosts.warmUp()
    expect(hosts.threadCount).toBe(1)
    const host = hosts.start(await dataOf('quick'), { control, onEvent: () => {} })
    expect(hosts.threadCount).toBe(1)
    await host.calls.startConnector({ config: { 'connector.class': 'NowhereSink', topics: 't' }, targetState: 'PAUSED' })
    await clock.advance(HOST_DEFAULTS.spareDelayMs)
    expect(hosts.threadCount).toBe(2)
    await host.end()
    expect(await host.ended).toBeUndefined()
    expect(hosts.threadCount).toBe(1)
    await hosts.close()
    expect(hosts.threadCount).toBe(0)
  })
})

describe('the inspection thread', () => {
  it('lists plugins, and is there again after a plugin has brought it down', async () => {
    await using folder = await temporaryFolder()
    await folder.write(
      'killer.ts',
      `import { defineConfig, defineSource } from '@millrace/sdk'
export default defineSource({
  class: 'test.Killer', version: '1.0.0', config: defineConfig({}),
  validate: () => process.exit(3),
  async *run() {},
})`,
    )
    const logger = memoryLogger()
    const own = createThreadInspector({ pluginPaths: [folder.path], workerDefaults: {} }, world.clock, logger)
    try {
      const config = {
        name: 'x',
        'connector.class': 'test.Killer',
        'key.converter': 'StringConverter',
        'value.converter': 'StringConverter',
      }
      await expect(own.validate({ config, written: config })).rejects.toMatchObject({
        status: 500,
        message: 'The inspection of plugins ended: process.exit(3)',
      })
      expect(logger.messages('error')).toEqual(['the inspection of plugins ended, a plugin brought it down'])
      const { plugins: found } = await own.catalog()
      expect(found.map((plugin) => plugin.class)).toContain('test.Killer')
    } finally {
      await own.close()
    }
    await expect(own.catalog()).rejects.toMatchObject({ status: 500 })
  })

  it.each([
    ['calls process.exit', 'process.exit(3)', /brought the inspection down \(process\.exit\(3\)\)/],
    [
      'throws in a callback',
      "queueMicrotask(() => { throw new Error('nobody catches this') })\nawait new Promise(() => {})",
      /nobody catches this/,
    ],
    ['calls an imported exit', "const { exit } = await import('node:process')\nexit(4)", /process\.exit\(4\)/],
  ])('goes on without a module that %s while it is imported, and names it', async (_what, statement, reason) => {
    await using folder = await temporaryFolder()
    const broken = await folder.write('broken.ts', statement)
    // Its timer strikes while others are imported: they are not to blame.
    const late = await folder.write(
      'a-late.ts',
      'setImmediate(() => process.exit(5))\nawait new Promise((resolve) => setImmediate(resolve))',
    )
    await folder.write(
      'sound.ts',
      `import { defineConfig, defineSink } from '@millrace/sdk'
export default defineSink({ class: 'test.Sound', version: '1.0.0', config: defineConfig({}), start: () => ({ write() {} }) })`,
    )
    const logger = memoryLogger()
    const clock = memoryClock()
    const own = createThreadInspector({ pluginPaths: [folder.path], workerDefaults: {} }, clock, logger)
    try {
      const [{ plugins: found, problems }, keys] = await Promise.all([own.catalog(), own.describe('test.Sound')])
      expect(found.map((plugin) => plugin.class)).toContain('test.Sound')
      expect(keys[0]?.name).toBe('name')
      expect(problems.map(({ path }) => path).sort()).toEqual([late, broken])
      expect(problems.find(({ path }) => path === broken)?.message).toMatch(reason)
      expect(logger.messages('error')).toHaveLength(2)
      // Mended, it is found when plugins are looked for anew.
      await folder.write('broken.ts', 'export {}')
      await clock.advance(INSPECTOR_LIMITS.idleMsMax)
      const again = await own.catalog()
      expect(again.problems.find(({ path }) => path === broken)?.message).toMatch(/exports no plugin/)
    } finally {
      await own.close()
    }
  })

  it('takes no notice of what plugins post to the main thread', async () => {
    await using folder = await temporaryFolder()
    const posts = ['null', '5', "{ kind: 'exiting', stack: 5 }", "{ kind: 'importing' }", "{ kind: 'other' }"]
    await folder.write(
      'chatty.ts',
      `import { parentPort } from 'node:worker_threads'\n${posts.map((post) => `parentPort?.postMessage(${post})`).join('\n')}\nprocess.exit(6)`,
    )
    const own = createThreadInspector({ pluginPaths: [folder.path], workerDefaults: {} }, world.clock, memoryLogger())
    try {
      expect((await own.catalog()).problems).toEqual([expect.objectContaining({ message: expect.stringMatching(/process\.exit\(6\)/) })])
    } finally {
      await own.close()
    }
  })

  it('goes on without a module that never ends its import, as soon as that is clear', async () => {
    await using folder = await temporaryFolder()
    const begun = join(folder.path, 'begun')
    const loop = await folder.write(
      'loop.ts',
      `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(begun)}, '')\nfor (;;);`,
    )
    const clock = memoryClock()
    const logger = memoryLogger()
    const own = createThreadInspector({ pluginPaths: [folder.path], workerDefaults: {} }, clock, logger)
    try {
      const asked = own.catalog()
      await eventually(
        () => existsSync(begun),
        (isThere) => isThere,
      )
      await clock.advance(INSPECTOR_LIMITS.answerMsMax)
      const { problems } = await asked
      expect(problems).toEqual([{ path: loop, message: expect.stringMatching(/keeps its thread busy/) }])
    } finally {
      await own.close()
    }
  })

  it('ends when it is idle, and looks for plugins anew when it is asked again', async () => {
    await using folder = await temporaryFolder()
    const clock = memoryClock()
    const own = createThreadInspector({ pluginPaths: [folder.path], workerDefaults: {} }, clock, memoryLogger())
    const hasOne = async (): Promise<boolean> => (await own.catalog()).plugins.some((plugin) => plugin.class === 'test.Late')
    try {
      expect(await hasOne()).toBe(false)
      await folder.write(
        'late.ts',
        `import { defineConfig, defineSink } from '@millrace/sdk'
export default defineSink({ class: 'test.Late', version: '1.0.0', config: defineConfig({}), start: () => ({ write() {} }) })`,
      )
      expect(await hasOne()).toBe(false)
      await clock.advance(INSPECTOR_LIMITS.idleMsMax)
      expect(await hasOne()).toBe(true)
    } finally {
      await own.close()
    }
  })

  it('asked twice, answers with one scan', async () => {
    const own = createThreadInspector({ pluginPaths: [plugins], workerDefaults: {} }, world.clock, memoryLogger())
    try {
      const [one, two] = await Promise.all([own.catalog(), own.catalog()])
      expect(one).toEqual(two)
      await eventually(
        () => own.describe('CountSource'),
        (keys) => keys[0]?.name === 'topic',
      )
    } finally {
      await own.close()
    }
  })
})
