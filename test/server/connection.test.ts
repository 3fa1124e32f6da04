import { describe, expect, it } from 'vitest'
import type { Dispatcher, Served } from '../../hub/api/index.ts'
import { type Connection, memoryClock, memoryNet, nodeNet } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { defaultServerLimits, Server } from '../../hub/server/index.ts'
import { RawClient } from './raw-client.ts'
import { cleanups, ManualDispatcher, request, serve, sized, text, turns } from './serving.ts'

describe('order', () => {
  it('begins overlapping requests in arrival order and answers them in that order, whatever finishes first', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    client.write(Buffer.concat([request('overlapping', 'a1'), request('overlapping', 'a2'), request('overlapping', 'a3')]))
    await dispatcher.whenBegun(3)
    expect(dispatcher.names).toEqual(['a1', 'a2', 'a3'])
    for (const begun of [...dispatcher.begun].reverse()) begun.answer()
    expect([await text(client), await text(client), await text(client)]).toEqual(['a1', 'a2', 'a3'])
  })

  it('begins any other request only when all before it are answered', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    client.write(Buffer.concat([request('overlapping', 'a1'), request('serial', 's1'), request('overlapping', 'a2')]))
    await dispatcher.whenBegun(1)
    await turns()
    expect(dispatcher.names).toEqual(['a1'])
    dispatcher.begun[0]?.answer()
    await dispatcher.whenBegun(2)
    await turns()
    expect(dispatcher.names).toEqual(['a1', 's1'])
    dispatcher.begun[1]?.answer()
    await dispatcher.whenBegun(3)
    dispatcher.begun[2]?.answer()
    expect([await text(client), await text(client), await text(client)]).toEqual(['a1', 's1', 'a2'])
  })

  it('skips requests that want no answer', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    client.write(Buffer.concat([request('silent', 'q1'), request('serial', 's1')]))
    await dispatcher.whenBegun(2)
    dispatcher.begun[1]?.answer()
    expect(await text(client)).toBe('s1')
  })

  it('gives other connections their turn while one has thousands of requests in the pipe', async () => {
    const { dispatcher, open } = await serve({}, nodeNet())
    const [many, one] = [await open(), await open()]
    many.write(Buffer.concat(Array.from({ length: 8000 }, () => request('silent', 'mm'))))
    await dispatcher.whenBegun(1)
    one.write(request('silent', 'oo'))
    await dispatcher.whenBegun(8001)
    // One chunk of a socket holds nearly all of them; without turns they would all go first.
    expect(dispatcher.names.indexOf('oo')).toBeLessThan(4000)
  })

  it('joins a request that comes in many pieces', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    for (const byte of request('serial', 's1', 100)) client.write(Buffer.from([byte]))
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer()
    expect(await text(client)).toBe('s1')
  })

  it('holds an append while the log is behind its disk, and goes on then', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    const { promise, resolve } = Promise.withResolvers<void>()
    dispatcher.heldUp = promise
    client.write(request('overlapping', 'a1'))
    await turns()
    expect(dispatcher.names).toEqual([])
    dispatcher.heldUp = undefined
    resolve()
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer()
    expect(await text(client)).toBe('a1')
  })
})

describe('bad input costs only its sender', () => {
  const cases: [string, Buffer, RegExp][] = [
    ['a frame over the limit', Buffer.from([0x7f, 0xff, 0xff, 0xff]), /2147483647 bytes/],
    ['a negative size', Buffer.from([0xff, 0xff, 0xff, 0xff]), /-1 bytes/],
    ['a request that is refused', request('refused', 'xx'), /not wanted/],
  ]
  it.each(cases)('%s ends its connection, is logged once, and another goes on', async (_what, bytes, reason) => {
    const { dispatcher, logger, open } = await serve()
    const [bad, good] = [await open(), await open()]
    bad.write(Buffer.concat([bytes, request('serial', 'no')]))
    await bad.closed()
    good.write(request('serial', 's1'))
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer()
    expect(await text(good)).toBe('s1')
    expect(dispatcher.names).toEqual(['s1'])
    expect(logger.messages('warn')).toEqual([expect.stringMatching(reason)])
  })

  it('answers what came before the bad request', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    client.write(Buffer.concat([request('overlapping', 'a1'), request('refused', 'xx')]))
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer()
    expect(await text(client)).toBe('a1')
    await client.closed()
  })

  it('closes quietly where a closed connection is the answer', async () => {
    const { logger, open } = await serve()
    const client = await open()
    client.write(request('failing', 'f1'))
    await client.closed()
    expect(logger.entries).toEqual([])
  })
})

describe('limits', () => {
  it('stops reading a connection that has too many requests unanswered', async () => {
    const { dispatcher, open } = await serve({ connectionRequestsMax: 4 })
    const client = await open()
    for (let at = 0; at < 40; at++) client.write(request('overlapping', String(at).padStart(2, '0'), 20_000))
    await turns()
    // Those of the chunk that crossed the limit may have begun too.
    expect(dispatcher.names.length).toBeLessThan(12)
    for (let answered = 0; answered < 40; answered++) {
      await dispatcher.whenBegun(answered + 1)
      dispatcher.begun[answered]?.answer()
    }
    const answers: (string | undefined)[] = []
    for (let at = 0; at < 40; at++) answers.push(await text(client))
    expect(answers).toEqual(Array.from({ length: 40 }, (_, at) => String(at).padStart(2, '0')))
  })

  it('stops reading everybody while all requests together are too large, and goes on', async () => {
    const { dispatcher, server, open } = await serve({ queuedRequestBytesMax: 100_000 })
    const [one, other] = [await open(), await open()]
    one.write(request('overlapping', 'a1', 150_000))
    await dispatcher.whenBegun(1)
    for (let at = 0; at < 20; at++) other.write(request('overlapping', 'b1', 50_000))
    await turns()
    expect(server.load().requestBytes).toBeLessThan(400_000)
    expect(dispatcher.names.length).toBeLessThan(10)
    for (let answered = 0; answered < 21; answered++) {
      await dispatcher.whenBegun(answered + 1)
      dispatcher.begun[answered]?.answer()
    }
    expect(await text(one)).toBe('a1')
    for (let at = 0; at < 20; at++) expect(await text(other)).toBe('b1')
    expect(server.load().requestBytes).toBe(0)
  })

  it('sheds clients that announce large requests and never send them, when they take the room of the others', async () => {
    const { dispatcher, logger, open } = await serve({ queuedRequestBytesMax: 100_000 })
    const stalled = await open()
    stalled.write(request('serial', 'zz', 200_000).subarray(0, 120_000))
    await turns()
    const good = await open()
    good.write(request('serial', 's1'))
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer()
    expect(await text(good)).toBe('s1')
    await stalled.closed()
    expect(logger.messages('warn')).toEqual([expect.stringMatching(/not whole/)])
  })

  it('begins nothing more for a peer that does not read, so that one large answer is all it holds', async () => {
    const { dispatcher, open } = await serve()
    const client = await open()
    client.stream.pause()
    client.write(Buffer.concat(Array.from({ length: 10 }, () => request('serial', 's1'))))
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer(Buffer.alloc(5_000_000))
    await turns()
    expect(dispatcher.begun.length).toBe(1)
    client.stream.resume()
    expect((await client.nextFrame())?.length).toBe(5_000_000)
    await dispatcher.whenBegun(2)
  })

  it('refuses connections over max.connections and over those of one host', async () => {
    const { open } = await serve({ connectionsMax: 2 })
    await open()
    await open()
    await (await open()).closed()
    const perHost = await serve({ connectionsPerHostMax: 1 })
    const first = await perHost.open()
    await (await perHost.open()).closed()
    await first[Symbol.asyncDispose]()
    await turns()
    const next = await perHost.open()
    next.write(request('serial', 's1'))
    await perHost.dispatcher.whenBegun(1)
  })

  it('reaps connections on which nothing happens, not those that wait for an answer', async () => {
    const { clock, dispatcher, open } = await serve({ idleMs: 10_000 })
    const [idle, halfOpen, waiting] = [await open(), await open(), await open()]
    halfOpen.write(request('serial', 's0').subarray(0, 3))
    waiting.write(request('serial', 's1'))
    await dispatcher.whenBegun(1)
    await clock.advance(9_000)
    await turns()
    expect(idle.stream.readable).toBe(true)
    await clock.advance(3_000)
    await idle.closed()
    await halfOpen.closed()
    dispatcher.begun[0]?.answer()
    expect(await text(waiting)).toBe('s1')
  })

  it('reaps a peer that stopped reading', async () => {
    const { clock, dispatcher, open, server } = await serve({ idleMs: 10_000 })
    const client = await open()
    client.stream.pause()
    client.write(request('serial', 's1'))
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer(Buffer.alloc(5_000_000))
    await turns()
    await clock.advance(12_000)
    await turns()
    expect(server.load().connectionCount).toBe(0)
  })
})

describe('the moments of a request', () => {
  it('are told phase by phase, once its answer is sent', async () => {
    const { clock, dispatcher, open, answered } = await serve()
    const client = await open()
    client.write(Buffer.concat([request('serial', 's1'), request('serial', 's2')]))
    await dispatcher.whenBegun(1)
    await clock.advance(5)
    dispatcher.begun[0]?.answer()
    expect(await text(client)).toBe('s1')
    await dispatcher.whenBegun(2)
    await clock.advance(7)
    dispatcher.begun[1]?.answer()
    expect(await text(client)).toBe('s2')
    const common = { clientHost: '/127.0.0.1', arrivedMs: 0 }
    expect(answered).toEqual([
      { ...common, apiName: 's1', beganMs: 0, localEndMs: 0, servedMs: 5, answeredMs: 5, sentMs: 5 },
      { ...common, apiName: 's2', beganMs: 5, localEndMs: 5, servedMs: 12, answeredMs: 12, sentMs: 12 },
    ])
  })

  it('of one that wants no answer are told all the same', async () => {
    const { dispatcher, open, answered } = await serve()
    const client = await open()
    client.write(request('silent', 's1'))
    await dispatcher.whenBegun(1)
    await turns()
    expect(answered.map(({ apiName }) => apiName)).toEqual(['s1'])
  })
})

describe('what became of an answer is told once', () => {
  /** Serves every request at once with an answer of `bytes`, and notes what is told. */
  async function answering(bytes: number) {
    const net = memoryNet()
    const server = new Server({ net, clock: memoryClock(), logger: memoryLogger(), limits: defaultServerLimits })
    await server.bind([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }])
    const told: boolean[] = []
    const answer = { chunks: [sized(Buffer.alloc(bytes))], afterSent: (isSent: boolean) => void told.push(isSent) }
    const { promise: answered, resolve } = Promise.withResolvers<void>()
    const answers: (() => void)[] = []
    const run = (): Promise<Served> =>
      new Promise((settle) => {
        answers.push(() => settle(answer))
        resolve()
      })
    server.start({ prepare: () => ({ apiName: 'Any', overlaps: false, heldUp: () => undefined, run }) }, () => {})
    const client = await RawClient.connect(net, `127.0.0.1:${server.listeners[0]?.port ?? 0}`)
    cleanups.push(() => client[Symbol.asyncDispose]())
    client.write(request('serial', 's1'))
    await answered
    return { client, told, answer: () => answers[0]?.() }
  }

  it('when it is sent', async () => {
    const { answer, client, told } = await answering(10)
    answer()
    await client.nextFrame()
    await turns()
    expect(told).toEqual([true])
  })

  it('when the peer goes without having read it', async () => {
    const { answer, client, told } = await answering(5_000_000)
    client.stream.pause()
    answer()
    await turns()
    expect(told).toEqual([])
    client.stream.destroy()
    await turns()
    expect(told).toEqual([false])
  })

  it('when the peer has gone before there was one', async () => {
    const { answer, client, told } = await answering(10)
    client.stream.destroy()
    await turns()
    answer()
    await turns()
    expect(told).toEqual([false])
  })
})

describe('life of the server', () => {
  it('serves connections that came before it could', async () => {
    const net = memoryNet()
    const dispatcher = new ManualDispatcher()
    const server = new Server({ net, clock: memoryClock(), logger: memoryLogger(), limits: defaultServerLimits })
    await server.bind([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }])
    await using client = await RawClient.connect(net, `127.0.0.1:${server.listeners[0]?.port}`)
    client.write(request('serial', 's1'))
    await turns()
    server.start(dispatcher, () => {})
    await dispatcher.whenBegun(1)
    dispatcher.begun[0]?.answer()
    expect(await text(client)).toBe('s1')
  })

  it('says which listener could not be bound, and frees those that were', async () => {
    const net = memoryNet()
    const options = { net, clock: memoryClock(), logger: memoryLogger(), limits: defaultServerLimits }
    const first = new Server(options)
    await first.bind([{ name: 'A', host: '127.0.0.1', port: 9092 }])
    const second = new Server(options)
    const taken = second.bind([
      { name: 'B', host: '127.0.0.1', port: 9093 },
      { name: 'C', host: '127.0.0.1', port: 9092 },
    ])
    await expect(taken).rejects.toMatchObject({ name: 'ListenError', code: 'EADDRINUSE', listener: { name: 'C' } })
    await new Server(options).bind([{ name: 'B', host: '127.0.0.1', port: 9093 }])
  })

  it('stops: takes nobody new, answers and sends what is under way, then ends all', async () => {
    const { dispatcher, net, open, port, server } = await serve()
    const [busy, idle] = [await open(), await open()]
    busy.write(Buffer.concat([request('overlapping', 'a1'), request('serial', 'no')]))
    await dispatcher.whenBegun(1)
    const stopped = server.stop()
    await idle.closed()
    await expect(net.connect('127.0.0.1', port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    dispatcher.begun[0]?.answer()
    expect(await text(busy)).toBe('a1')
    await busy.closed()
    await stopped
    expect(dispatcher.names).toEqual(['a1'])
  })

  it('does not wait for ever for a request that is never answered', async () => {
    const { clock, dispatcher, open, server } = await serve({ drainMs: 1000 })
    const client = await open()
    client.write(request('serial', 's1'))
    await dispatcher.whenBegun(1)
    const stopped = server.stop()
    await turns()
    await clock.advance(1000)
    await stopped
    await client.closed()
  })

  it('tells the handler when its connection goes', async () => {
    const net = memoryNet()
    const server = new Server({ net, clock: memoryClock(), logger: memoryLogger(), limits: defaultServerLimits })
    await server.bind([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }])
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
    const dispatcher: Dispatcher = {
      prepare: (_frame, connection) => ({
        apiName: 'Any',
        overlaps: false,
        heldUp: () => undefined,
        run: () => {
          connection.gone.listen(resolve)
          connection.signal.addEventListener('abort', () => abort())
          return new Promise(() => {})
        },
      }),
    }
    server.start(dispatcher, () => {})
    const stream: Connection = await net.connect('127.0.0.1', server.listeners[0]?.port ?? 0)
    stream.write(request('serial', 's1'))
    await turns()
    stream.destroy()
    await gone
    await aborted
  })
})
