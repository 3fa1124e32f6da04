/** @module test/cli/connector — `millrace connector` and `millrace plugin` against a REST API whose worker is in memory: words, tables, exit codes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { overviewText, runCommand } from '../../hub/cli/index.ts'
import type { Connect } from '../../hub/connect/connect.ts'
import { ConnectRequestError, type ConnectorStateInfo } from '../../hub/connect/types.ts'
import { nodeClock, nodeNet, serveFetch } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { createRestApp } from '../../hub/rest/index.ts'
import { type MemoryConnect, memoryConnect } from '../rest/memory-connect.ts'
import { memoryIo } from './memory-io.ts'

const CONFIG = { 'connector.class': 'a.Source', 'tasks.max': '1', topic: 'lines' }

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A worker behind a port, and a way to run commands against it. */
async function served(overrides: Partial<Connect> = {}) {
  const connect: MemoryConnect = memoryConnect(overrides)
  const clock = nodeClock()
  const app = createRestApp(connect, { clock, logger: memoryLogger() })
  const server = await serveFetch({ net: nodeNet(), clock }, '127.0.0.1', 0, app.fetch)
  const url = `http://127.0.0.1:${server.port}`
  const run = async (args: readonly string[], stdin = ''): Promise<Outcome> => runWith([...args, '--url', url], stdin)
  return { connect, url, run, [Symbol.asyncDispose]: () => server.close() }
}

async function runWith(
  [command = '', ...args]: readonly string[],
  stdin = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const io = { ...memoryIo(stdin), env }
  const exitCode = await runCommand(command, args, io)
  return { exitCode, stdout: io.stdoutText(), stderr: io.stderrText() }
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const listener = await nodeNet().listen('127.0.0.1', 0, () => {})
  await listener.close()
  return listener.port
}

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

/** A status with these task states; FAILED ones have a trace. */
function statusOf(
  name: string,
  connector: ConnectorStateInfo['connector']['state'],
  ...tasks: ConnectorStateInfo['connector']['state'][]
): ConnectorStateInfo {
  const trace = { trace: "a.ConnectException: Couldn't find 'x'\u001b[31m\n\tat a.b.C(D.java:1)" }
  const info = (state: ConnectorStateInfo['connector']['state']) => ({
    state,
    worker_id: '127.0.0.1:8083',
    version: '4.3.1',
    ...(state === 'FAILED' ? trace : {}),
  })
  return { name, connector: info(connector), tasks: tasks.map((state, id) => ({ id, ...info(state) })), type: 'source' }
}

describe('connector create', () => {
  it.each([
    ['Connector src\u001b[2J is no\n good', 'Connector src [2J is no  good\n'],
    [
      'Connector configuration is invalid and contains the following 1 error(s):\nInvalid value \u001b]0;x\u0007.\nYou can also find the above list of errors at the endpoint x',
      'the configuration is invalid: Invalid value  ]0;x .\n',
    ],
  ])('lets nothing that the worker says steer the terminal: %j', async (message, stderr) => {
    await using api = await served({ create: () => Promise.reject(new ConnectRequestError(400, message)) })
    expect(await api.run(['connector', 'create', '-'], JSON.stringify({ ...CONFIG, name: 'src' }))).toMatchObject({ exitCode: 1, stderr })
  })

  it.each([
    ['enveloped.json', JSON.stringify({ name: 'src', config: { ...CONFIG, 'tasks.max': 1, none: null } })],
    ['flat.json', JSON.stringify({ ...CONFIG, name: 'src' })],
    ['flat.properties', '# a source\nname=src\nconnector.class=a.Source\ntasks.max=1\ntopic=lines\n'],
    ['flat.yaml', 'name: src\nconnector.class: a.Source\ntasks.max: 1\ntopic: lines\n'],
    ['nested.yaml', 'name: src\nconfig:\n  connector:\n    class: a.Source\n  tasks.max: 1\n  topic: lines\n'],
  ])('reads %s, and the same from stdin', async (name, content) => {
    await using api = await served()
    expect(await api.run(['connector', 'create', await file(name, content)])).toEqual({
      exitCode: 0,
      stdout: 'Created connector src.\n',
      stderr: '',
    })
    expect(api.connect.connector('src')?.config).toEqual({ ...CONFIG, name: 'src' })
    await api.connect.delete('src')
    expect(await api.run(['connector', 'create', '-'], content)).toMatchObject({ exitCode: 0 })
    expect(api.connect.connector('src')?.config).toEqual({ ...CONFIG, name: 'src' })
  })

  it('takes name and initial state from the command line first', async () => {
    await using api = await served()
    const path = await file('state.json', JSON.stringify({ name: 'src', config: { ...CONFIG, name: 'src' }, initial_state: 'PAUSED' }))
    await api.run(['connector', 'create', path])
    await api.run(['connector', 'create', path, '--name', 'copy', '--initial-state', 'stopped'])
    expect(api.connect.calls).toEqual(['create src PAUSED', 'create copy STOPPED'])
    expect(api.connect.connector('copy')?.config['name']).toBe('copy')
  })

  it('replaces with --update, creates when there is none', async () => {
    await using api = await served()
    const path = await file('update.json', JSON.stringify({ name: 'src', config: CONFIG }))
    expect(await api.run(['connector', 'create', path, '--update'])).toMatchObject({ stdout: 'Created connector src.\n' })
    expect(await api.run(['connector', 'create', path, '--update'])).toMatchObject({ stdout: 'Updated connector src.\n' })
    expect(await api.run(['connector', 'create', path])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Connector src already exists; --update replaces its configuration\n',
    })
    expect(await api.run(['connector', 'create', path, '--update', '--initial-state', 'paused'])).toMatchObject({
      stdout: 'Updated connector src.\n',
    })
  })

  it('prints the API’s answer with --json', async () => {
    await using api = await served()
    const { stdout } = await api.run(['connector', 'create', '-', '--json'], JSON.stringify({ name: 'src', config: CONFIG }))
    expect(JSON.parse(stdout)).toMatchObject({ name: 'src', config: CONFIG, type: 'source' })
  })

  it('tells the mistakes of a configuration, each once', async () => {
    const refusal = (...lines: string[]) =>
      [
        `Connector configuration is invalid and contains the following ${lines.length} error(s):`,
        ...lines,
        'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
      ].join('\n')
    const answers = [refusal('Missing required configuration "topic" which has no default value.'), refusal('One.', 'Two.', 'Two.')]
    await using api = await served({
      create: async () => {
        throw new ConnectRequestError(400, answers.shift() ?? '')
      },
    })
    const path = await file(
      'invalid.json',
      JSON.stringify({ name: 'src', config: {}, initial_state: 'RUNNING' }).replace('{}', '{"a":"b"}'),
    )
    const one = 'the configuration is invalid: Missing required configuration "topic" which has no default value.\n'
    expect(await api.run(['connector', 'create', path])).toEqual({ exitCode: 1, stdout: '', stderr: one })
    expect((await api.run(['connector', 'create', path])).stderr).toBe('the configuration is invalid:\n  One.\n  Two.\n')
  })

  it.each([
    ['missing.json', undefined, 1, /^cannot read .*missing\.json: there is no such file\n$/],
    ['broken.json', '{"name":', 1, /broken\.json: Unexpected end of JSON input\n$/],
    [
      'nested.json',
      '{"name":"a","config":{"x":{"y":1}}}',
      1,
      /the value of "x" is a list or an object; it must be a text, a number or a boolean\n$/,
    ],
    ['list.json', '[]', 1, /list\.json: it must hold a JSON object\n$/],
    ['empty.properties', '# nothing\n', 1, /empty\.properties: it holds no configuration\n$/],
    ['nameless.properties', 'connector.class=a.Source\n', 2, /nameless\.properties names no connector; give --name NAME\n$/],
    ['state.properties', 'name=a\nconnector.class=b\ninitial_state=x\n', 0, /^$/],
    [
      'wrong-state.yaml',
      'name: a\nconfig: {connector.class: b}\ninitial_state: fast\n',
      2,
      /fast is no initial state; it is running, paused or stopped; usage: /,
    ],
  ])('explains %s', async (name, content, exitCode, stderr) => {
    await using api = await served()
    const path = content === undefined ? join(directory, name) : await file(name, content)
    const outcome = await api.run(['connector', 'create', path])
    expect(outcome.stderr).toMatch(stderr)
    expect(outcome.exitCode).toBe(exitCode)
  })
})

describe('connector list and status', () => {
  const statuses: Readonly<Record<string, ConnectorStateInfo>> = {
    src: statusOf('src', 'RUNNING', 'RUNNING', 'FAILED'),
    b: statusOf('b', 'STOPPED'),
  }
  const listed: Partial<Connect> = { connectorNames: () => ['src', 'b'], status: (name) => statuses[name] }

  it('shows a table by name', async () => {
    await using api = await served(listed)
    expect((await api.run(['connector', 'list'])).stdout).toBe(
      [
        'NAME  TYPE    STATE    TASKS           WORKER',
        'b     source  STOPPED  0/0             127.0.0.1:8083',
        'src   source  RUNNING  1/2 (1 failed)  127.0.0.1:8083',
        '',
      ].join('\n'),
    )
  })

  it('says that there are none', async () => {
    await using api = await served()
    expect(await api.run(['connector', 'list'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'There are no connectors; millrace connector create FILE makes one.\n',
    })
    expect((await api.run(['connector', 'list', '--json'])).stdout).toBe('{}\n')
  })

  it('shows the states and the first line of what failed, exit code 1', async () => {
    await using api = await served(listed)
    expect(await api.run(['connector', 'status', 'src'])).toEqual({
      exitCode: 1,
      stdout: [
        'NAME    TYPE    STATE    WORKER          VERSION  ERROR',
        'src     source  RUNNING  127.0.0.1:8083  4.3.1',
        'task 0          RUNNING  127.0.0.1:8083  4.3.1',
        "task 1          FAILED   127.0.0.1:8083  4.3.1    a.ConnectException: Couldn't find 'x' [31m",
        '',
      ].join('\n'),
      stderr: '',
    })
    expect(await api.run(['connector', 'status', 'b'])).toMatchObject({ exitCode: 0 })
    const json = await api.run(['connector', 'status', 'src', '--json'])
    expect(json.exitCode).toBe(1)
    expect(JSON.parse(json.stdout)).toEqual(statuses['src'])
  })

  it('shows why a record was not tolerated: the first line alone does not say it', async () => {
    const status = statusOf('src', 'RUNNING', 'FAILED')
    const trace =
      'x.ConnectException: Tolerance exceeded in error handler\nCaused by: x.DataException: no "schema" (record t-0@7)\n\tat a.b'
    await using api = await served({ ...listed, status: () => ({ ...status, tasks: status.tasks.map((task) => ({ ...task, trace })) }) })
    const { stdout } = await api.run(['connector', 'status', 'src'])
    expect(stdout).toContain('x.ConnectException: Tolerance exceeded in error handler; x.DataException: no "schema" (record t-0@7)\n')
  })

  it('knows no other', async () => {
    await using api = await served(listed)
    expect(await api.run(['connector', 'status', 'none'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Connector none not found; millrace connector list shows what there is\n',
    })
  })
})

describe('steering', () => {
  it.each([
    [['pause', 'a b/c'], 'Paused connector a b/c.\n', 'pause a b/c'],
    [['resume', 'a b/c'], 'Resumed connector a b/c.\n', 'resume a b/c'],
    [['stop', 'a b/c'], 'Stopped connector a b/c.\n', 'stop a b/c'],
    [['restart', 'a b/c'], 'Restarted connector a b/c.\n', 'restart a b/c'],
    [
      ['restart', 'a b/c', '--include-tasks', '--only-failed'],
      'Nothing of connector a b/c has failed.\n',
      'restart a b/c {"includeTasks":true,"onlyFailed":true}',
    ],
  ])('%j', async (args, stdout, call) => {
    await using api = await served()
    await api.connect.putConfig('a b/c', CONFIG)
    expect(await api.run(['connector', ...args])).toEqual({ exitCode: 0, stdout, stderr: '' })
    expect(api.connect.calls).toEqual([call])
  })

  it('deletes without a question', async () => {
    await using api = await served()
    await api.connect.putConfig('src', CONFIG)
    expect(await api.run(['connector', 'delete', 'src', '--wait'])).toEqual({ exitCode: 0, stdout: 'Deleted connector src.\n', stderr: '' })
    expect(await api.run(['connector', 'delete', 'src'])).toMatchObject({
      exitCode: 1,
      stderr: 'Connector src not found; millrace connector list shows what there is\n',
    })
  })

  it('shows offsets digit by digit', async () => {
    await using api = await served()
    await api.connect.putConfig('src', CONFIG)
    expect((await api.run(['connector', 'offsets', 'src'])).stdout).toBe(
      'PARTITION         OFFSET\n{"filename":"a"}  {"position":1152921504606846977}\n',
    )
    expect((await api.run(['connector', 'offsets', 'src', '--json'])).stdout).toContain('"position": 1152921504606846977')
  })

  it('lists plugins', async () => {
    await using api = await served()
    expect((await api.run(['plugin', 'list'])).stdout).toBe('CLASS   TYPE  VERSION\na.Sink  sink  1\n')
    expect((await api.run(['plugin', 'list', '--all'])).stdout).toContain('a.Convert')
  })
})

describe('--wait', () => {
  /** Each look sees the next status; the last one stays. */
  const seen = (...statuses: (ConnectorStateInfo | undefined)[]): Partial<Connect> => ({
    pause: async () => {},
    resume: async () => {},
    stop: async () => {},
    status: () => (statuses.length > 1 ? statuses.shift() : statuses[0]),
  })

  it('ends when connector and tasks are there', async () => {
    await using api = await served(
      seen(undefined, statusOf('src', 'RUNNING'), statusOf('src', 'RUNNING', 'UNASSIGNED'), statusOf('src', 'RUNNING', 'RUNNING')),
    )
    const { exitCode, stdout } = await api.run(['connector', 'resume', 'src', '--wait'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Resumed connector src\.\nNAME .*\nsrc .*RUNNING.*\ntask 0 .*RUNNING/)
  })

  it('ends when a stopped connector has no tasks', async () => {
    await using api = await served(seen(statusOf('src', 'STOPPED', 'RUNNING'), statusOf('src', 'STOPPED')))
    const { exitCode, stdout } = await api.run(['connector', 'stop', 'src', '--wait', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ connector: { state: 'STOPPED' }, tasks: [] })
  })

  it('gives up in time and says where it is', async () => {
    await using api = await served(seen(statusOf('src', 'RUNNING', 'PAUSED')))
    expect(await api.run(['connector', 'pause', 'src', '--wait', '--timeout', '0.2'])).toEqual({
      exitCode: 1,
      stdout: 'Paused connector src.\n',
      stderr: 'connector src is not PAUSED after 0.2 s (connector RUNNING, task 0 PAUSED); --timeout waits longer\n',
    })
  })

  it('gives up a failed one, with the reason', async () => {
    await using api = await served(seen(statusOf('src', 'RUNNING', 'FAILED')))
    const { exitCode, stderr } = await api.run(['connector', 'resume', 'src', '--wait'])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^connector src failed: a\.ConnectException: Couldn't find 'x' \[31m; millrace connector restart src .* tries again\n$/,
    )
  })

  it('tells a failed one to be restarted by a command that a shell takes', async () => {
    await using api = await served(seen(statusOf("it's a b", 'RUNNING', 'FAILED')))
    const { stderr } = await api.run(['connector', 'resume', "it's a b", '--wait'])
    expect(stderr).toContain(String.raw`; millrace connector restart 'it'\''s a b' --include-tasks --only-failed tries again`)
  })

  it('refuses a time that is none', async () => {
    await using api = await served()
    expect(await api.run(['connector', 'pause', 'src', '--wait', '--timeout', 'soon'])).toMatchObject({ exitCode: 2 })
    expect(api.connect.calls).toEqual([])
  })
})

describe('where and how', () => {
  it('takes the address from the environment, the option first', async () => {
    await using api = await served()
    expect(await runWith(['plugin', 'list'], '', { MILLRACE_CONNECT_URL: api.url })).toMatchObject({ exitCode: 0 })
    expect(
      await runWith(['plugin', 'list', '--url', api.url.slice('http://'.length)], '', { MILLRACE_CONNECT_URL: 'http://127.0.0.1:1' }),
    ).toMatchObject({ exitCode: 0 })
  })

  it('explains an address that is none', async () => {
    expect((await runWith(['plugin', 'list', '--url', 'ftp://x'])).stderr).toBe(
      '--url: "ftp://x" is no address; name it as in http://127.0.0.1:8083\n',
    )
    expect(await runWith(['plugin', 'list'], '', { MILLRACE_CONNECT_URL: 'http://' })).toMatchObject({
      exitCode: 2,
      stderr: 'MILLRACE_CONNECT_URL: "http://" is no address; name it as in http://127.0.0.1:8083\n',
    })
  })

  it('explains that nobody is there, without the password', async () => {
    const port = await closedPort()
    const { exitCode, stdout, stderr } = await runWith(['connector', 'list', '--url', `http://me:hunter2@127.0.0.1:${port}/base`])
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `no Connect worker at http://127.0.0.1:${port}/base: connection refused; is the hub running? millrace start starts one, --url names another address\n`,
    )
  })

  it('explains that somebody else is there', async () => {
    const server = await serveFetch({ net: nodeNet(), clock: nodeClock() }, '127.0.0.1', 0, () => new Response('<html>'))
    const { exitCode, stderr } = await runWith(['connector', 'list', '--url', `http://127.0.0.1:${server.port}`])
    await server.close()
    expect(exitCode).toBe(1)
    expect(stderr).toContain('it answers 200 with something other than JSON; it is no Connect worker')
  })

  it('sends user and password as Basic authorization', async () => {
    let authorization: string | null = null
    const server = await serveFetch({ net: nodeNet(), clock: nodeClock() }, '127.0.0.1', 0, (request) => {
      authorization = request.headers.get('authorization')
      return Response.json({})
    })
    await runWith(['connector', 'list', '--url', `http://me:p%40ss@127.0.0.1:${server.port}`])
    await server.close()
    expect(authorization).toBe(`Basic ${btoa('me:p@ss')}`)
  })

  it.each([
    [['connector'], 2],
    [['connector', 'lst'], 2],
    [['connector', 'status'], 2],
    [['connector', 'status', 'a', 'b'], 2],
    [['connector', 'list', 'a'], 2],
    [['connector', 'list', '--foo'], 2],
    [['connector', 'list', '--url', 'ftp://x'], 2],
    [['connector', '--help'], 0],
    [['connector', 'create', '--help'], 0],
    [['plugin', '--help'], 0],
  ])('%j ends with %i', async (args, exitCode) => {
    const outcome = await runWith(args)
    expect(outcome.exitCode).toBe(exitCode)
    expect(exitCode === 0 ? outcome.stdout : outcome.stderr).not.toBe('')
    expect(exitCode === 0 ? outcome.stderr : outcome.stdout).toBe('')
    expect(outcome.stdout.split('\n').filter((line) => line.length > 100)).toEqual([])
  })

  it('shows the stack with --verbose', async () => {
    const { stderr } = await runWith(['connector', 'list', '--verbose', '--url', `http://127.0.0.1:${await closedPort()}`])
    expect(stderr).toMatch(/\n {4}at /)
  })

  it('stands in the overview', () => {
    expect(overviewText()).toContain('Connectors:\n  connector list ')
  })
})
