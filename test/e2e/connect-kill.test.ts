/**
 * @module test/e2e/connect-kill — a hub with a file source and a file sink is killed (−9) at random moments while lines are written: after every
 * restart both connectors go on by themselves, and in the end the topic and the output hold every line.
 */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HubProcess, startHubProcess } from '../hub-process.ts'

const killCount = process.env['MILLRACE_LONG'] === undefined ? 3 : 25
const LINES_PER_BURST = 40
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-connect-kill-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Until `check` holds, asked again and again; fails after a minute with what `describe` says then. */
async function eventually(check: () => Promise<boolean>, state: () => Promise<string>): Promise<void> {
  const endMs = performance.now() + 60_000
  while (performance.now() < endMs) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(await state())
}

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

async function statuses({ connectUrl }: HubProcess): Promise<string> {
  return await (await fetch(`${connectUrl}/connectors?expand=status`)).text()
}

async function post({ connectUrl }: HubProcess, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const string = 'org.apache.kafka.connect.storage.StringConverter'
  const body = JSON.stringify({ name, config: { 'tasks.max': '1', 'key.converter': string, 'value.converter': string, ...config } })
  const answer = await fetch(`${connectUrl}/connectors`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect(answer.status, await answer.text()).toBe(201)
}

describe('kill −9', () => {
  it(`loses no line between file, topic and file over ${killCount} kills`, async () => {
    const input = join(folder, 'input.txt')
    const output = join(folder, 'output.txt')
    const settings = {
      directory: join(folder, 'data'),
      connect: true,
      overrides: { 'connect.offset.flush.interval.ms': '100' },
    }
    let hub = await startHubProcess(settings)
    await post(hub, 'lines-in', { 'connector.class': 'FileStreamSource', file: input, topic: 'lines' })
    await post(hub, 'lines-out', { 'connector.class': 'FileStreamSink', file: output, topics: 'lines' })
    let lineCount = 0
    const write = async (): Promise<void> => {
      const lines = Array.from({ length: LINES_PER_BURST }, () => `line ${lineCount++}\n`)
      await appendFile(input, lines.join(''))
    }
    const writtenUntil = async (number: number): Promise<boolean> => (await text(output)).includes(`line ${number}\n`)
    for (let kill = 0; kill < killCount; kill++) {
      const before = lineCount
      await write()
      // Some kills come while nothing has moved yet, some in the middle, some when all has arrived.
      const waitFor = before + Math.floor(Math.random() * LINES_PER_BURST)
      if (Math.random() < 0.7)
        await eventually(
          () => writtenUntil(waitFor),
          () => statuses(hub),
        )
      await write()
      await hub.end('SIGKILL')
      hub = await startHubProcess(settings)
    }
    await write()
    const wanted = Array.from({ length: lineCount }, (_, number) => `line ${number}`)
    const missing = async (): Promise<string[]> => {
      const seen = new Set((await text(output)).split('\n'))
      return wanted.filter((line) => !seen.has(line))
    }
    await eventually(
      async () => (await missing()).length === 0,
      async () => `missing ${(await missing()).slice(0, 5).join(', ')} …; ${await statuses(hub)}`,
    )
    // What a kill cuts off in the middle of a line comes again whole: nothing else may stand in the file than lines that were written.
    const strangers = (await text(output)).split('\n').filter((line) => line !== '' && !/^line \d+$/.test(line))
    expect(strangers.length).toBeLessThanOrEqual(killCount)
    expect(await hub.end('SIGTERM')).toBe(0)
  })
})
