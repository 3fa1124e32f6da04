/** @module test/e2e/plugin-path — plugins of one file each, loaded by plugin.path into a hub, and the file connectors beside them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHub } from 'millrace/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const root = new URL('../../', import.meta.url).pathname
/** The guide's first plugin, as a reader would save it: a file in a folder where nothing is installed. */
const ticks = /^```ts ticks\.ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'docs/plugins.md'), 'utf8'))?.[1] ?? ''

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-plugin-path-'))
  writeFileSync(join(folder, 'ticks.ts'), ticks)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function start(): ReturnType<typeof startHub> {
  const overrides = {
    'connect.plugin.path': `${folder},${join(root, 'examples/plugins')}`,
    'connect.offset.flush.interval.ms': '100',
    'connect.key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'connect.value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  }
  return startHub({ connect: true, directory: join(folder, 'data'), overrides })
}

async function create(url: string, name: string, config: Record<string, string>): Promise<void> {
  const response = await fetch(`${url}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, config }),
  })
  expect(response.status, await response.text()).toBe(201)
}

/** Lines of the sink's file that begin so. */
function written(start: string): readonly string[] {
  const path = join(folder, 'out.txt')
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(start))
    : []
}

const patience = { timeout: 50_000, interval: 50 }

it('runs them, and goes on after a restart of the hub', { timeout: 120_000 }, async () => {
  {
    await using hub = await start()
    const url = hub.connect?.addresses[0] ?? ''
    const plugins = (await (await fetch(`${url}/connector-plugins`)).json()) as { class: string }[]
    expect(plugins.map((plugin) => plugin.class)).toEqual(
      expect.arrayContaining(['com.example.RandomWalkSource', 'com.example.TicksSource']),
    )
    writeFileSync(join(folder, 'in.txt'), 'line one\nline two\n')
    await create(url, 'ticks', { 'connector.class': 'com.example.TicksSource', topic: 'ticks', 'interval.ms': '20' })
    await create(url, 'walk', { 'connector.class': 'RandomWalkSource', topic: 'prices', 'interval.ms': '1', steps: '5' })
    await create(url, 'lines', { 'connector.class': 'FileStreamSource', topic: 'lines', file: join(folder, 'in.txt') })
    const file = join(folder, 'out.txt')
    await create(url, 'out', { 'connector.class': 'millrace.file.Sink', topics: 'ticks,prices,lines', file })
    await vi.waitFor(() => expect(written('line ')).toEqual(['line one', 'line two']), patience)
    await vi.waitFor(() => expect(written('Struct')).toHaveLength(5), patience)
    await vi.waitFor(() => expect(written('{').length).toBeGreaterThan(3), patience)
    expect(written('Struct')[0]).toMatch(/^Struct\{symbol=ACME,step=1,price=100\.\d+\}$/)
  }
  const before = written('{').length
  await using _hub = await start()
  await vi.waitFor(() => expect(written('{').length).toBeGreaterThan(before + 3), patience)
  // A graceful stop stores every position, so that nothing came twice either.
  expect(written('{')).toEqual(written('{').map((_, at) => `{count=${at + 1}}`))
  expect([written('line '), written('Struct').length]).toEqual([['line one', 'line two'], 5])
})
