import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryDisk, memoryNet, type MemoryDisk } from '../../hub/io/index.ts'
import { memoryLogger, type MemoryLogger } from '../../hub/observe/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { ApiVersions, DescribeConfigs, IncrementalAlterConfigs } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const BROKER = 4
const BROKER_LOGGER = 8

let net = memoryNet()
let disk: MemoryDisk
let logger: MemoryLogger
let hub: TestHub
const clients: RawClient[] = []

async function start(): Promise<void> {
  net = memoryNet()
  logger = memoryLogger()
  hub = await startHub({ directory: '/data', world: { net, disk, logger } })
}

beforeEach(async () => {
  disk = memoryDisk()
  await start()
})

afterEach(async () => {
  await stop()
})

async function stop(): Promise<void> {
  await Promise.all(clients.splice(0).map((client) => client[Symbol.asyncDispose]()))
  await hub.close()
}

async function connect(): Promise<RawClient> {
  const client = await RawClient.connect(net, hub.bootstrap)
  clients.push(client)
  return client
}

async function set(
  client: RawClient,
  resourceType: number,
  resourceName: string,
  name: string,
  value: string | null,
): Promise<number | undefined> {
  const configs = [{ name, configOperation: value === null ? 1 : 0, value }]
  const answer = await client.call(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType, resourceName, configs }],
    validateOnly: false,
  })
  return answer.responses[0]?.errorCode
}

/** Whether the hub serves a further connection. */
async function isServed(): Promise<boolean> {
  const client = await connect()
  return client.call(ApiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }).then(
    () => true,
    () => false,
  )
}

describe('settings that are changed while the hub runs', () => {
  it('limit connections at once, and after the next start', async () => {
    const client = await connect()
    expect(await set(client, BROKER, '', 'max.connections', '2')).toBe(0)
    expect([await isServed(), await isServed()]).toEqual([true, false])
    await stop()
    await start()
    expect([await isServed(), await isServed(), await isServed()]).toEqual([true, true, false])
    expect(await set(clients[0] as RawClient, BROKER, '1', 'max.connections', '3')).toBe(0)
    expect(await isServed()).toBe(true)
  })

  it('let single addresses have other limits', async () => {
    const client = await connect()
    expect(await set(client, BROKER, '1', 'max.connections.per.ip', '1')).toBe(0)
    expect(await isServed()).toBe(false)
    const host = client.stream.localHost ?? ''
    expect(await set(client, BROKER, '1', 'max.connections.per.ip.overrides', `${host}:5`)).toBe(0)
    expect(await isServed()).toBe(true)
  })

  it('change what a logger tells, until the next start', async () => {
    const client = await connect()
    const levels = async (): Promise<Record<string, string | null>> => {
      const resources = [{ resourceType: BROKER_LOGGER, resourceName: '1', configurationKeys: null }]
      const answer = await client.call(DescribeConfigs, 4, { resources, includeSynonyms: false, includeDocumentation: false })
      return Object.fromEntries((answer.results[0]?.configs ?? []).map(({ name, value }) => [name, value]))
    }
    const rooms = ['api', 'group', 'log', 'raft', 'replica', 'server'].map((room) => `millrace.${room}`)
    expect(Object.keys(await levels())).toEqual(expect.arrayContaining(['root', ...rooms]))
    const server = logger.named('millrace.server')
    expect(await set(client, BROKER_LOGGER, '1', 'millrace.server', 'ERROR')).toBe(0)
    server.warn('unheard')
    expect(await levels()).toMatchObject({ 'millrace.server': 'ERROR', 'millrace.api': 'DEBUG' })
    expect(await set(client, BROKER_LOGGER, '1', 'millrace.server', null)).toBe(0)
    server.warn('heard')
    expect(logger.messages('warn')).toEqual(expect.arrayContaining(['heard']))
    expect(logger.messages('warn')).not.toContain('unheard')
  })
})
