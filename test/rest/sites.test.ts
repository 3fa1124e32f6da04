import * as http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryClock } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { createRestApp } from '../../hub/rest/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { memoryConnect } from './memory-connect.ts'

describe('what a browser sends for a page of another site', () => {
  const app = createRestApp(memoryConnect(), { clock: memoryClock(), logger: memoryLogger() })
  const statusOf = async (method: string, path: string, site: string): Promise<number> => {
    const request = new Request(`http://127.0.0.1:8083${path}`, { method })
    // A Request's own headers cannot hold the browser's marks by its constructor's rules everywhere; set after the fact they can.
    request.headers.set('sec-fetch-site', site)
    return (await app.fetch(request)).status
  }

  it.each([
    ['POST', '/connectors/a/restart', 'cross-site', 403],
    ['POST', '/connectors/a/restart', 'same-site', 403],
    ['POST', '/connectors/a/tasks/0/restart', 'cross-site', 403],
    ['DELETE', '/connectors/a', 'cross-site', 403],
    ['PUT', '/connectors/a/pause', 'cross-site', 403],
    ['DELETE', '/connectors/a', 'same-origin', 404],
    ['DELETE', '/connectors/a', 'none', 404],
    ['GET', '/connectors', 'cross-site', 200],
    ['HEAD', '/connectors', 'cross-site', 200],
  ])('%s %s, %s: %i', async (method, path, site, status) => {
    expect(await statusOf(method, path, site)).toBe(status)
  })
})

describe('the name that a request asks by, on a loopback listener', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await startHub({ connect: true, overrides: { 'connect.rest.advertised.host.name': 'connect.example' } })
  })
  afterAll(() => hub.close())

  const ask = (host: string, method = 'GET'): Promise<number | undefined> => {
    const port = Number(new URL(hub.connect?.addresses[0] ?? '').port)
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, method, path: '/connectors', headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      request.once('error', reject).end()
    })
  }

  it.each([
    ['127.0.0.1:8083', 200],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['localhost.', 200],
    ['connect.localhost:8083', 200],
    ['[::1]:8083', 200],
    ['192.168.1.7', 200],
    ['connect.example', 200],
    ['Connect.Example:80', 200],
    ['rebound.example:8083', 403],
    ['localhost.rebound.example', 403],
    ['127.0.0.1.rebound.example', 403],
    ['notlocalhost', 403],
  ])('%s: %i', async (host, status) => {
    expect(await ask(host)).toBe(status)
  })
})

it('any name will do where other machines ask: they have their own', async () => {
  const app = createRestApp(memoryConnect(), { clock: memoryClock(), logger: memoryLogger() })
  expect((await app.fetch(new Request('http://connect.example/connectors'))).status).toBe(200)
})
