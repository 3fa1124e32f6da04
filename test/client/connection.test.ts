/** One connection against a broker by script: versions, order, time-outs, cuts, rubbish. */
import { describe, expect, it } from 'vitest'
import { BrokerConnection } from '../../hub/client/connection.ts'
import type { ClientError } from '../../hub/client/errors.ts'
import { parseAddresses, resolveClientOptions } from '../../hub/client/options.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import { ApiVersions, Fetch, Heartbeat, ListGroups, Metadata } from '../../hub/wire/index.ts'
import { type ScriptedPeer, scriptedPeer } from './scripted-peer.ts'

const heartbeat = () => ({
  groupId: 'g',
  generationId: 1,
  memberId: 'm',
  groupInstanceId: null,
})

async function setUp(script: (peer: ScriptedPeer) => void = () => {}, limits: object = {}) {
  const world = memoryWorld()
  const peer = await scriptedPeer(world.net)
  script(peer)
  const options = resolveClientOptions({
    bootstrapServers: peer.bootstrap,
    world,
    ...limits,
  })
  const open = () => BrokerConnection.open(parseAddresses(peer.bootstrap)[0]!, options, undefined)
  return { world, peer, open }
}

describe('a connection', () => {
  it('takes the highest version that both sides know, within the caller’s bounds', async () => {
    const versions: number[] = []
    const { open } = await setUp((peer) => {
      peer.limit(Metadata, 0, 8)
      peer.on(Metadata, (_body, version) => {
        versions.push(version)
        return { brokers: [], clusterId: 'c', topics: [] }
      })
    })
    const connection = await open()
    await connection.request(Metadata, () => ({ topics: [] }))
    await connection.request(Metadata, () => ({ topics: [] }), {
      versionMax: 3,
    })
    expect(versions).toEqual([8, 3])
  })

  it('says what is lacking when there is no common version', async () => {
    const { open } = await setUp((peer) => peer.limit(Fetch, 0, 3))
    const connection = await open()
    await expect(connection.request(Fetch, () => ({ maxWaitMs: 1, minBytes: 1, topics: [], forgottenTopicsData: [] }))).rejects.toThrow(
      'Fetch needs a version from 4 to 18; the broker speaks versions 0 to 3',
    )
  })

  it('falls back when the broker refuses its ApiVersions version', async () => {
    const asked: number[] = []
    const { open } = await setUp((peer) =>
      peer.on(ApiVersions, (_body, version) => {
        asked.push(version)
        const own = { apiKey: 18, minVersion: 0, maxVersion: 2 }
        return version > 2
          ? { errorCode: 35, apiKeys: [own] }
          : {
              errorCode: 0,
              apiKeys: [own, { apiKey: 12, minVersion: 0, maxVersion: 1 }],
            }
      }),
    )
    const connection = await open()
    expect(asked).toEqual([4, 2])
    expect(connection.ranges.choose(Heartbeat)).toBe(1)
  })

  it('gives answers to their questions in order, and holds no more than allowed in flight', async () => {
    const waiting: (() => void)[] = []
    const { open, peer } = await setUp(
      (script) =>
        script.on(Heartbeat, async ({ generationId }) => {
          await new Promise<void>((resolve) => waiting.push(resolve))
          return { errorCode: generationId }
        }),
      { inFlightRequestsMax: 2 },
    )
    const connection = await open()
    const answers = [1, 2, 3, 4].map((generationId) => connection.request(Heartbeat, () => ({ ...heartbeat(), generationId })))
    expect(connection.pendingCount).toBe(4)
    const release = (async () => {
      for (let count = 0; count < 4; count++) {
        while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
        expect(peer.asked.length - count).toBeLessThanOrEqual(2)
        waiting.shift()?.()
      }
    })()
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([1, 2, 3, 4])
    await release
  })

  it('closes when an answer does not come in time, which fails all that wait', async () => {
    const { open, world } = await setUp((peer) => peer.on(Heartbeat, () => 'silence'))
    const connection = await open()
    const late = Promise.allSettled([
      connection.request(Heartbeat, heartbeat, { timeoutMs: 500 }),
      connection.request(Heartbeat, heartbeat, { timeoutMs: 60_000 }),
    ])
    await world.clock.advance(500)
    const [first, second] = (await late) as PromiseRejectedResult[]
    expect(first?.reason).toMatchObject({
      kind: 'disconnected',
      retriable: true,
      message: expect.stringContaining('within 500 ms'),
    })
    expect(second?.reason).toMatchObject({ kind: 'disconnected' })
    expect(connection.isClosed).toBe(true)
  })

  it.each(['cut', 'half'] as const)('fails what waits when the connection is %s in the middle of an answer', async (fault) => {
    const { open } = await setUp((peer) => peer.on(Heartbeat, () => fault))
    const connection = await open()
    await expect(connection.request(Heartbeat, heartbeat)).rejects.toMatchObject({ kind: 'disconnected', retriable: true })
    await connection.closed
  })

  it('refuses an answer above its limit', async () => {
    const { open } = await setUp(
      (peer) =>
        peer.on(ListGroups, () => ({
          errorCode: 0,
          groups: [{ groupId: 'g'.repeat(2_000), protocolType: 'consumer' }],
        })),
      { responseBytesMax: 1_500 },
    )
    const connection = await open()
    await expect(connection.request(ListGroups, () => ({}))).rejects.toMatchObject({
      kind: 'disconnected',
      message: expect.stringContaining('1500 are allowed'),
    })
  })

  it('lets go of a request whose signal aborts, and stays in step', async () => {
    let release: () => void = () => {}
    const { open } = await setUp((peer) =>
      peer.on(Heartbeat, async ({ generationId }) => {
        if (generationId === 1) await new Promise<void>((resolve) => (release = resolve))
        return { errorCode: generationId }
      }),
    )
    const connection = await open()
    const controller = new AbortController()
    const first = connection.request(Heartbeat, heartbeat, {
      signal: controller.signal,
    })
    const second = connection.request(Heartbeat, () => ({
      ...heartbeat(),
      generationId: 2,
    }))
    await new Promise((resolve) => setImmediate(resolve))
    controller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    release()
    expect((await second).errorCode).toBe(2)
  })

  it('rejects as disconnected where nobody listens, with the cause', async () => {
    const world = memoryWorld()
    const options = resolveClientOptions({
      bootstrapServers: '127.0.0.1:1',
      world,
    })
    const error: ClientError = await BrokerConnection.open(options.bootstrapServers[0]!, options, undefined).catch((e) => e)
    expect(error).toMatchObject({
      kind: 'disconnected',
      message: expect.stringContaining('127.0.0.1:1'),
      cause: { code: 'ECONNREFUSED' },
    })
  })
})
