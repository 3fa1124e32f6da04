import { describe, expect, it, vi } from 'vitest'
import {
  type Connection,
  type FetchHandler,
  type FetchServerLimits,
  type HttpServer,
  memoryNet,
  type Net,
  nodeClock,
  nodeNet,
  serveFetch,
} from '../../hub/io/index.ts'

const CLOSE = 'Host: x\r\nConnection: close\r\n'

/** Everything that a connection sends until it ends. */
async function textOf(connection: Connection): Promise<string> {
  let text = ''
  for await (const chunk of connection) text += String(chunk)
  return text
}

const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

/** A promise and the means to settle it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

describe.each([
  ['TCP', nodeNet],
  ['memory', memoryNet],
] as const)('a fetch handler served over %s', (_name, makeNet) => {
  interface Served extends AsyncDisposable {
    readonly net: Net
    readonly server: HttpServer
    connect(): Promise<Connection>
    exchange(text: string): Promise<string>
  }

  const serve = async (handler: FetchHandler, limits: Partial<FetchServerLimits> = {}): Promise<Served> => {
    const net = makeNet()
    const server = await serveFetch({ net, clock: nodeClock() }, '127.0.0.1', 0, handler, limits)
    const connect = (): Promise<Connection> => net.connect('127.0.0.1', server.port)
    const exchange = async (text: string): Promise<string> => {
      const connection = await connect()
      connection.write(text)
      return textOf(connection)
    }
    return { net, server, connect, exchange, [Symbol.asyncDispose]: () => server.close() }
  }

  const echo: FetchHandler = async (request) =>
    Response.json({
      method: request.method,
      path: new URL(request.url).pathname,
      body: request.method === 'GET' ? '' : await request.text(),
    })

  it('hands over method, path and body, and answers', async () => {
    await using served = await serve(echo)
    const put = await served.exchange(`PUT /a%20b?x=1 HTTP/1.1\r\n${CLOSE}Content-Length: 6\r\n\r\ngrüß`)
    expect(put).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(bodyOf(put)).toEqual({ method: 'PUT', path: '/a%20b', body: 'grüß' })
    const chunked = await served.exchange(`POST / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`)
    expect(bodyOf(chunked)).toEqual({ method: 'POST', path: '/', body: 'abcde' })
  })

  it('serves requests one after another, and pipelined ones in their order, on one connection', async () => {
    await using served = await serve(echo)
    const answer = await served.exchange(`GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n${CLOSE}\r\n`)
    expect([...answer.matchAll(/"path":"(\/\d)"/g)].map(([, path]) => path)).toEqual(['/1', '/2'])
  })

  it.each([
    ['announced', `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n`],
    ['sent in chunks', `PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n${'x'.repeat(101)}\r\n`],
  ])('refuses a body over its limit with 413 when it is %s', async (_how, text) => {
    let askedCount = 0
    await using served = await serve(
      () => {
        askedCount += 1
        return new Response('')
      },
      { bodyBytesMax: 100 },
    )
    const answer = await served.exchange(text)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(bodyOf(answer)).toEqual({ error_code: 413, message: "The request's body is larger than 100 bytes." })
    expect(askedCount).toBe(0)
  })

  it('takes a body of exactly the limit', async () => {
    await using served = await serve(echo, { bodyBytesMax: 100 })
    const answer = await served.exchange(`PUT / HTTP/1.1\r\n${CLOSE}Content-Length: 100\r\n\r\n${'x'.repeat(100)}`)
    expect(bodyOf(answer)).toMatchObject({ body: 'x'.repeat(100) })
  })

  it('ends a request whose headers or body do not come in time, and serves the others meanwhile', async () => {
    await using served = await serve(echo, { headersMs: 50, requestMs: 100, checkMs: 20 })
    const [silent, slowHeaders, slowBody, other] = await Promise.all([
      served.connect().then(textOf),
      served.exchange('GET / HTTP/1.1\r\nHost: x\r\n'),
      served.exchange('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123'),
      served.exchange(`GET /other HTTP/1.1\r\n${CLOSE}\r\n`),
    ])
    expect(silent).toMatch(/^HTTP\/1\.1 408 /)
    expect(slowHeaders).toMatch(/^HTTP\/1\.1 408 /)
    expect(bodyOf(slowHeaders)).toEqual({ error_code: 408, message: 'The request did not arrive in time.' })
    expect(slowBody).toMatch(/^HTTP\/1\.1 408 /)
    expect(bodyOf(other)).toMatchObject({ path: '/other' })
  })

  it('lets go of a peer that sends half a request and no more', async () => {
    await using served = await serve(echo)
    const connection = await served.connect()
    connection.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123')
    connection.end()
    await textOf(connection)
    expect(bodyOf(await served.exchange(`GET /next HTTP/1.1\r\n${CLOSE}\r\n`))).toMatchObject({ path: '/next' })
  })

  it('answers 400 to what is no HTTP and 431 to headers without an end', async () => {
    await using served = await serve(echo, { headersBytesMax: 1024 })
    const garbage = await served.exchange('\u0000\u0001garbage\r\n\r\n')
    expect(garbage).toMatch(/^HTTP\/1\.1 400 /)
    expect(bodyOf(garbage)).toEqual({ error_code: 400, message: 'This is no HTTP request.' })
    const long = await served.exchange(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(2000)}\r\n\r\n`)
    expect(long).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('answers 500 without the reason when the handler throws', async () => {
    await using served = await serve(() => {
      throw new Error('a secret')
    })
    const answer = await served.exchange(`GET / HTTP/1.1\r\n${CLOSE}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 500 /)
    expect(answer).not.toContain('secret')
    expect(bodyOf(answer)).toEqual({ error_code: 500, message: 'The answer could not be made.' })
  })

  it('answers 503 to requests beyond its limit, and takes new ones when the others have ended', async () => {
    const go = gate()
    const arrived = gate()
    await using served = await serve(
      async () => {
        arrived.open()
        await go.opened
        return new Response('done')
      },
      { requestsMax: 1 },
    )
    const first = served.exchange(`GET / HTTP/1.1\r\n${CLOSE}\r\n`)
    await arrived.opened
    const second = await served.exchange(`GET / HTTP/1.1\r\n${CLOSE}\r\n`)
    expect(second).toMatch(/^HTTP\/1\.1 503 /)
    expect(bodyOf(second)).toMatchObject({ error_code: 503 })
    go.open()
    expect(await first).toMatch(/^HTTP\/1\.1 200 /)
    expect(await served.exchange(`GET / HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('lets go of one who does not read his answer', async () => {
    await using served = await serve(() => new Response('x'.repeat(32 * 1024 * 1024)), { answerMs: 100, requestsMax: 1 })
    const lazy = await served.connect()
    const gone = new Promise((resolve) => lazy.once('close', resolve))
    lazy.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => lazy.once('readable', resolve))
    // Its place is free again once it has been let go; until then others are told so.
    await vi.waitFor(
      async () => {
        const next = await served.exchange(`HEAD / HTTP/1.1\r\n${CLOSE}\r\n`)
        expect(next).toMatch(/^HTTP\/1\.1 200 /)
      },
      { timeout: 20_000 },
    )
    lazy.resume()
    await gone
  })

  it.each([
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n'],
    ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${CLOSE}\r\n`],
  ])('answers 400 to %s', async (_what, text) => {
    await using served = await serve(echo)
    const answer = await served.exchange(text)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(bodyOf(answer)).toEqual({ error_code: 400, message: 'This is no HTTP request.' })
  })

  it('ends connections beyond its limit', async () => {
    await using served = await serve(echo, { connectionsMax: 1 })
    const first = await served.connect()
    first.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => first.once('data', resolve))
    const second = await served.connect()
    expect(await textOf(second).catch(() => '')).toBe('')
    first.destroy()
  })

  it('closes: idle connections end at once, running requests are answered first', async () => {
    const go = gate()
    const arrived = gate()
    const served = await serve(async () => {
      arrived.open()
      await go.opened
      return new Response('done')
    })
    const idle = await served.connect()
    idle.resume()
    const idleEnded = new Promise((resolve) => idle.once('close', resolve))
    const running = served.exchange('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived.opened
    const closed = served.server.close()
    await idleEnded
    await expect(served.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    go.open()
    expect(await running).toMatch(/done/)
    await closed
  })

  it('closes: a request that does not end is cut off in time, its signal aborted', async () => {
    const arrived = gate()
    const aborted = gate()
    const served = await serve(
      (request) => {
        request.signal.addEventListener('abort', () => aborted.open())
        arrived.open()
        return new Promise(() => {})
      },
      { closeMs: 20 },
    )
    const running = served.exchange('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived.opened
    await served.server.close()
    expect(await running.catch(() => '')).toBe('')
    await aborted.opened
  })
})
