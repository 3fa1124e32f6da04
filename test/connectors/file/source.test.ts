/** @module test/connectors/file/source — what a file may do while it is read. */
import { appendFileSync, closeSync, copyFileSync, ftruncateSync, openSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { fileSource } from '@millrace/connector-file'
import { parseConfig, type SourceRecord, type SourceTaskContext, validateConfig } from '@millrace/sdk'
import { MemoryOffsets, runSource, type SourceRun } from '@millrace/sdk/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { directory } from './place.ts'

let place: ReturnType<typeof directory>
let file: string
let runs: SourceRun[]

beforeEach(() => {
  place = directory()
  file = place.file('in.txt')
  runs = []
})

afterEach(async () => {
  for (const run of runs) await run.stop()
  expect(place.openCount()).toBe(0)
  place[Symbol.dispose]()
})

async function start(offsets = new MemoryOffsets(), config: Record<string, string> = {}): Promise<SourceRun> {
  const run = await runSource(fileSource, { config: { file, topic: 'lines', ...config }, offsets })
  runs.push(run)
  return run
}

const linesOf = (records: readonly SourceRecord[]): readonly [unknown, unknown][] =>
  records.map(({ value, sourceOffset }) => [value, sourceOffset?.['position']])

/** Until the source has noticed that the file is another one, which shows in its stored position. */
async function noticed(run: SourceRun): Promise<void> {
  while (run.offsets.read({ filename: file })?.['position'] !== 0) {
    expect(await run.takeFor(10)).toEqual([])
    await run.commit()
  }
}

describe('the records', () => {
  it('are those of upstream', async () => {
    writeFileSync(file, 'one\ntwo\n')
    const beforeMs = Date.now()
    const records = await (await start()).take(2)
    expect(records[1]).toMatchObject({
      topic: 'lines',
      partition: null,
      keySchema: null,
      key: null,
      valueSchema: { type: 'string' },
      value: 'two',
      headers: [],
      sourcePartition: { filename: file },
      sourceOffset: { position: 8 },
    })
    expect(records[1]?.timestampMs).toBeGreaterThanOrEqual(beforeMs)
  })

  it('come in batches of batch.size, one of less than 1 being 1', async () => {
    writeFileSync(file, 'line\n'.repeat(25))
    for (const [size, counts] of [
      ['10', [10, 10, 5]],
      ['-3', Array(25).fill(1)],
    ] as const) {
      const run = await start(new MemoryOffsets(), { 'batch.size': size })
      await run.take(25)
      expect(run.batchCounts).toEqual(counts)
    }
  })

  it('go on at the stored position, in bytes', async () => {
    writeFileSync(file, 'ä\nb\nc\n')
    const offsets = new MemoryOffsets([{ partition: { filename: file }, offset: { position: 3 } }])
    expect(linesOf(await (await start(offsets)).take(2))).toEqual([
      ['b', 5],
      ['c', 7],
    ])
  })

  it('are refused for a stored position that is none', async () => {
    writeFileSync(file, 'a\n')
    const run = await start(new MemoryOffsets([{ partition: { filename: file }, offset: { position: 'x' } }]))
    await expect(run.next()).rejects.toMatchObject({ code: 'offset-invalid', message: /^Offset position is the incorrect type/ })
  })
})

describe('a file that changes', () => {
  it('is waited for, which is said once', async () => {
    const run = await start()
    expect(await run.takeFor(30)).toEqual([])
    writeFileSync(file, 'here\n')
    expect(linesOf(await run.take(1))).toEqual([['here', 5]])
    expect(run.log.map(({ level, message }) => [level, message])).toEqual([['warn', `Couldn't find file '${file}', waiting for it`]])
  })

  it.each([
    ['too long', 'x'.repeat(300)],
    ['with a NUL', 'a\0b'],
  ])('fails the task under a name that no file can have: %s', async (_what, name) => {
    const run = await start(new MemoryOffsets(), { file: place.file(name) })
    await expect(run.next()).rejects.toMatchObject({ next: 'fail', code: 'no-file-name', message: /^Couldn't open file .*; correct file$/ })
  })

  it('is followed as it grows, whole lines at a time', async () => {
    writeFileSync(file, 'one\ntw')
    const run = await start()
    expect(linesOf(await run.take(1))).toEqual([['one', 4]])
    expect(await run.takeFor(30)).toEqual([])
    appendFileSync(file, 'o\r')
    expect(await run.takeFor(30)).toEqual([])
    appendFileSync(file, '\nthree\n')
    expect(linesOf(await run.take(2))).toEqual([
      ['two', 9],
      ['three', 15],
    ])
  })

  it('is read from its start after it was cut (copytruncate)', async () => {
    writeFileSync(file, 'one\ntwo\nheld')
    const run = await start()
    await run.take(2)
    expect(await run.takeFor(20)).toEqual([])
    copyFileSync(file, place.file('in.txt.1'))
    truncateSync(file, 0)
    await noticed(run)
    appendFileSync(file, 'new\n')
    expect(linesOf(await run.take(1))).toEqual([['new', 4]])
    expect(run.log.map(({ level }) => level)).toEqual(['warn'])
  })

  it('is read to its end and then anew after it was replaced (log rotation)', async () => {
    writeFileSync(file, 'one\nlast without end')
    const run = await start()
    await run.take(1)
    expect(await run.takeFor(20)).toEqual([])
    renameSync(file, place.file('in.txt.1'))
    expect(await run.takeFor(20)).toEqual([])
    writeFileSync(file, 'first of new\n')
    const records = await run.take(2)
    // Behind the last line of the old file stands the start of the new one.
    expect(linesOf(records)).toEqual([
      ['last without end', 0],
      ['first of new', 13],
    ])
  })

  it('is read on while its writer still holds it open after the rotation', async () => {
    writeFileSync(file, 'one\n')
    const fd = openSync(file, 'a')
    const rotate = (): void => {
      renameSync(file, place.file('in.txt.1'))
      writeFileSync(file, 'first of new\n')
    }
    const write = (text: string) => () => appendFileSync(fd, text)
    // What happens while the source sleeps, one after the other: the writer comes back just before the source would give up waiting.
    const idle = Array.from({ length: 4 }, () => () => undefined)
    const stop = new AbortController()
    const long = Array.from({ length: 20 }, () => () => undefined)
    const events = [rotate, write('la'), ...idle, write('te\n'), ...idle, write('last'), ...long, () => stop.abort()]
    const context = {
      signal: stop.signal,
      offsets: { read: async () => null, advance: () => undefined },
      sleep: async () => events.shift()?.(),
    } as unknown as SourceTaskContext
    const lines: unknown[] = []
    for await (const batch of fileSource.run(parseConfig(fileSource.config, { file, topic: 'lines' }), context)) {
      lines.push(...batch.map(({ value, sourceOffset }) => [value, sourceOffset?.['position']]))
    }
    closeSync(fd)
    expect(lines).toEqual([
      ['one', 4],
      ['late', 9],
      ['last', 0],
      ['first of new', 13],
    ])
  })

  it('is not skipped when it was replaced by a longer one and the task ends before its first line', async () => {
    writeFileSync(file, 'one\n')
    const offsets = new MemoryOffsets()
    const first = await start(offsets)
    await first.take(1)
    await first.commit()
    renameSync(file, place.file('in.txt.1'))
    writeFileSync(file, 'longer than before, not ended yet')
    await noticed(first)
    await first.stop()
    appendFileSync(file, ', now it is\n')
    expect(linesOf(await (await start(offsets)).take(1))).toEqual([['longer than before, not ended yet, now it is', 45]])
  })

  it('may be deleted, and made again', async () => {
    writeFileSync(file, 'one\n')
    const run = await start()
    await run.take(1)
    rmSync(file)
    expect(await run.takeFor(30)).toEqual([])
    writeFileSync(file, 'two\n')
    expect(linesOf(await run.take(1))).toEqual([['two', 4]])
  })

  it('that is shorter than the stored position is read from its start', async () => {
    writeFileSync(file, 'fresh\n')
    const run = await start(new MemoryOffsets([{ partition: { filename: file }, offset: { position: 1_000 } }]))
    expect(linesOf(await run.take(1))).toEqual([['fresh', 6]])
    expect(run.log[0]?.message).toContain('is shorter than what was read of it')
  })

  it('has no line without an end for more than 64 MiB', async () => {
    const fd = openSync(file, 'w')
    ftruncateSync(fd, 65 * 1024 * 1024)
    closeSync(fd)
    const run = await start()
    await expect(run.next()).rejects.toMatchObject({ code: 'line-too-long', message: /at byte 0 there is none for 67108864 bytes/ })
  })
})

describe('the definition', () => {
  it('has upstream’s keys in upstream’s order, and its messages', () => {
    expect(Object.entries(fileSource.config).map(([name, { type, importance }]) => [name, type, importance])).toEqual([
      ['file', 'STRING', 'HIGH'],
      ['topic', 'STRING', 'HIGH'],
      ['batch.size', 'INT', 'LOW'],
    ])
    expect(parseConfig(fileSource.config, { topic: 't' })).toEqual({ file: null, topic: 't', 'batch.size': 2000 })
    const errors = (props: Record<string, string>): unknown[] => validateConfig(fileSource.config, props).flatMap((value) => value.errors)
    expect(errors({})).toEqual(['Missing required configuration "topic" which has no default value.'])
    expect(errors({ topic: '' })).toEqual(['Invalid value  for configuration topic: String must be non-empty'])
  })

  it('is exactly-once where there is a file', () => {
    const supports = (props: Record<string, string>): boolean | undefined =>
      fileSource.exactlyOnce?.(parseConfig(fileSource.config, { topic: 't', ...props }))
    expect([supports({ file: 'x' }), supports({}), supports({ file: '' })]).toEqual([true, false, false])
  })
})
