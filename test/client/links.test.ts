/** Connections on demand: what becomes of one that nobody wants any more by the time it stands. */
import { describe, expect, it } from 'vitest'
import { Links } from '../../hub/client/links.ts'
import { resolveClientOptions } from '../../hub/client/options.ts'
import { type Connection, memoryWorld } from '../../hub/io/index.ts'
import { scriptedPeer } from './scripted-peer.ts'

const addressOf = (bootstrap: string) => ({ host: '127.0.0.1', port: Number(bootstrap.split(':')[1]) })

/** Links on a net whose dials to `slow` get through only when the test says so. */
async function setUp() {
  const world = memoryWorld()
  const [slow, quick] = [addressOf((await scriptedPeer(world.net)).bootstrap), addressOf((await scriptedPeer(world.net)).bootstrap)]
  const gate = Promise.withResolvers<void>()
  const made: Connection[] = []
  const net = {
    ...world.net,
    connect: async (host: string, port: number): Promise<Connection> => {
      if (port === slow.port) await gate.promise
      const connection = await world.net.connect(host, port)
      made.push(connection)
      return connection
    },
  }
  const options = resolveClientOptions({ bootstrapServers: `${slow.host}:${slow.port}`, world: { ...world, net } })
  return { world, links: new Links(options), slow, quick, made, openGate: () => gate.resolve() }
}

describe('links', () => {
  it('close a connection that was being made to an address which the broker has left', async () => {
    const { world, links, slow, quick, made, openGate } = await setUp()
    const refused = expect(links.connect('1', 'data', slow)).rejects.toMatchObject({ kind: 'disconnected', retriable: true })
    const connection = await links.connect('1', 'data', quick)
    openGate()
    await refused
    await world.clock.advance(0)
    expect(made.map(({ remotePort, destroyed }) => [remotePort, destroyed])).toEqual([
      [quick.port, false],
      [slow.port, true],
    ])
    expect(connection.isClosed).toBe(false)
    links.close()
    expect(made.every(({ destroyed }) => destroyed)).toBe(true)
  })

  it('close a connection that was being made when they were closed', async () => {
    const { world, links, slow, made, openGate } = await setUp()
    const refused = expect(links.connect('1', 'data', slow)).rejects.toMatchObject({ kind: 'closed' })
    openGate()
    // Up to the very moment at which it stands.
    while (made.length === 0) await Promise.resolve()
    links.close()
    await refused
    await world.clock.advance(0)
    expect(made.map(({ destroyed }) => destroyed)).toEqual([true])
    expect(world.clock.timerCount).toBe(0)
  })
})
