/** @module test/cli/connector-real — the `connector` commands with a worker that runs: a file copied through a topic, as docs/rest.md shows it. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { runCommand } from '../../hub/cli/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { memoryIo } from './memory-io.ts'

const STRINGS = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }

let directory = ''
let hub: TestHub

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-connector-'))
  hub = await startHub({
    connect: true,
    overrides: { 'connect.millrace.tasks.isolation': 'shared', 'connect.offset.flush.interval.ms': '100' },
  })
})

afterAll(async () => {
  await hub.close()
  await rm(directory, { recursive: true, force: true })
})

async function run(args: readonly string[], stdin = '') {
  const io = { ...memoryIo(stdin), env: { MILLRACE_CONNECT_URL: hub.connect?.addresses[0] ?? '' } }
  const exitCode = await runCommand('connector', args, io)
  return { exitCode, stdout: io.stdoutText(), stderr: io.stderrText() }
}

it('copies a file, shows how far it has come, halts and goes on, tells what failed, and leaves nothing', async () => {
  const [input, output] = [join(directory, 'input.txt'), join(directory, 'output.txt')]
  await writeFile(input, 'one\ntwo\n')
  const source = {
    name: 'lines',
    config: { 'connector.class': 'FileStreamSource', file: input, topic: 'lines', 'tasks.max': 1, ...STRINGS },
  }
  const created = await run(['create', '-', '--wait'], JSON.stringify(source))
  expect(created).toMatchObject({ exitCode: 0, stderr: '' })
  expect(created.stdout).toMatch(/^Created connector lines\.\nNAME .*\nlines .*RUNNING.*\ntask 0 .*RUNNING/)

  const sink = `name=copy\nconnector.class=FileStreamSink\ntopics=lines\nfile=${output}\nvalue.converter=${STRINGS['value.converter']}\n`
  expect(await run(['create', '-', '--wait'], sink)).toMatchObject({ exitCode: 0 })
  await vi.waitFor(async () => expect(await readFile(output, 'utf8')).toBe('one\ntwo\n'), { timeout: 20_000 })
  await vi.waitFor(async () => expect((await run(['offsets', 'lines'])).stdout).toContain('{"position":8}'), { timeout: 20_000 })
  expect((await run(['list'])).stdout).toMatch(/copy +sink +RUNNING +1\/1 .*\nlines +source +RUNNING +1\/1 /)

  expect(await run(['stop', 'lines', '--wait'])).toMatchObject({ exitCode: 0 })
  await appendFile(input, 'three\n')
  expect(await run(['resume', 'lines', '--wait'])).toMatchObject({ exitCode: 0 })
  await vi.waitFor(async () => expect(await readFile(output, 'utf8')).toBe('one\ntwo\nthree\n'), { timeout: 20_000 })

  const broken = await run(['create', '-', '--name', 'broken', '--wait'], sink.replace(output, join(directory, 'no/such/dir.txt')))
  expect(broken.exitCode).toBe(1)
  expect(broken.stderr).toContain("connector broken failed: org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file")
  expect(await run(['status', 'broken'])).toMatchObject({ exitCode: 1 })

  for (const name of ['lines', 'copy', 'broken']) expect(await run(['delete', name, '--wait'])).toMatchObject({ exitCode: 0 })
  expect((await run(['list', '--json'])).stdout).toBe('{}\n')
})
