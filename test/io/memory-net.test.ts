/** What only the net in memory can do: hold back what is under way. */
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type Connection, memoryNet, type Passage } from '../../hub/io/index.ts'
import { netContract } from './net-contract.ts'

/** A net whose passages wait until they are let through, and a connection in it. */
async function heldPair() {
  const held: { passage: Passage; release: () => void }[] = []
  const net = memoryNet({ carry: (passage) => new Promise((resolve) => held.push({ passage, release: resolve })) })
  const accepted = Promise.withResolvers<Connection>()
  const { port } = await net.listen('127.0.0.1', 0, accepted.resolve)
  const client = await net.connect('127.0.0.1', port)
  const server = await accepted.promise
  return { held, client, server }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('memoryNet with carry', () => {
  netContract(() => memoryNet({ carry: () => turn() }))

  it('lets bytes arrive when they are let through, one after the other', async () => {
    const { held, client, server } = await heldPair()
    const chunks: string[] = []
    server.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
    client.write('one')
    client.write('two')
    await turn()
    expect(held.map(({ passage }) => [passage.from === client, passage.to === server, passage.sizeBytes])).toEqual([[true, true, 3]])
    expect(chunks).toEqual([])
    held[0]?.release()
    await turn()
    expect(chunks).toEqual(['one'])
    held[1]?.release()
    await turn()
    expect(chunks).toEqual(['one', 'two'])
    client.destroy()
  })

  it('carries the end behind the bytes', async () => {
    const { held, client, server } = await heldPair()
    server.resume()
    let isEnded = false
    server.once('end', () => (isEnded = true))
    client.end('last')
    await turn()
    held[0]?.release()
    await turn()
    expect([isEnded, held[1]?.passage.sizeBytes]).toEqual([false, 0])
    held[1]?.release()
    await turn()
    expect(isEnded).toBe(true)
    client.destroy()
  })

  it('loses what is under way when the sender is destroyed', async () => {
    const { held, client, server } = await heldPair()
    const chunks: Buffer[] = []
    server.on('data', (chunk: Buffer) => chunks.push(chunk))
    client.write('lost')
    await turn()
    const closed = once(server, 'close')
    client.destroy()
    for (const { release } of held) release()
    await closed
    expect(chunks).toEqual([])
  })

  it('tells a sender whose bytes are under way that the receiver has gone', async () => {
    const { client, server } = await heldPair()
    const failed = once(client, 'error')
    client.write('lost')
    await turn()
    server.destroy()
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
    if (!client.closed) await once(client, 'close')
  })

  it('does not see what the sender does to its buffer afterwards', async () => {
    const { held, client, server } = await heldPair()
    const received = once(server, 'data')
    const buffer = Buffer.from('as sent')
    client.write(buffer)
    await turn()
    buffer.fill(0)
    held[0]?.release()
    expect(String((await received)[0])).toBe('as sent')
    client.destroy()
  })
})
