/** Apache Kafka's own Connect worker on our broker, and our stores on its three topics: each reads what the other has written. */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProducer } from '../../hub/client/index.ts'
import { openConfigStore } from '../../hub/connect/stores/config-store.ts'
import { offsetRecord } from '../../hub/connect/stores/offset-records.ts'
import { openOffsetStore } from '../../hub/connect/stores/offset-store.ts'
import { openStatusStore } from '../../hub/connect/stores/status-store.ts'
import type { ConfigStore, OffsetStore, StatusStore } from '../../hub/connect/stores/types.ts'
import { nodeClock } from '../../hub/io/index.ts'
import { startHub } from '../../hub/testing.ts'
import { storeSetup } from '../connect/stores/store-setup.ts'
import { type Found, type Service, service } from '../services.ts'

/** What the worker of the service calls its group and the topics. */
const GROUP = 'interop'
const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'
const STRINGS = 'org.apache.kafka.connect.storage.StringConverter'

/** Asks until the answer is as wanted; the last answer stands in the failure. */
async function eventually(ask: () => unknown, wanted: unknown): Promise<void> {
  const clock = nodeClock()
  const endMs = clock.monotonicMs() + 30_000
  for (;;) {
    const answer: unknown = await ask()
    try {
      expect(answer).toEqual(wanted)
      return
    } catch (error) {
      if (clock.monotonicMs() > endMs) throw error
    }
    await clock.sleep(50)
  }
}

/** A broker with a worker on it. */
interface Bed {
  readonly bootstrap: string
  readonly url: string
  stop(): Promise<void>
}

const isLong = process.env['MILLRACE_LONG'] !== undefined

describe.each([
  // Our broker has no transactions yet.
  ['our broker', 'disabled', ourBroker],
  ['Apache Kafka, whose worker writes its configurations in transactions', 'enabled', () => service('kafka')],
] as const)('Kafka Connect and our stores on %s', async (_name, exactlyOnce, broker) => {
  const { value, reason } = await bed(exactlyOnce, broker)
  it.skipIf(value === undefined)(`is there${reason === undefined ? '' : ` (${reason})`}`, () => {
    expect(value?.url).toMatch(/^http/)
  })
  if (value === undefined) return
  // Where all is skipped nothing would take it away.
  const directory = await mkdtemp(join(tmpdir(), 'millrace-interop-'))
  afterAll(async () => {
    await value.stop()
    await rm(directory, { recursive: true, force: true })
  })
  conversation(value.url, value.bootstrap, directory)
})

async function ourBroker(): Promise<Found<Service>> {
  const hub = await startHub()
  return { value: { url: hub.bootstrap, stop: () => hub.close() } }
}

async function bed(exactlyOnce: string, startBroker: () => Promise<Found<Service>>): Promise<Found<Bed>> {
  if (!isLong) return { reason: 'only in the long run' }
  const broker = await startBroker()
  if (broker.value === undefined) return broker
  const bootstrap = broker.value.url
  const settings = [`exactly.once.source.support=${exactlyOnce}`, 'offset.storage.partitions=5', 'offset.flush.interval.ms=200']
  Object.assign(process.env, { KAFKA_BOOTSTRAP: bootstrap, CONNECT_GROUP: GROUP, CONNECT_PROPS: settings.join('\n') })
  const worker = await service('kafka-connect')
  if (worker.value === undefined) {
    await broker.value.stop()
    return worker
  }
  const stop = async (): Promise<void> => {
    await worker.value.stop()
    await broker.value.stop()
  }
  return { value: { bootstrap, url: worker.value.url, stop } }
}

function conversation(url: string, bootstrap: string, directory: string): void {
  const file = join(directory, 'in.txt')
  let configs: ConfigStore
  let offsets: OffsetStore
  let statuses: StatusStore
  const ask = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json()
  const send = async (method: string, path: string, body?: unknown): Promise<number> => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).status
  }
  const stateOf = async (name: string): Promise<unknown> => {
    const status = (await ask(`/connectors/${name}/status`)) as { connector?: { state: string }; tasks?: { state: string }[] }
    return [status.connector?.state, ...(status.tasks ?? []).map(({ state }) => state)]
  }

  beforeAll(async () => {
    const topics = {
      'config.storage.topic': `${GROUP}-configs`,
      'offset.storage.topic': `${GROUP}-offsets`,
      'status.storage.topic': `${GROUP}-status`,
    }
    const setup = storeSetup(bootstrap, topics)
    ;[configs, offsets, statuses] = await Promise.all([openConfigStore(setup), openOffsetStore(setup), openStatusStore(setup)])
  })
  afterAll(async () => {
    await Promise.all([configs.close(), offsets.close(), statuses.close()])
  })

  it('we read what it has written', async () => {
    await writeFile(file, 'one\ntwo\n')
    const config = {
      'connector.class': FILE_SOURCE,
      'tasks.max': '1',
      file,
      topic: 'lines',
      'key.converter': STRINGS,
      'value.converter': STRINGS,
    }
    expect(await send('POST', '/connectors', { name: 'theirs', config })).toBe(201)
    await eventually(() => stateOf('theirs'), ['RUNNING', 'RUNNING'])
    await eventually(() => configs.connectors.get('theirs')?.config, await ask('/connectors/theirs/config'))
    const tasks = (await ask('/connectors/theirs/tasks')) as { config: unknown }[]
    expect(configs.connectors.get('theirs')?.taskConfigs).toEqual(tasks.map((task) => task.config))
    await eventually(
      () => [statuses.connector('theirs')?.state, statuses.task({ connector: 'theirs', task: 0 })?.state],
      ['RUNNING', 'RUNNING'],
    )
    await eventually(() => offsets.all('theirs'), [{ partition: { filename: file }, offset: { position: 8 } }])
    await eventually(() => statuses.topics('theirs'), ['lines'])
    await appendFile(file, 'three\n')
    await eventually(() => offsets.read('theirs', [{ filename: file }]), [{ position: 14 }])
  })

  it('it does what we write', async () => {
    await configs.putTargetState('theirs', 'PAUSED')
    await eventually(() => stateOf('theirs'), ['PAUSED', 'PAUSED'])
    await configs.putTargetState('theirs', 'STARTED')
    await eventually(() => stateOf('theirs'), ['RUNNING', 'RUNNING'])
    const config = {
      name: 'ours',
      'connector.class': FILE_SOURCE,
      'tasks.max': '1',
      file,
      topic: 'copies',
      'key.converter': STRINGS,
      'value.converter': STRINGS,
    }
    await configs.putConnector('ours', config, 'STOPPED')
    await eventually(() => ask('/connectors/ours/config'), config)
    await eventually(() => stateOf('ours'), ['STOPPED'])
    await configs.putTargetState('ours', 'STARTED')
    await eventually(() => stateOf('ours'), ['RUNNING', 'RUNNING'])
    await configs.putConnector('ours', { ...config, file: join(directory, 'other.txt') }, null)
    await eventually(
      async () => ((await ask('/connectors/ours/tasks')) as { config: { file: string } }[]).map((task) => task.config.file),
      [join(directory, 'other.txt')],
    )
    // A stop is an empty set of tasks first, as the worker itself writes it.
    await configs.putTasks('ours', [])
    await configs.putTargetState('ours', 'STOPPED')
    await eventually(() => stateOf('ours'), ['STOPPED'])
  })

  it('it finds positions and topics that we write', async () => {
    const producer = createProducer({ bootstrapServers: bootstrap })
    const stored = [
      { partition: { filename: 'a' }, offset: { position: 7 } },
      { partition: { server: 's', database: 'd', table: 't', shard: 3 }, offset: { lsn: 4_294_967_296, snapshot: true, note: 'é "x"' } },
    ]
    await producer.sendBatch(
      stored.map(({ partition, offset }) => ({ topic: `${GROUP}-offsets`, ...offsetRecord('ours', partition, offset) })),
    )
    const shown = async (): Promise<unknown> => {
      const { offsets: found } = (await ask('/connectors/ours/offsets')) as { offsets: { partition: Record<string, unknown> }[] }
      return found.filter(({ partition }) => partition['filename'] !== file && partition['filename'] !== join(directory, 'other.txt'))
    }
    await eventually(shown, expect.arrayContaining(stored))
    await producer.send({ topic: `${GROUP}-offsets`, ...offsetRecord('ours', { filename: 'a' }, null) })
    await eventually(shown, stored.slice(1))
    await producer.close()
    statuses.putTopic('ours', 0, 'copies')
    await eventually(() => ask('/connectors/ours/topics'), { ours: { topics: ['copies'] } })
  })

  it('a connector that we remove is gone there, and one that it removes is gone here', async () => {
    await configs.removeConnector('ours')
    await eventually(() => ask('/connectors'), ['theirs'])
    expect(await send('PUT', '/connectors/theirs/stop')).toBe(204)
    await eventually(
      () => configs.connectors.get('theirs'),
      expect.objectContaining({ targetState: 'STOPPED', taskConfigs: [], isInconsistent: false }),
    )
    expect(await send('DELETE', '/connectors/theirs')).toBe(204)
    await eventually(() => configs.connectors.size, 0)
    await eventually(() => [statuses.connector('theirs'), statuses.tasks('theirs'), statuses.topics('theirs')], [undefined, [], []])
  })
}
