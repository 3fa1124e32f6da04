import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ConfigError, loadHubConfig } from '../../hub/config/index.ts'
import { createHub, StartError } from '../../hub/hub.ts'
import { memoryClock, memoryDisk, memoryNet, nodeNet, nodeWorld } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import {
  CreateTopics,
  DeleteTopics,
  encodeBatch,
  encodeRequest,
  ErrorCode,
  Fetch,
  FindCoordinator,
  JoinGroup,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function client(hub: TestHub, net = nodeNet()): Promise<RawClient> {
  const raw = await RawClient.connect(net, hub.bootstrap)
  cleanups.push(() => raw[Symbol.asyncDispose]())
  return raw
}

async function makeTopic(raw: RawClient, name: string, numPartitions = 1): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
  expect((await raw.call(CreateTopics, 7, { topics, timeoutMs: 1000 })).topics[0]?.errorCode).toBe(0)
}

async function send(raw: RawClient, name: string, value: string) {
  const records = encodeBatch({ records: [{ key: null, value: Buffer.from(value), timestampMs: 1_700_000_000_000 }] })
  const answer = await raw.call(Produce, 12, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  })
  return answer.responses[0]?.partitionResponses[0]
}

async function sizeOf(raw: RawClient, topic: string): Promise<number> {
  const topics = [{ topic, topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }]
  const answer = await raw.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, topics, forgottenTopicsData: [] })
  return answer.responses[0]?.partitions[0]?.highWatermark ?? -1
}

describe('a hub', () => {
  it('keeps topics, records and committed offsets over an orderly restart', async () => {
    const directory = await temporaryDirectory()
    const hub = await startHub({ directory })
    const raw = await client(hub)
    await makeTopic(raw, 't')
    expect(await send(raw, 't', 'one')).toMatchObject({ errorCode: 0, baseOffset: 0 })
    await raw.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'm' }]
    const committed = await raw.call(OffsetCommit, 8, {
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name: 't', topicId: ZERO_UUID, partitions }],
    })
    expect(committed.topics[0]?.partitions[0]?.errorCode).toBe(0)
    await hub.close()
    await using again = await startHub({ directory })
    expect(again.clusterId).toBe(hub.clusterId)
    const other = await client(again)
    expect(await sizeOf(other, 't')).toBe(1)
    expect(await send(other, 't', 'two')).toMatchObject({ errorCode: 0, baseOffset: 1 })
    const fetch = () =>
      other.call(OffsetFetch, 8, { groups: [{ groupId: 'g', topics: [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }] }] })
    await expect
      .poll(async () => (await fetch()).groups[0]?.topics[0]?.partitions[0])
      .toMatchObject({ committedOffset: 1, metadata: 'm', errorCode: 0 })
  })

  it('forgets the committed offsets of a topic that is deleted', async () => {
    const net = memoryNet()
    await using hub = await startHub({ world: { net } })
    const raw = await client(hub, net)
    await makeTopic(raw, 't')
    await raw.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }]
    await raw.call(OffsetCommit, 8, {
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name: 't', topicId: ZERO_UUID, partitions }],
    })
    await raw.call(DeleteTopics, 6, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
    const fetch = () =>
      raw.call(OffsetFetch, 8, { groups: [{ groupId: 'g', topics: [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }] }] })
    await expect.poll(async () => (await fetch()).groups[0]?.topics[0]?.partitions[0]?.committedOffset).toBe(-1)
  })

  it('leaves no trace of a temporary directory, and none of its ports', async () => {
    const hub = await startHub({ directory: 'temporary' })
    const { bootstrap, directory = '' } = hub
    expect(await readdir(directory)).toContain('meta.properties')
    await hub.close()
    await hub.close()
    await expect(readdir(directory)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(RawClient.connect(nodeNet(), bootstrap)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('answers a waiting fetch when it stops', async () => {
    const net = memoryNet()
    const hub = await startHub({ world: { net } })
    const raw = await client(hub, net)
    await makeTopic(raw, 't')
    const topics = [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const waiting = raw.call(Fetch, 12, { maxWaitMs: 600_000, minBytes: 1, maxBytes: 1000, topics, forgottenTopicsData: [] })
    // The hub has it in work once it has answered what came behind it on another connection.
    const other = await client(hub, net)
    await other.call(Metadata, 12, { topics: [] })
    await hub.close()
    expect((await waiting).responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0 })
  })

  it('does not keep a member waiting for its rebalance when it stops, and appends what came before', async () => {
    const net = memoryNet()
    const disk = memoryDisk()
    const overrides = { 'group.initial.rebalance.delay.ms': '600000' }
    const hub = await startHub({ directory: '/data', world: { net, disk }, overrides })
    const [member, producer] = [await client(hub, net), await client(hub, net)]
    await makeTopic(producer, 't')
    await member.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
    const joining = member.call(JoinGroup, 3, {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      protocolType: 'consumer',
      protocols,
    })
    // One write, so that all ten are with the hub once the first is answered.
    const frames = Array.from({ length: 10 }, (_, at) => {
      const records = encodeBatch({ records: [{ key: null, value: Buffer.from('x'), timestampMs: 1_700_000_000_000 }] })
      const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
      return encodeRequest(Produce, 12, at, 'test', { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
    })
    producer.write(Buffer.concat(frames.flat()))
    expect(await producer.nextFrame()).toBeDefined()
    await hub.close()
    expect((await joining).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    for (let at = 1; at < 10; at++) expect(await producer.nextFrame()).toBeDefined()
    await using again = await startHub({ directory: '/data', world: { net, disk } })
    expect(await sizeOf(await client(again, net), 't')).toBe(10)
  })

  it('advertises the port it got, and the addresses it was given', async () => {
    const net = memoryNet()
    await using hub = await startHub({
      world: { net },
      overrides: {
        listeners: 'PLAINTEXT://127.0.0.1:0,OUTSIDE://127.0.0.1:0',
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUTSIDE:PLAINTEXT',
        'advertised.listeners': 'PLAINTEXT://127.0.0.1:0,OUTSIDE://hub.example:19094',
      },
    })
    const [inside, outside] = hub.listeners
    expect([inside?.name, outside?.name]).toEqual(['PLAINTEXT', 'OUTSIDE'])
    const brokersBy = async (port: number | undefined) => {
      await using raw = await RawClient.connect(net, `127.0.0.1:${port}`)
      return (await raw.call(Metadata, 12, { topics: [] })).brokers.map(({ host, port: advertised }) => `${host}:${advertised}`)
    }
    expect(await brokersBy(inside?.port)).toEqual([`127.0.0.1:${inside?.port}`])
    expect(await brokersBy(outside?.port)).toEqual(['hub.example:19094'])
  })

  it('refuses produce with a retriable error while the disk is full, goes on reading, and takes produce again', async () => {
    const net = memoryNet()
    const clock = memoryClock()
    const disk = memoryDisk({ nowMs: () => clock.nowMs() })
    await using hub = await startHub({ directory: '/data', world: { net, clock, disk } })
    const raw = await client(hub, net)
    await makeTopic(raw, 't')
    expect(await send(raw, 't', 'before')).toMatchObject({ errorCode: 0 })
    disk.setLimitBytes(disk.usedBytes() + 10)
    expect(await send(raw, 't', 'x'.repeat(5000))).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(await sizeOf(raw, 't')).toBe(1)
    expect(hub.health().status).toBe('degraded')
    disk.setLimitBytes(1 << 30)
    await clock.advance(3000)
    expect(await send(raw, 't', 'after')).toMatchObject({ errorCode: 0, baseOffset: 1 })
    expect(hub.health()).toEqual({ status: 'ok', problems: [] })
  })

  it('answers a retriable error while a log cannot be opened, says so in its health, and serves it as soon as it can', async () => {
    const net = memoryNet()
    const clock = memoryClock()
    const disk = memoryDisk({ nowMs: () => clock.nowMs() })
    await using hub = await startHub({ directory: '/data', world: { net, clock, disk } })
    const raw = await client(hub, net)
    disk.intercept = ({ kind, path }) => {
      if (kind === 'open' && path.includes('/t-0/')) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
    }
    await makeTopic(raw, 't')
    expect(await send(raw, 't', 'one')).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    const health = hub.health()
    expect(health.status).toBe('degraded')
    expect(health.problems[0]).toMatchObject({
      problem: expect.stringMatching(/t-0 cannot be opened.*EMFILE/),
      remedy: expect.any(String),
      since: expect.stringMatching(/^20.*Z$/),
    })
    disk.intercept = undefined
    await clock.advance(500)
    expect(await send(raw, 't', 'two')).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(hub.health()).toEqual({ status: 'ok', problems: [] })
  })
})

describe('directories after a crash', () => {
  /** A hub on a disk in memory, ended as by kill −9 when the callback returns. */
  async function crashed(use: (raw: RawClient) => Promise<void>) {
    const disk = memoryDisk()
    const net = memoryNet()
    const hub = await startHub({ directory: '/data', world: { net, disk } })
    const raw = await client(hub, net)
    await use(raw)
    const left = disk.crash()
    await raw[Symbol.asyncDispose]()
    await hub.close()
    return left
  }

  it('that a topic asks for and that are not there are made', async () => {
    const disk = await crashed(async (raw) => {
      await makeTopic(raw, 't', 2)
      await send(raw, 't', 'one')
    })
    // As if the power had gone between the topic's record and the second directory.
    await disk.remove('/data/t-1')
    const net = memoryNet()
    await using hub = await startHub({ directory: '/data', world: { net, disk } })
    const raw = await client(hub, net)
    const { topics } = await raw.call(Metadata, 12, { topics: [{ name: 't', topicId: ZERO_UUID }], allowAutoTopicCreation: false })
    expect(topics[0]?.partitions).toHaveLength(2)
    expect(await sizeOf(raw, 't')).toBe(1)
    expect((await disk.list('/data')).filter((name) => name.startsWith('t-'))).toEqual(['t-0', 't-1'])
  })

  it('that no topic claims go, also those of an earlier topic of the same name', async () => {
    const disk = await crashed(async (raw) => {
      await makeTopic(raw, 't')
      await send(raw, 't', 'one')
    })
    const stray = async (name: string, topicId: string): Promise<void> => {
      await disk.makeDirectory(`/data/${name}`)
      await disk.writeFileAtomic(`/data/${name}/partition.metadata`, Buffer.from(`version: 0\ntopic_id: ${topicId}\n`))
    }
    await stray('gone-0', 'I0VniavN7_F0XPkknO64Zg')
    await disk.remove('/data/t-0')
    await stray('t-0', 'I0VniavN7_F0XPkknO64Zg')
    const net = memoryNet()
    await using hub = await startHub({ directory: '/data', world: { net, disk } })
    const raw = await client(hub, net)
    expect(await send(raw, 't', 'fresh')).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect((await disk.list('/data')).filter((name) => /^(t|gone)-\d+$/.test(name))).toEqual(['t-0'])
    expect(hub.log.messages('warn')).toEqual([expect.stringContaining('gone-0'), expect.stringContaining('t-0')])
  })

  it('keep every acknowledged record', async () => {
    const disk = await crashed(async (raw) => {
      await makeTopic(raw, 't')
      for (let at = 0; at < 20; at++) expect(await send(raw, 't', String(at))).toMatchObject({ errorCode: 0, baseOffset: at })
    })
    const net = memoryNet()
    await using hub = await startHub({ directory: '/data', world: { net, disk } })
    expect(await sizeOf(await client(hub, net), 't')).toBe(20)
  })
})

describe('what keeps a hub from starting is one line with a remedy', () => {
  const start = async (overrides: Record<string, string>): Promise<unknown> => {
    const settings = { 'log.dirs': 'memory:', listeners: 'PLAINTEXT://127.0.0.1:0', 'millrace.http.listeners': '', ...overrides }
    try {
      const config = await loadHubConfig({ overrides: Object.entries(settings).map(([key, value]) => `${key}=${value}`) })
      const hub = await createHub(config, { ...nodeWorld(), logger: memoryLogger() })
      cleanups.push(() => hub.close())
      return undefined
    } catch (error) {
      return error
    }
  }

  it('a port in use, and nothing is written', async () => {
    await using taken = await startHub()
    const directory = await temporaryDirectory()
    const error = await start({ listeners: `PLAINTEXT://${taken.bootstrap}`, 'log.dirs': directory })
    expect(error).toBeInstanceOf(StartError)
    expect((error as Error).message).toMatch(/^port \d+ is in use .* set listeners to another port$/)
    expect(await readdir(directory)).toEqual([])
  })

  it('a port in use for metrics, and what was opened is closed again', async () => {
    await using taken = await startHub()
    const directory = await temporaryDirectory()
    const error = await start({ 'millrace.http.listeners': `http://${taken.bootstrap}`, 'log.dirs': directory })
    expect((error as Error).message).toMatch(/set millrace.http.listeners to another port$/)
    expect(await start({ 'log.dirs': directory })).toBeUndefined()
  })

  it('a directory that another process holds', async () => {
    await using hub = await startHub({ directory: 'temporary' })
    const error = await start({ 'log.dirs': hub.directory ?? '' })
    expect(error).toBeInstanceOf(StartError)
    expect((error as Error).message).toMatch(new RegExp(`locked by process ${process.pid}; stop it, or set log.dirs`))
  })

  it('a path that is a file, and one where nothing can be made', async () => {
    const file = join(await temporaryDirectory(), 'thesis.doc')
    await writeFile(file, 'x')
    for (const path of [file, '/proc/millrace']) {
      const error = await start({ 'log.dirs': path })
      expect(error).toBeInstanceOf(StartError)
      expect((error as Error).message).toMatch(/^cannot use .*; correct log.dirs or the permissions$/)
    }
  })

  it('a directory with something else in it', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'thesis.doc'), 'x')
    const error = await start({ 'log.dirs': directory })
    expect(error).toBeInstanceOf(StartError)
    expect((error as Error).message).toMatch(/thesis.doc .* set log.dirs to an empty directory/)
  })

  it('a directory of another node', async () => {
    const directory = await temporaryDirectory()
    await (await startHub({ directory })).close()
    const error = await start({ 'log.dirs': directory, 'node.id': '7' })
    expect((error as Error).message).toMatch(/belongs to node 1, not 7; set node.id=1/)
  })

  it('partitions without their metadata log', async () => {
    const directory = await temporaryDirectory()
    const hub = await startHub({ directory })
    await makeTopic(await client(hub), 't')
    await hub.close()
    await rm(join(directory, '__cluster_metadata-0'), { recursive: true })
    const error = await start({ 'log.dirs': directory })
    expect(error).toBeInstanceOf(StartError)
    expect((error as Error).message).toMatch(/holds 1 partitions but no __cluster_metadata-0/)
    expect(await readdir(directory)).toContain('t-0')
  })

  it('a corrupt file', async () => {
    const directory = await temporaryDirectory()
    await (await startHub({ directory })).close()
    await writeFile(join(directory, 'meta.properties'), 'nonsense')
    const error = await start({ 'log.dirs': directory })
    expect(error).toBeInstanceOf(StartError)
    expect((error as Error).message).toContain('meta.properties')
  })

  it.each([
    [{ 'log.dirs': '/a,/b' }, /log.dirs.* one directory/],
    [{ 'max.connections.per.ip.overrides': 'nonsense' }, /max.connections.per.ip.overrides/],
  ])('settings of a later version: %o', async (overrides: Record<string, string>, message) => {
    const error = await start(overrides)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toMatch(message)
  })
})

describe('/metrics and /health', () => {
  it('tell requests by API and how the hub fares', async () => {
    await using hub = await startHub({ overrides: { 'millrace.http.listeners': 'http://127.0.0.1:0' } })
    const raw = await client(hub)
    await makeTopic(raw, 't')
    await send(raw, 't', 'one')
    const [base] = hub.httpAddresses
    const metrics = await (await fetch(`${base}/metrics`)).text()
    expect(metrics).toContain('millrace_request_duration_seconds_count{api="Produce",phase="total"} 1')
    expect(metrics).toMatch(/^millrace_connections 1$/m)
    expect(metrics).toMatch(/^millrace_partitions 1$/m)
    const health = await fetch(`${base}/health`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', problems: [] }])
    expect((await fetch(`${base}/health/live`)).status).toBe(200)
    expect((await fetch(`${base}/elsewhere`)).status).toBe(404)
    expect((await fetch(`${base}/health`, { method: 'POST', body: 'x' })).status).toBe(405)
  })
})
