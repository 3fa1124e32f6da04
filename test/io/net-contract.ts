/** What every Net does. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Connection, Listener, Net } from '../../hub/io/index.ts'

const HOST = '127.0.0.1'

interface Pair {
  readonly listener: Listener
  readonly client: Connection
  readonly server: Connection
}

async function pairOn(net: Net, host = HOST): Promise<Pair> {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await net.listen(host, 0, accepted.resolve)
  const client = await net.connect(host, listener.port)
  return { listener, client, server: await accepted.promise }
}

async function closeAll({ listener, client, server }: Pair): Promise<void> {
  client.destroy()
  server.destroy()
  await listener.close()
}

async function readAll(connection: Connection): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of connection) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export function netContract(make: () => Net): void {
  it('carries bytes both ways, in order, and the end', async () => {
    const pair = await pairOn(make())
    const answer = readAll(pair.client)
    pair.server.once('data', (chunk: Buffer) => pair.server.write(Buffer.concat([Buffer.from('re: '), chunk])))
    pair.client.write('hello')
    await once(pair.server, 'data')
    pair.server.end()
    expect((await answer).toString()).toBe('re: hello')
    await closeAll(pair)
  })

  it('carries more than the buffers hold', async () => {
    const pair = await pairOn(make())
    const received = readAll(pair.server)
    const sent = Buffer.alloc(3_000_000, 'abcdefghijk')
    for (let at = 0; at < sent.length; at += 100_000) pair.client.write(sent.subarray(at, at + 100_000))
    pair.client.end()
    expect((await received).equals(sent)).toBe(true)
    await closeAll(pair)
  })

  it('holds a writer back while nobody reads', async () => {
    const pair = await pairOn(make())
    let room = true
    for (let count = 0; count < 1000 && room; count++) {
      room = pair.client.write(Buffer.alloc(64 * 1024))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(room).toBe(false)
    const drained = once(pair.client, 'drain')
    pair.server.resume()
    await drained
    await closeAll(pair)
  })

  it('knows both addresses, also after the close', async () => {
    const pair = await pairOn(make())
    await closeAll(pair)
    const { client, server } = pair
    expect([client.remoteHost, client.remotePort]).toEqual([HOST, pair.listener.port])
    expect([server.remoteHost, server.localHost]).toEqual([HOST, HOST])
    expect([server.remotePort, server.localPort]).toEqual([client.localPort, client.remotePort])
  })

  it('closes both sides when one is destroyed or ends', async () => {
    const net = make()
    const destroyed = await pairOn(net)
    destroyed.server.resume()
    destroyed.client.destroy()
    await once(destroyed.server, 'close')
    const ended = await pairOn(net)
    ended.server.resume()
    ended.client.resume()
    ended.client.end()
    await Promise.all([once(ended.server, 'close'), once(ended.client, 'close')])
    await closeAll(destroyed)
    await closeAll(ended)
  })

  it('survives writing to a peer that has gone', async () => {
    const pair = await pairOn(make())
    pair.server.destroy()
    pair.client.resume()
    const closed = new Promise((resolve) => pair.client.once('close', resolve))
    for (let count = 0; count < 50 && !pair.client.destroyed; count++) {
      pair.client.write(Buffer.alloc(1000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await closed
    await closeAll(pair)
  })

  it('refuses a connection to a port where nobody listens', async () => {
    const net = make()
    const listener = await net.listen(HOST, 0, () => {})
    await listener.close()
    await expect(net.connect(HOST, listener.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('refuses a port in use, and gives it back on close while connections stand', async () => {
    const net = make()
    const pair = await pairOn(net)
    const { port } = pair.listener
    await expect(net.listen(HOST, port, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await pair.listener.close()
    await pair.listener.close()
    const again = await net.listen(HOST, port, () => {})
    expect(again.port).toBe(port)
    const echoed = once(pair.client, 'data')
    pair.server.write('still here')
    expect(String((await echoed)[0])).toBe('still here')
    await again.close()
    await closeAll(pair)
  })

  it('takes IPv6 hosts with brackets', async () => {
    const net = make()
    const pair = await pairOn(net, '[::1]')
    expect(pair.client.remoteHost).toBe('::1')
    await closeAll(pair)
  })

  it("listens on every interface for the host ''", async () => {
    const net = make()
    const accepted = Promise.withResolvers<Connection>()
    const listener = await net.listen('', 0, accepted.resolve)
    const client = await net.connect('127.0.0.1', listener.port)
    const server = await accepted.promise
    expect([server.remoteHost, server.localHost]).toEqual(['127.0.0.1', '127.0.0.1'])
    await closeAll({ listener, client, server })
  })

  it('stops connecting when the signal aborts', async () => {
    const net = make()
    const listener = await net.listen(HOST, 0, (connection) => connection.destroy())
    const controller = new AbortController()
    const attempt = net.connect(HOST, listener.port, controller.signal)
    controller.abort(new Error('too late'))
    await expect(attempt).rejects.toThrow('too late')
    await expect(net.connect(HOST, listener.port, controller.signal)).rejects.toThrow('too late')
    await listener.close()
  })
}
