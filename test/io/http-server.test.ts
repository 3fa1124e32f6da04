import { describe, expect, it } from 'vitest'
import { type Connection, memoryNet, type Net, nodeNet, serveHttp } from '../../hub/io/index.ts'

/** Sends text and reads until the other side ends. */
async function exchange(net: Net, port: number, text: string): Promise<string> {
  const connection: Connection = await net.connect('127.0.0.1', port)
  connection.write(text)
  let answer = ''
  for await (const chunk of connection) answer += String(chunk)
  return answer
}

describe.each([
  ['TCP', nodeNet],
  ['memory', memoryNet],
] as const)('the HTTP server over %s', (_name, makeNet) => {
  const serve = async () => {
    const net = makeNet()
    const server = await serveHttp(net, '127.0.0.1', 0, (path) => {
      if (path === '/broken') throw new Error('a secret')
      return path === '/there' ? { status: 200, contentType: 'text/plain', body: 'grüß' } : undefined
    })
    return { net, server, [Symbol.asyncDispose]: () => server.close() }
  }
  const head = 'Host: x\r\nConnection: close\r\n'

  it('answers GET and HEAD, with the size in bytes', async () => {
    await using served = await serve()
    const got = await exchange(served.net, served.server.port, `GET /there?x=1 HTTP/1.1\r\n${head}\r\n`)
    expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(got.toLowerCase()).toContain('content-length: 6\r\n')
    expect(got.endsWith('\r\n\r\ngrüß')).toBe(true)
    const bare = await exchange(served.net, served.server.port, `HEAD /there HTTP/1.1\r\n${head}\r\n`)
    expect(bare.toLowerCase()).toContain('content-length: 6\r\n')
    expect(bare.endsWith('\r\n\r\n')).toBe(true)
  })

  it('answers 404, 405, and 500 without the reason', async () => {
    await using served = await serve()
    const ask = (line: string): Promise<string> => exchange(served.net, served.server.port, `${line} HTTP/1.1\r\n${head}\r\n`)
    expect(await ask('GET /elsewhere')).toMatch(/^HTTP\/1\.1 404 /)
    expect(await ask('DELETE /there')).toMatch(/^HTTP\/1\.1 405 /)
    const broken = await ask('GET /broken')
    expect(broken).toMatch(/^HTTP\/1\.1 500 /)
    expect(broken).not.toContain('secret')
  })

  it('answers 400 to what is no HTTP', async () => {
    await using served = await serve()
    expect(await exchange(served.net, served.server.port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('ends open connections when it closes', async () => {
    const { net, server } = await serve()
    const connection = await net.connect('127.0.0.1', server.port)
    const ended = new Promise((resolve) => connection.once('close', resolve))
    connection.resume()
    connection.write(`GET /there HTTP/1.1\r\nHost: x\r\n\r\n`)
    await new Promise((resolve) => connection.once('data', resolve))
    await server.close()
    await ended
    await expect(net.connect('127.0.0.1', server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
