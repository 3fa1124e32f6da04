import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Connect } from '../../hub/connect/connect.ts'
import { ConnectRequestError } from '../../hub/connect/types.ts'
import { memoryClock } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { createRestApp } from '../../hub/rest/index.ts'
import { memoryConnect } from './memory-connect.ts'

const ORIGIN = 'http://127.0.0.1:8083'
const source = { 'connector.class': 'a.Source', topic: 't' }

/** An app and a way to ask it: a body that is no text is sent as JSON. */
function appOf(connect: Connect | (() => Connect | undefined) = memoryConnect()) {
  const clock = memoryClock()
  const logger = memoryLogger()
  const app = createRestApp(connect, { clock, logger })
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await app.fetch(new Request(`${ORIGIN}${path}`, { method, ...content, headers: { ...type, ...headers } }))
    const text = await response.text()
    const isJson = response.headers.get('content-type') === 'application/json'
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
    }
  }
  return { ask, clock, logger }
}

describe('requests', () => {
  it('turn scalars into the text that stood in the document', async () => {
    const { ask } = appOf()
    const config = '{"a":1,"b":1.50,"c":12345678901234567890,"d":true,"e":"x","f":null,"__proto__":"p"}'
    const { status, body } = await ask('POST', '/connectors', `{"name":7,"config":${config}}`)
    expect(status).toBe(201)
    expect(JSON.stringify(body)).toContain('{"a":"1","b":"1.50","c":"12345678901234567890","d":"true","e":"x","__proto__":"p","name":"7"}')
  })

  it.each([
    ['', 'The request has no body; send a JSON object.'],
    ['{', "The request's body is not JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)."],
    [
      '{"password":"hunter2"',
      "The request's body is not JSON: Expected ',' or '}' after property value in JSON at position 21 (line 1 column 22).",
    ],
    ['not json', "The request's body is not JSON: Unexpected token 'o'."],
    ['hunter2', "The request's body is not JSON: Unexpected token 'h'."],
    ['[]', 'The body must be a JSON object with the fields "name" and "config".'],
    ['5', 'The body must be a JSON object with the fields "name" and "config".'],
    ['null', 'The body must be a JSON object with the fields "name" and "config".'],
    ['{}', 'The field "config" is missing; it holds the connector\'s configuration.'],
    ['{"name":{},"config":{}}', 'The field "name" must be a text.'],
    ['{"name":"x","config":[]}', 'The field "config" must be a JSON object of keys and their values.'],
    [
      '{"name":"x","config":{"a":{"b":1}}}',
      'The field "config" has an object as value of "a"; a value must be a text, a number or a boolean.',
    ],
    ['{"name":"x","config":{"a":[]}}', 'The field "config" has a list as value of "a"; a value must be a text, a number or a boolean.'],
    ['{"name":"x","config":{},"extra":1}', 'Unrecognized field "extra"; known are "name", "config" and "initial_state".'],
    ['{"name":"x","config":{},"initial_state":"x"}', 'The field "initial_state" must be one of RUNNING, PAUSED and STOPPED.'],
    ['{"name":"x","config":{},"initial_state":"constructor"}', 'The field "initial_state" must be one of RUNNING, PAUSED and STOPPED.'],
  ])('are refused with 400 for %s', async (body, message) => {
    const { ask } = appOf()
    expect(await ask('POST', '/connectors', body)).toMatchObject({ status: 400, body: { error_code: 400, message } })
  })

  it('are refused with 400 when they are nested without end', async () => {
    const { ask } = appOf()
    const { status, body } = await ask('PUT', '/connectors/a/config', '['.repeat(1_000_000) + ']'.repeat(1_000_000))
    expect(status).toBe(400)
    expect(body).toEqual({ error_code: 400, message: "The request's body is not JSON: it is nested too deeply." })
  })

  it.each([['text/plain'], ['application/x-www-form-urlencoded'], [''], ['application/jsonx']])(
    'are refused with 415 as %j',
    async (type) => {
      const { ask } = appOf()
      const answer = await ask('PUT', '/connectors/a/config', source, { 'content-type': type })
      expect(answer).toMatchObject({ status: 415, body: { error_code: 415, message: 'HTTP 415 Unsupported Media Type' } })
    },
  )

  it.each([
    ['RUNNING', 'STARTED'],
    ['paused', 'PAUSED'],
    ['Stopped', 'STOPPED'],
    [null, 'default'],
  ])('take the initial state %s', async (state, target) => {
    const connect = memoryConnect()
    const { ask } = appOf(connect)
    expect(await ask('POST', '/connectors', { name: 'a', config: source, initial_state: state })).toMatchObject({ status: 201 })
    expect(connect.calls).toEqual([`create a ${target}`])
  })

  it('change and remove single keys', async () => {
    const { ask } = appOf()
    await ask('PUT', '/connectors/a/config', { ...source, gone: 'x' })
    const { body } = await ask('PATCH', '/connectors/a/config', { topic: 5, gone: null })
    expect(body).toMatchObject({ config: { 'connector.class': 'a.Source', topic: '5', name: 'a' } })
    expect(await ask('PATCH', '/connectors/a/config', [])).toMatchObject({ status: 400 })
  })
})

describe('paths', () => {
  it.each(['a/b', '100%', 'a%41', 'q?x=1', 'h#x', 'with space', 'plus+plus', 'é日本', 'semi;colon', '%2F', 'a\\b', '..x'])(
    'name the connector %j',
    async (name) => {
      const { ask } = appOf()
      const { headers } = await ask('POST', '/connectors', { name, config: source })
      const location = headers.get('location') ?? ''
      expect(location).toMatch(/^http:\/\/127\.0\.0\.1:8083\/connectors\/[^/]+$/)
      expect(await ask('GET', location.slice(ORIGIN.length))).toMatchObject({ status: 200, body: { name } })
      expect(await ask('GET', `/connectors/${encodeURIComponent(name)}/status`)).toMatchObject({ status: 200, body: { name } })
    },
  )

  it.each([
    ['GET', '/connectors/'],
    ['GET', '/connectors?'],
    ['GET', '/connector-plugins/'],
    ['GET', '/health/'],
  ])('may end with a slash: %s %s', async (method, path) => {
    expect(await appOf().ask(method, path)).toMatchObject({ status: 200 })
  })

  it.each([
    ['GET', '/nope', 404],
    ['GET', '/connectors/a/bogus', 404],
    ['GET', '/connectors/a/tasks/0', 404],
    ['GET', '/connectors/a/tasks/x/status', 404],
    ['GET', '/connectors/a/tasks/99999999999/status', 404],
    ['GET', '/admin/loggers', 404],
    ['GET', '//', 400],
    ['PUT', '/connectors//config', 400],
    ['POST', '/', 405],
    ['PUT', '/connectors', 405],
    ['DELETE', '/connectors/a/config', 405],
    ['PATCH', '/connectors/a/offsets', 405],
    ['DELETE', '/connectors/a/offsets', 405],
    ['GET', '/connectors/a/pause', 405],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await appOf().ask(method, path)
    expect(answer).toMatchObject({ status, body: { error_code: status } })
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/OPTIONS/)
  })

  it('tell what they allow', async () => {
    const { status, headers, text } = await appOf().ask('OPTIONS', '/connectors/a/config')
    expect([status, headers.get('allow'), headers.get('content-type')]).toEqual([200, 'GET,HEAD,OPTIONS,PATCH,PUT', 'text/plain'])
    expect(text).toBe('HEAD, GET, OPTIONS, PUT, PATCH')
  })

  it('answer HEAD without a body', async () => {
    const { status, headers, text } = await appOf().ask('HEAD', '/connectors')
    expect([status, headers.get('content-type'), text]).toEqual([200, 'application/json', ''])
  })

  it.each([
    ['text/plain', 406],
    ['application/json;q=0', 406],
    ['text/html,*/*', 200],
    ['application/*', 200],
    ['text/plain, application/json; q=0.5', 200],
  ])('to one who accepts %s: %i', async (accept, status) => {
    expect(await appOf().ask('GET', '/', undefined, { accept })).toMatchObject({ status })
  })
})

describe('connectors', () => {
  it('are listed by name, or expanded', async () => {
    const { ask } = appOf()
    await ask('PUT', '/connectors/a/config', source)
    expect((await ask('GET', '/connectors')).body).toEqual(['a'])
    expect((await ask('GET', '/connectors?expand=bogus')).body).toEqual({ a: {} })
    expect((await ask('GET', '/connectors?expand=status')).body).toMatchObject({ a: { status: { name: 'a' } } })
    const both = (await ask('GET', '/connectors?expand=info&expand=status')).body as { a: object }
    expect(Object.keys(both.a).sort()).toEqual(['info', 'status'])
  })

  it('are created once, replaced after that', async () => {
    const { ask } = appOf()
    expect(await ask('PUT', '/connectors/a/config', source)).toMatchObject({ status: 201 })
    expect(await ask('PUT', '/connectors/a/config', source)).toMatchObject({ status: 200 })
    const again = await ask('POST', '/connectors', { name: 'a', config: source })
    expect(again).toMatchObject({ status: 409, body: { error_code: 409, message: 'Connector a already exists' } })
  })

  it.each([
    ['PUT', 'pause', 202],
    ['PUT', 'resume', 202],
    ['PUT', 'stop', 204],
    ['POST', 'restart', 204],
  ])('%s %s answers %i without a body', async (method, verb, status) => {
    const connect = memoryConnect()
    const { ask } = appOf(connect)
    await ask('PUT', '/connectors/a/config', source)
    expect(await ask(method, `/connectors/a/${verb}`)).toMatchObject({ status, text: '' })
    expect(connect.calls).toEqual([`${verb} a`])
    expect(await ask(method, `/connectors/none/${verb}`)).toMatchObject({ status: 404 })
  })

  it.each([
    ['includeTasks=true', '{"includeTasks":true,"onlyFailed":false}'],
    ['onlyFailed=TRUE', '{"includeTasks":false,"onlyFailed":true}'],
  ])('restart with %s answers 202 and the plan', async (query, flags) => {
    const connect = memoryConnect()
    const { ask } = appOf(connect)
    await ask('PUT', '/connectors/a/config', source)
    expect(await ask('POST', `/connectors/a/restart?${query}`)).toMatchObject({ status: 202, body: { name: 'a' } })
    expect(connect.calls).toEqual([`restart a ${flags}`])
  })

  it('tell offsets digit by digit', async () => {
    const { text } = await appOf().ask('GET', '/connectors/a/offsets')
    expect(text).toBe('{"offsets":[{"partition":{"filename":"a"},"offset":{"position":1152921504606846977}}]}')
  })

  it('take no internal requests', async () => {
    const { ask } = appOf()
    const missing = { status: 400, body: { error_code: 400, message: 'Internal request missing required signature' } }
    expect(await ask('POST', '/connectors/a/tasks', [])).toMatchObject(missing)
    expect(await ask('PUT', '/connectors/a/fence', {})).toMatchObject(missing)
    const signed = { 'x-connect-authorization': 'x', 'x-connect-request-signature-algorithm': 'HmacSHA256' }
    expect(await ask('PUT', '/connectors/a/fence', {}, signed)).toMatchObject({ status: 403 })
  })
})

describe('plugins', () => {
  it('are listed, connectors only unless told otherwise', async () => {
    const { ask } = appOf()
    expect((await ask('GET', '/connector-plugins')).body).toHaveLength(1)
    expect((await ask('GET', '/connector-plugins?connectorsOnly=false')).body).toHaveLength(2)
  })

  it.each([
    ['', 200],
    ['?version=latest', 200],
    ['?version=1', 200],
    ['?version=9.9', 400],
    ['?version=[1,2)', 400],
  ])('are described in one version: %s is %i', async (query, status) => {
    const { ask } = appOf(memoryConnect({ pluginConfig: async () => [] }))
    const answer = await ask('GET', `/connector-plugins/Sink/config${query}`)
    expect(answer).toMatchObject({ status })
    if (query === '?version=9.9') {
      expect(answer.text).toContain('Plugin a.Sink not found that matches the version range [9.9,9.9], available versions: [1]')
    }
  })

  it.each([
    ['FileStreamSource', 'org.apache.kafka.connect.file.FileStreamSourceConnector', 200],
    ['org.apache.kafka.connect.file.FileStreamSourceConnector', 'FileStreamSource', 400],
    ['FileStreamSink', 'org.apache.kafka.connect.file.FileStreamSourceConnector', 400],
  ])('validate as %s a configuration of %s: %i', async (plugin, connectorClass, status) => {
    const answer = await appOf().ask('PUT', `/connector-plugins/${plugin}/config/validate`, { 'connector.class': connectorClass })
    expect(answer).toMatchObject({ status })
    if (status === 400) expect(answer.text).toContain(`Included connector type ${connectorClass} does not match request type ${plugin}`)
  })
})

describe('failures', () => {
  it('that nobody foresaw are 500 with their message, and logged', async () => {
    const connect = memoryConnect({
      pause: async () => {
        throw new TypeError('x is not a function')
      },
    })
    const { ask, logger } = appOf(connect)
    const answer = await ask('PUT', '/connectors/a/pause')
    expect(answer).toMatchObject({ status: 500, body: { error_code: 500, message: 'x is not a function' } })
    expect(answer.text).not.toContain('at ')
    expect(logger.entries.map(({ level }) => level)).toEqual(['error'])
  })

  it('of the worker keep their status and text, and are not logged', async () => {
    const connect = memoryConnect({
      resetTopics: () => {
        throw new ConnectRequestError(403, 'Topic tracking is disabled.')
      },
    })
    const { ask, logger } = appOf(connect)
    const answer = await ask('PUT', '/connectors/a/topics/reset')
    expect(answer).toMatchObject({ status: 403, body: { error_code: 403, message: 'Topic tracking is disabled.' } })
    expect(logger.entries).toEqual([])
  })

  it('come after 90 seconds at the latest', async () => {
    const { ask, clock } = appOf(memoryConnect({ pause: () => new Promise(() => {}) }))
    const asked = ask('PUT', '/connectors/a/pause')
    await clock.advance(89_999)
    expect(clock.timerCount).toBe(1)
    await clock.advance(1)
    const message = 'Request timed out. The worker is currently pausing connector a, which began at 2023-11-14T22:13:20.000Z'
    expect(await asked).toMatchObject({ status: 500, body: { error_code: 500, message } })
    expect(clock.timerCount).toBe(0)
  })
})

describe('while the worker starts', () => {
  it('health says so and the others answer 503', async () => {
    let connect: Connect | undefined
    const { ask } = appOf(() => connect)
    expect(await ask('GET', '/health')).toMatchObject({
      status: 503,
      body: { status: 'starting', message: 'Worker is still starting up.' },
    })
    expect(await ask('GET', '/connectors')).toMatchObject({ status: 503, body: { error_code: 503 } })
    connect = memoryConnect()
    expect(await ask('GET', '/health')).toMatchObject({ status: 200, body: { status: 'healthy' } })
    expect((await ask('GET', '/')).body).toEqual({ version: '4.3.1', commit: 'millrace', kafka_cluster_id: 'cluster-1' })
  })

  it('an unhealthy worker is 500', async () => {
    const { ask } = appOf(memoryConnect({ health: () => ({ status: 'unhealthy', message: 'the broker is gone' }) }))
    expect(await ask('GET', '/health')).toMatchObject({ status: 500, body: { status: 'unhealthy', message: 'the broker is gone' } })
  })
})

describe('whatever is asked', () => {
  const runs = { numRuns: process.env['MILLRACE_LONG'] === undefined ? 300 : 20_000 }
  const part = fc.oneof(
    fc.constantFrom(
      'connectors',
      'connector-plugins',
      'a',
      'config',
      'status',
      'tasks',
      '0',
      'restart',
      'validate',
      'offsets',
      'topics',
      'reset',
      'health',
    ),
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom('%', '%zz', '%ff', '%00', '..', '%2e%2e', ';x=1', '*'),
  )

  it('is answered with a status of its own and, when it is refused, with JSON that says why', async () => {
    const { ask, logger } = appOf()
    await ask('PUT', '/connectors/a/config', source)
    const method = fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE')
    const body = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string({ unit: 'binary' }),
      fc.constant(JSON.stringify({ name: 'b', config: source })),
    )
    await fc.assert(
      fc.asyncProperty(method, fc.array(part, { maxLength: 6 }), body, async (verb, parts, content) => {
        const answer = await ask(verb, `/${parts.join('/')}`, verb === 'GET' ? undefined : content)
        expect(answer.status).toBeLessThan(500)
        if (answer.status >= 400) expect(answer.body).toMatchObject({ error_code: answer.status })
      }),
      runs,
    )
    expect(logger.entries).toEqual([])
  })
})
