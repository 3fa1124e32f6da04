/** @module test/connectors/file/sink — lines as upstream writes them, and disks that do not take them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileSink } from '@millrace/connector-file'
import { Decimal, int32, parseConfig, RetriableError, type Schema, string, struct, structOf, timestamp, type Value } from '@millrace/sdk'
import { runSink, type SinkRun, sinkRecords } from '@millrace/sdk/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Output } from '../../../connectors/file/output.ts'
import { linesTo } from '../../../connectors/file/sink.ts'
import { directory } from './place.ts'

let place: ReturnType<typeof directory>
let file: string
let runs: SinkRun[]

beforeEach(() => {
  place = directory()
  file = place.file('out.txt')
  runs = []
})

afterEach(async () => {
  for (const run of runs) await run.stop()
  expect(place.openCount()).toBe(0)
  place[Symbol.dispose]()
})

async function start(path = file): Promise<SinkRun> {
  const run = await runSink(fileSink, { config: { file: path } })
  runs.push(run)
  return run
}

describe('the lines', () => {
  it.each<[Value, Schema | null, string]>([
    ['text', string(), 'text'],
    [null, null, 'null'],
    [7n, null, '7'],
    [7, int32(), '7'],
    [7, null, '7.0'],
    [true, null, 'true'],
    [new Decimal(1230n, 2), null, '12.30'],
    [new Date(1_483_430_400_123), timestamp(), 'Tue Jan 03 08:00:00 UTC 2017'],
    [['a', 1n], null, '[a, 1]'],
    [new Map([['a', 1n]]), null, '{a=1}'],
    [
      structOf({ id: 1, note: null, name: 'x' }),
      struct({ id: int32(), note: string({ optional: true }), name: string() }),
      'Struct{id=1,name=x}',
    ],
    [Buffer.from('hi'), null, 'aGk='],
    ['two\nlines', null, 'two\nlines'],
  ])('%#', async (value, valueSchema, line) => {
    const run = await start()
    await run.write(sinkRecords('t', [value], { valueSchema }))
    expect(readFileSync(file, 'utf8')).toBe(`${line}\n`)
  })

  it('are appended, with an end for a torn one', async () => {
    writeFileSync(file, 'whole\nto')
    await (await start()).write(sinkRecords('t', ['a', 'b']))
    await (await start()).write(sinkRecords('t', ['c']))
    expect(readFileSync(file, 'utf8')).toBe('whole\nto\na\nb\nc\n')
  })

  it('of several tasks stay whole', async () => {
    const tasks = await Promise.all([start(), start()])
    const texts = (task: number): string[] => Array.from({ length: 500 }, (_, n) => `${task}${'x'.repeat(n)}${task}`)
    await Promise.all(
      tasks.map(async (run, task) => {
        for (let at = 0; at < 500; at += 50)
          await run.write(sinkRecords('t', texts(task).slice(at, at + 50), { partition: task, offset: at }))
      }),
    )
    const held = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(held.toSorted()).toEqual([...texts(0), ...texts(1)].toSorted())
  })
})

describe('a file that cannot be written', () => {
  it('fails the task in upstream’s words when its directory is missing', async () => {
    const path = place.file('missing-dir/out.txt')
    await expect(start(path)).rejects.toMatchObject({
      className: 'org.apache.kafka.connect.errors.ConnectException',
      next: 'fail',
      message: `Couldn't find or create file '${path}' for FileStreamSinkTask`,
      cause: { code: 'ENOENT' },
    })
    expect(existsSync(place.file('missing-dir'))).toBe(false)
  })

  it('fails the task when it is a directory', async () => {
    await expect(start(place.path)).rejects.toMatchObject({ next: 'fail' })
  })

  it.runIf(existsSync('/dev/full'))('asks for a retry while the disk is full', async () => {
    const run = await start('/dev/full')
    const batch = sinkRecords('t', ['a'])
    await expect(run.write(batch)).rejects.toMatchObject({ next: 'retry', message: /^Couldn't write to file '\/dev\/full': ENOSPC/ })
    await expect(run.write(batch)).rejects.toMatchObject({ next: 'retry' })
  })
})

describe('a batch that was interrupted', () => {
  type Mutable<T> = { -readonly [K in keyof T]: T[K] }
  /** An output with room for so many bytes, more when it is told. */
  function smallDisk(): Mutable<Output> & { room: number; text: string; syncCount: number } {
    return {
      room: 0,
      text: '',
      syncCount: 0,
      unwritten: new Uint8Array(0),
      isWithinLine: false,
      async append(bytes) {
        const taken = bytes.subarray(0, this.room)
        this.room -= taken.length
        this.text += Buffer.from(taken).toString()
        this.unwritten = bytes.subarray(taken.length)
        if (this.text !== '') this.isWithinLine = !this.text.endsWith('\n')
        if (this.unwritten.length > 0) throw new RetriableError('ENOSPC: no space left')
      },
      async sync() {
        this.syncCount++
      },
      close: async () => undefined,
    }
  }
  const call = { signal: new AbortController().signal }
  const batch = sinkRecords('t', ['first', 'second', 'third'])

  it('goes on where it was when it comes again, however often', async () => {
    const disk = smallDisk()
    const task = linesTo(disk)
    for (const room of [8, 0, 3]) {
      disk.room += room
      await expect(task.write(batch, call)).rejects.toMatchObject({ next: 'retry' })
    }
    disk.room += 100
    await task.write(batch, call)
    await task.write(sinkRecords('t', ['fourth'], { offset: 3 }), call)
    expect(disk.text).toBe('first\nsecond\nthird\nfourth\n')
  })

  it('leaves one torn line at most when another one comes', async () => {
    const disk = smallDisk()
    const task = linesTo(disk)
    disk.room = 8
    await expect(task.write(batch, call)).rejects.toMatchObject({ next: 'retry' })
    disk.room = 100
    await task.write(batch.slice(1), call)
    expect(disk.text).toBe('first\nse\nsecond\nthird\n')
  })

  it('is synced by the next flush, and by that alone', async () => {
    const disk = smallDisk()
    const task = linesTo(disk)
    await task.flush?.([], call)
    expect(disk.syncCount).toBe(0)
    disk.room = 100
    await task.write(batch, call)
    await task.flush?.([], call)
    await task.flush?.([], call)
    expect(disk.syncCount).toBe(1)
  })
})

describe('the definition', () => {
  it('has upstream’s key', () => {
    expect(Object.entries(fileSink.config).map(([name, { type, importance }]) => [name, type, importance])).toEqual([
      ['file', 'STRING', 'HIGH'],
    ])
    expect(parseConfig(fileSink.config, {})).toEqual({ file: null })
  })
})
