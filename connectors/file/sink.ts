/**
 * @module connector-file/sink — a topic's values as lines of a file, as Kafka's `FileStreamSinkConnector`: each value as Java prints it
 * (`null` for a tombstone), then a line end. Several tasks may append to one file.
 *
 * At least once: a flush syncs the file before the offsets are committed. When a disk is full the same records come again, and only what
 * is still missing of them is written.
 */
import { defineConfig, defineSink, javaText, type SinkRecord, type SinkTask } from '@millrace/sdk'
import { type Output, openOutput, standardOutput } from './output.ts'

const config = defineConfig({
  file: {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation: 'The file to append to; it is made when it is missing, its directory is not. Left out: the standard output.',
  },
})

/** Kafka's FileStreamSinkConnector. */
export const fileSink = defineSink({
  class: 'org.apache.kafka.connect.file.FileStreamSinkConnector',
  version: '4.3.1',
  aliases: ['millrace.file.Sink'],
  documentation: 'Appends the values of topics to a file, one line each.',
  config,
  start: async ({ file }) => linesTo(file === null || file === '' ? standardOutput() : await openOutput(file)),
})

/** The task that writes to an output; stops it at the end. */
export function linesTo(output: Output): SinkTask {
  let interrupted = ''
  let isDirty = false
  return {
    async write(records) {
      if (records.length === 0) return
      const batch = nameOf(records)
      // The very same records again: what of them stands in the file already is not written twice.
      const bytes = interrupted === batch ? output.unwritten : linesOf(records, output.isWithinLine)
      isDirty = true
      interrupted = batch
      await output.append(bytes)
      interrupted = ''
    },
    async flush() {
      if (isDirty) await output.sync()
      isDirty = false
      return undefined
    },
    stop: () => output.close(),
  }
}

/** Which records a batch is made of: the ends suffice, since a batch comes again as it was or not at all. */
function nameOf(records: readonly SinkRecord[]): string {
  const [first, last] = [records[0], records.at(-1)].map((record) =>
    record === undefined ? '' : `${record.originalTopic}/${record.originalPartition}/${record.originalOffset}`,
  )
  return `${records.length} ${first} ${last}`
}

/** A torn line, of a crash or of an interrupted batch that did not come again, gets an end first. */
function linesOf(records: readonly SinkRecord[], isTorn: boolean): Uint8Array {
  let text = isTorn ? '\n' : ''
  for (const { value, valueSchema } of records) text += `${typeof value === 'string' ? value : javaText(valueSchema, value)}\n`
  return Buffer.from(text)
}
