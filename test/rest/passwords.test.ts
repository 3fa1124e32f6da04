/** Passwords of configurations over REST, with a real worker: shown nowhere, kept when a configuration is read, changed and written back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer } from '../../hub/client/index.ts'
import { memoryClock } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { createRestApp } from '../../hub/rest/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { eventually, type Folder, startWorker, type TestWorker, temporaryFolder } from '../connect/worker.ts'

const connectorModule = `
import { defineConfig, defineSource } from '@millrace/sdk'
const told = { type: 'STRING', default: '', importance: 'LOW' }
export default defineSource({
  class: 'test.Vault', version: '1.0.0',
  config: defineConfig({
    topic: told, host: told, 'token.field': told,
    pin: { type: 'PASSWORD', importance: 'HIGH' },
    spare: { type: 'PASSWORD', default: null, importance: 'LOW' },
  }),
  validate: ({ pin, host }) => (host === 'away' ? [{ key: 'host', message: 'no way to ada:' + pin.value + '@away' }] : []),
  plan: ({ pin, host }, { properties }) => [{ ...properties, address: 'db://ada:' + pin.value + '@' + host }],
  async *run({ pin, topic, host }, { log, signal, sleep, properties }) {
    log.info('logged in', { with: pin.value, address: properties.address })
    if (host === 'broken') throw new Error('cannot log in as ' + pin.value)
    yield [{ topic, value: pin.value, sourcePartition: {}, sourceOffset: {} }]
    while (!signal.aborted) await sleep(1000)
  },
})
export const open = defineSource({
  class: 'test.Open', version: '1.0.0', config: defineConfig({ pin: told, host: told }),
  async *run() {},
})`
const transformModule = `
import { defineConfig, defineTransform } from '@millrace/sdk'
export default defineTransform({
  class: 'test.Pepper', version: '1.0.0',
  config: defineConfig({ pepper: { type: 'PASSWORD', importance: 'HIGH' } }),
  create: ({ pepper }) => {
    if (pepper.value === 'pepper-bad-secret') throw new Error('what is ' + pepper.value)
    return (record) => ({ ...record, value: record.value + ' ' + pepper.value })
  },
})`

let hub: TestHub
let folder: Folder
let worker: TestWorker

beforeAll(async () => {
  hub = await startHub()
  folder = await temporaryFolder()
  await folder.write('vault.ts', connectorModule)
  await folder.write('pepper.ts', transformModule)
  worker = await startWorker(hub.bootstrap, folder.path)
  await worker.started()
})

afterAll(async () => {
  await worker.close()
  await folder[Symbol.asyncDispose]()
  await hub.close()
})

type Config = Readonly<Record<string, string>>
interface Answer {
  readonly status: number
  readonly text: string
  readonly body: { readonly config: Config; readonly message?: string }
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const app = createRestApp(worker, { clock: memoryClock(), logger: memoryLogger() })
  const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await app.fetch(new Request(`http://127.0.0.1:8083${path}`, { method, ...content }))
  const text = await response.text()
  return { status: response.status, text, body: text === '' ? { config: {} } : (JSON.parse(text) as Answer['body']) }
}

const tasksOf = async (name: string): Promise<readonly { readonly config: Config }[]> =>
  JSON.parse((await ask('GET', `/connectors/${name}/tasks`)).text) as readonly { readonly config: Config }[]

const states = (name: string, expected: readonly string[]): Promise<unknown> =>
  eventually(
    () => [worker.status(name)?.connector.state, ...(worker.status(name)?.tasks ?? []).map(({ state }) => state)],
    (found) => JSON.stringify(found) === JSON.stringify(expected),
  )

/** The values that the plugin was given, in the order of its starts, as its records tell. */
async function valuesIn(topic: string, count: number): Promise<readonly string[]> {
  const consumer = createConsumer({ bootstrapServers: hub.bootstrap, offsetReset: 'earliest' })
  const values: string[] = []
  try {
    consumer.assign([{ topic, partition: 0 }])
    await eventually(
      async () => {
        for (const record of await consumer.poll(100)) values.push(record.value?.toString() ?? '')
        return values
      },
      () => values.length >= count,
    )
  } finally {
    await consumer.close()
  }
  return values
}

const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required password="jaas-secret";'
const secrets = ['pin-one-secret', 'pin-two-secret', 'pepper-secret', 'pepper-bad-secret', 'jaas-secret']
const vault = (topic: string, more: Config = {}): Config => ({
  'connector.class': 'test.Vault',
  topic,
  host: 'db',
  'token.field': 'a token',
  pin: 'pin-one-secret',
  ...more,
})
const peppered = { transforms: 'p', 'transforms.p.type': 'test.Pepper', 'transforms.p.pepper': 'pepper-secret' }
const refused = (key: string): object => ({
  status: 400,
  body: {
    error_code: 400,
    message: `the value of ${key} is [hidden], which stands for a password that is not shown; write the password or a \${file:…} placeholder`,
  },
})

function expectNoSecret(...shown: readonly unknown[]): void {
  const text = JSON.stringify(shown)
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
}

describe('passwords', () => {
  it('are in no answer, no log line, and reach the plugin', async () => {
    const config = vault('told', { ...peppered, 'unknown.secret': 'pin-two-secret' })
    const created = await ask('POST', '/connectors', { name: 'told', config })
    const shown = { ...config, pin: '[hidden]', 'transforms.p.pepper': '[hidden]', 'unknown.secret': '[hidden]', name: 'told' }
    expect([created.status, created.body.config]).toEqual([201, shown])
    await states('told', ['RUNNING', 'RUNNING'])
    expect(await valuesIn('told', 1)).toEqual(['pin-one-secret pepper-secret'])
    const answers = [
      await ask('GET', '/connectors/told'),
      await ask('GET', '/connectors?expand=info&expand=status'),
      await ask('GET', '/connectors/told/status'),
      await ask('PUT', '/connectors/told/config', config),
      await ask('PATCH', '/connectors/told/config', { host: 'other' }),
      await ask('PUT', '/connector-plugins/test.Vault/config/validate', { ...shown, host: 'away' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
    expect(answers[0]?.body.config).toEqual(shown)
    expect(answers[5]?.text).toContain('no way to ada:[hidden]@away')
    expect((await ask('GET', '/connectors/told/config')).text).toBe(JSON.stringify({ ...shown, host: 'other' }))
    const [task] = await eventually(
      () => tasksOf('told'),
      ([first]) => first?.config['host'] === 'other',
    )
    expect(task?.config).toEqual({ ...shown, host: 'other', address: 'db://ada:[hidden]@other', 'task.class': 'test.Vault' })
    await eventually(
      () => worker.log.entries.filter(({ facts }) => facts['with'] === '[hidden]' && facts['address'] === 'db://ada:[hidden]@db').length,
      (count) => count > 0,
    )
    expectNoSecret(created.text, answers, task, worker.log.entries)
    await ask('DELETE', '/connectors/told')
  })

  it('are in no trace, of tasks, transforms or clients', async () => {
    await ask('POST', '/connectors', { name: 'broken', config: vault('broken', { host: 'broken' }) })
    const config = vault('bad', { ...peppered, 'transforms.p.pepper': 'pepper-bad-secret' })
    await ask('POST', '/connectors', { name: 'bad', config })
    await states('broken', ['RUNNING', 'FAILED'])
    await states('bad', ['RUNNING', 'FAILED'])
    const traces = [worker.status('broken'), worker.status('bad')].map((status) => status?.tasks[0]?.trace?.split('\n')[0])
    expect(traces).toEqual(['Error: cannot log in as [hidden]', expect.stringContaining('what is [hidden]')])
    expectNoSecret(worker.status('broken'), worker.status('bad'), worker.log.entries)
    await ask('DELETE', '/connectors/broken')
    await ask('DELETE', '/connectors/bad')
  })

  it('of client overrides are hidden by the definitions of the clients', async () => {
    const config = vault('clients', { 'producer.override.linger.ms': '1', 'producer.override.sasl.jaas.config': jaas })
    const created = await ask('POST', '/connectors', { name: 'clients', config })
    expect(created.body.config).toMatchObject({ 'producer.override.linger.ms': '1', 'producer.override.sasl.jaas.config': '[hidden]' })
    // This version's client has no SASL and says so.
    await states('clients', ['RUNNING', 'FAILED'])
    expectNoSecret(
      created.text,
      await ask('GET', '/connectors/clients'),
      await tasksOf('clients'),
      worker.status('clients'),
      worker.log.entries,
    )
    await ask('DELETE', '/connectors/clients')
  })
})

describe('a configuration that is read, changed and written back', () => {
  it('keeps its passwords, over PUT, PATCH and a restart of the worker', async () => {
    await ask('POST', '/connectors', { name: 'round', config: vault('round', peppered) })
    expect(await valuesIn('round', 1)).toEqual(['pin-one-secret pepper-secret'])
    const read = (await ask('GET', '/connectors/round/config')).text
    const written = { ...(JSON.parse(read) as Config), host: 'changed' }
    const put = await ask('PUT', '/connectors/round/config', written)
    expect([put.status, put.body.config]).toEqual([200, written])
    expect((await valuesIn('round', 2)).at(-1)).toBe('pin-one-secret pepper-secret')
    const patched = await ask('PATCH', '/connectors/round/config', { pin: '[hidden]', 'transforms.p.pepper': 'pepper-bad' })
    expect([patched.status, patched.body.config]).toEqual([200, written])
    expect((await valuesIn('round', 3)).at(-1)).toBe('pin-one-secret pepper-bad')
    await ask('PATCH', '/connectors/round/config', { pin: 'pin-two-secret' })
    expect((await valuesIn('round', 4)).at(-1)).toBe('pin-two-secret pepper-bad')
    await worker.close()
    worker = await startWorker(hub.bootstrap, folder.path)
    await worker.started()
    expect((await ask('GET', '/connectors/round/config')).body).toEqual(written)
    expect((await valuesIn('round', 5)).at(-1)).toBe('pin-two-secret pepper-bad')
    expect((await ask('PUT', '/connectors/round/config', { ...written, host: 'again' })).status).toBe(200)
    expect((await valuesIn('round', 6)).at(-1)).toBe('pin-two-secret pepper-bad')
    // What is stored counts when it is a write's turn.
    const both = [ask('PATCH', '/connectors/round/config', { pin: 'pin-one-secret' }), ask('PUT', '/connectors/round/config', written)]
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
    await ask('PATCH', '/connectors/round/config', { topic: 'round-2' })
    expect(await valuesIn('round-2', 1)).toEqual(['pin-one-secret pepper-bad'])
    await ask('DELETE', '/connectors/round')
  })

  it('is refused where [hidden] stands for nothing', async () => {
    expect(await ask('POST', '/connectors', { name: 'new', config: vault('new', { pin: '[hidden]' }) })).toMatchObject(refused('pin'))
    expect(await ask('PUT', '/connectors/new/config', vault('new', { pin: '[hidden]' }))).toMatchObject(refused('pin'))
    expect((await ask('GET', '/connectors/new')).status).toBe(404)
    await ask('POST', '/connectors', { name: 'new', config: vault('new') })
    for (const [key, change] of [
      ['spare', { spare: '[hidden]' }],
      ['transforms.p.pepper', { ...peppered, 'transforms.p.pepper': '[hidden]' }],
      // Nobody reads a password by another plugin's name.
      ['pin', { 'connector.class': 'test.Open', pin: '[hidden]' }],
    ] as const) {
      expect(await ask('PUT', '/connectors/new/config', vault('new', change))).toMatchObject(refused(key))
      expect(await ask('PATCH', '/connectors/new/config', change)).toMatchObject(refused(key))
      const type = vault('new', change)['connector.class'] ?? ''
      expect(await ask('PUT', `/connector-plugins/${type}/config/validate`, { name: 'new', ...vault('new', change) })).toMatchObject(
        refused(key),
      )
    }
    expect(await ask('PATCH', '/connectors/new/config', { 'connector.class': 'test.Open' })).toMatchObject(refused('pin'))
    const open = await ask('PATCH', '/connectors/new/config', { 'connector.class': 'test.Open', pin: 'open' })
    expect([open.status, open.body.config['pin']]).toEqual([200, 'open'])
    const classless = await ask('PATCH', '/connectors/new/config', { 'connector.class': null })
    expect(classless.status).toBe(400)
    expectNoSecret(classless.text)
    await ask('DELETE', '/connectors/new')
  })

  it('keeps its placeholders, which are no passwords', async () => {
    const file = await folder.write('pins.properties', 'pin=pin-one-secret\nhalf=two-secret\n')
    const [whole, half] = [`\${file:${file}:pin}`, `pin-\${file:${file}:half}`]
    const created = await ask('POST', '/connectors', { name: 'provided', config: vault('provided', { pin: whole, spare: half }) })
    expect(created.body.config).toMatchObject({ pin: whole, spare: '[hidden]' })
    await states('provided', ['RUNNING', 'RUNNING'])
    const [task] = await tasksOf('provided')
    expect(task?.config).toMatchObject({ pin: whole, spare: '[hidden]', address: `db://ada:${whole}@db` })
    const read = (await ask('GET', '/connectors/provided')).body.config
    expect((await ask('PUT', '/connectors/provided/config', read)).status).toBe(200)
    expect(worker.log.entries.filter(({ message }) => message === 'logged in')).not.toEqual([])
    expectNoSecret(created.text, task, worker.log.entries)
    await ask('DELETE', '/connectors/provided')
  })
})

it('of a plugin that is uninstalled, what is named like a secret is hidden', async () => {
  await ask('POST', '/connectors', { name: 'orphan', config: vault('orphan', { 'db.password': 'pin-two-secret', pin: 'a pin' }) })
  await states('orphan', ['RUNNING', 'RUNNING'])
  await worker.close()
  await using empty = await temporaryFolder()
  worker = await startWorker(hub.bootstrap, empty.path)
  await worker.started()
  const shown = await ask('GET', '/connectors/orphan')
  expect(shown.body.config).toMatchObject({ 'connector.class': 'test.Vault', 'db.password': '[hidden]', 'token.field': '[hidden]' })
  await states('orphan', ['FAILED', 'FAILED'])
  expectNoSecret(shown.text, await tasksOf('orphan'), worker.status('orphan'), worker.log.entries)
  await ask('DELETE', '/connectors/orphan')
})
