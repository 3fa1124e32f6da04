/** @module test/connectors/file/acceptance — both file connectors against the contract of the SDK. */
import { appendFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileSink, fileSource } from '@millrace/connector-file'
import { javaText } from '@millrace/sdk'
import { type SinkDriver, type SourceDriver, sinkAcceptance, sourceAcceptance } from '@millrace/sdk/testing'
import { describe, it } from 'vitest'
import { directory } from './place.ts'

const lines = ['one', 'zwei ä', 'drei\r', '', 'fünf 😀', '六', 'x'.repeat(5_000), 'eight', 'nine', 'ten']

const source: SourceDriver = {
  setup: () => {
    const place = directory()
    const file = place.file('in.txt')
    writeFileSync(file, `${lines.join('\n')}\nheld back`)
    return {
      config: { file, topic: 'lines', 'batch.size': '3' },
      recordCount: lines.length,
      add: () => {
        appendFileSync(file, ' until now\nlast\n')
        return 2
      },
      openCount: place.openCount,
      cleanup: () => place[Symbol.dispose](),
    }
  },
  batchCountMax: 3,
  // Longer than the source's sleep, which runs capped here.
  quietMs: 30,
  breakages: [
    {
      name: 'a directory in place of a file',
      next: 'fail',
      setup: () => {
        const place = directory()
        return { config: { file: place.path, topic: 'lines' }, openCount: place.openCount, cleanup: () => place[Symbol.dispose]() }
      },
    },
    {
      name: 'a path that leads round in a circle',
      next: 'retry',
      setup: () => {
        const place = directory()
        symlinkSync('loop', place.file('loop'))
        return { config: { file: place.file('loop'), topic: 'lines' }, openCount: place.openCount, cleanup: () => place[Symbol.dispose]() }
      },
    },
  ],
}

describe('FileStreamSourceConnector', () => {
  for (const { name, run } of sourceAcceptance(fileSource, source)) it(name, run)
})

const sink: SinkDriver = {
  setup: () => {
    const place = directory()
    const file = place.file('out.txt')
    return {
      config: { file },
      read: () => readFileSync(file, 'utf8').split('\n').slice(0, -1),
      openCount: place.openCount,
      cleanup: () => place[Symbol.dispose](),
    }
  },
  value: (n) => (n % 2 === 0 ? `line ${n} ü` : BigInt(n)),
  identity: ({ value }) => javaText(null, value),
}

describe('FileStreamSinkConnector', () => {
  for (const { name, run } of sinkAcceptance(fileSink, sink)) it(name, run)
})
