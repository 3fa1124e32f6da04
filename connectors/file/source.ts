/**
 * @module connector-file/source — the lines of a file as records, as Kafka's `FileStreamSourceConnector`: a string per line, no key,
 * partition `{filename}`, offset `{position}` in bytes behind the line.
 *
 * It waits for a file that is not there and for lines that are not written to their end. A file that has become shorter than what was
 * read of it is read from its start, since all of it is new; a file that was replaced under its name (log rotation) is read to its end,
 * then the new one from its start. Upstream would wait for ever in both cases, and counts characters where it means bytes.
 */
import {
  defineConfig,
  defineSource,
  FatalError,
  nonEmptyString,
  type SourceOffset,
  type SourceRecordInput,
  type SourceTaskContext,
  string,
} from '@millrace/sdk'
import { type Input, openInput } from './input.ts'
import { Lines, lineLimits } from './lines.ts'
import { openStandardInput } from './stdin.ts'

const sourceLimits = {
  /** Milliseconds between looks at a file whose end was reached; 200. */
  idleMs: 200,
  /** Milliseconds between looks for a file that is not there; 500. */
  missingMs: 500,
  /** Looks in a row, `idleMs` apart, that must find nothing more in a file that was replaced: its writer may still hold it open; 5. */
  replacedLookCount: 5,
} as const

const config = defineConfig({
  file: {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation: 'The file to read, line by line. Left out: the standard input, which keeps no position.',
  },
  topic: { type: 'STRING', validator: nonEmptyString, importance: 'HIGH', documentation: 'The topic that the lines go to.' },
  'batch.size': { type: 'INT', default: 2000, importance: 'LOW', documentation: 'Most lines that are handed over at one time.' },
})

/** What both inputs need. */
interface Job {
  readonly topic: string
  readonly batchSize: number
  readonly filename: string | null
  readonly lines: Lines
  readonly context: SourceTaskContext
}

/** Kafka's FileStreamSourceConnector. */
export const fileSource = defineSource({
  class: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  version: '4.3.1',
  aliases: ['millrace.file.Source'],
  documentation: 'Reads the lines of a file into a topic and follows the file as it grows.',
  config,
  exactlyOnce: ({ file }) => !isStandardInput(file),
  run: ({ file, topic, 'batch.size': batchSize }, context) => {
    const job = { topic, batchSize: Math.max(1, batchSize), lines: new Lines(), context }
    return isStandardInput(file) ? readStandardInput({ ...job, filename: null }) : followFile(file, { ...job, filename: file })
  },
})

function isStandardInput(file: string | null): file is null | '' {
  return file === null || file === ''
}

async function* followFile(file: string, job: Job): AsyncGenerator<readonly SourceRecordInput[], void> {
  const { lines, context } = job
  const { signal, sleep } = context
  let input = await waitForFile(file, context)
  if (input === undefined) return
  try {
    const stored = positionOf(await context.offsets.read({ filename: file }))
    if (stored > input.sizeBytes) startAnew(file, stored, job)
    else lines.restart(stored)
    let quietLookCount = 0
    while (!signal.aborted) {
      const count = await input.read(roomFor(lines, file), lines.readPosition)
      lines.filled(count)
      yield* batchesOf(job)
      if (count > 0) quietLookCount = 0
      if (count > 0 || signal.aborted) continue
      if (quietLookCount > sourceLimits.replacedLookCount) {
        // Nothing came for a while after the replacement: the old file is complete, its last line too.
        yield* lastLine(file, job)
        const next = await waitForFile(file, context)
        if (next === undefined) return
        await input.close()
        input = next
        quietLookCount = 0
        continue
      }
      await sleep(sourceLimits.idleMs)
      const change = await input.change(lines.readPosition)
      quietLookCount = change === 'replaced' ? quietLookCount + 1 : 0
      if (change === 'cut') startAnew(file, lines.readPosition, job)
    }
  } finally {
    await input.close()
  }
}

/** The end of a file that was replaced. Behind it stands the start of the new one, whether there was such a line or not. */
function* lastLine(file: string, job: Job): Generator<readonly SourceRecordInput[], void> {
  const { lines, context } = job
  const last = lines.rest()
  lines.restart(0)
  if (last !== undefined) yield [recordOf(job, last, Date.now())]
  context.offsets.advance({ filename: file }, { position: 0 })
}

/** The file is shorter than what was read of it: all of it is new, also for a task that starts before the first new line is acknowledged. */
function startAnew(file: string, position: number, { lines, context }: Job): void {
  context.log.warn(`File '${file}' is shorter than what was read of it; reading it from its start`, { position })
  context.offsets.advance({ filename: file }, { position: 0 })
  lines.restart(0)
}

/** undefined: the signal aborted before there was one. */
async function waitForFile(file: string, { signal, sleep, log }: SourceTaskContext): Promise<Input | undefined> {
  for (let look = 0; !signal.aborted; look++) {
    const input = await openInput(file)
    if (input !== undefined) return input
    if (look === 0) log.warn(`Couldn't find file '${file}', waiting for it`)
    await sleep(sourceLimits.missingMs)
  }
  return undefined
}

function positionOf(stored: SourceOffset | null): number {
  const position = stored?.['position'] ?? 0
  if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0) return position
  throw new FatalError('offset-invalid', 'Offset position is the incorrect type', 'create the connector anew under another name')
}

function roomFor(lines: Lines, name: string): Buffer {
  try {
    return lines.room()
  } catch (error) {
    const remedy = `shorten it: at byte ${lines.position} there is none for ${lineLimits.lineBytesMax} bytes`
    throw new FatalError('line-too-long', `a line of ${name} has no end`, remedy, { cause: error })
  }
}

/** Everything whole that was read, in batches. */
function* batchesOf(job: Job): Generator<readonly SourceRecordInput[], void> {
  const { lines, batchSize, context } = job
  let batch: SourceRecordInput[] = []
  const nowMs = Date.now()
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    batch.push(recordOf(job, line, nowMs))
    if (batch.length < batchSize) continue
    yield batch
    if (context.signal.aborted) return
    batch = []
  }
  if (batch.length > 0) yield batch
}

const valueSchema = string()

function recordOf({ topic, filename, lines }: Job, value: string, timestampMs: number): SourceRecordInput {
  const sourceOffset = { position: filename === null ? null : lines.position }
  return { topic, valueSchema, value, timestampMs, sourcePartition: { filename }, sourceOffset }
}

async function* readStandardInput(job: Job): AsyncGenerator<readonly SourceRecordInput[], void> {
  const { lines, context } = job
  const stream = openStandardInput()
  const end = (): void => void stream.destroy()
  context.signal.addEventListener('abort', end, { once: true })
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const count = chunk.copy(roomFor(lines, 'the standard input'), 0, at)
        lines.filled(count)
        at += count
        yield* batchesOf(job)
      }
    }
    const last = lines.rest()
    if (last !== undefined) yield [recordOf(job, last, Date.now())]
  } catch (error) {
    if (!context.signal.aborted) throw error
  } finally {
    context.signal.removeEventListener('abort', end)
    stream.destroy()
  }
}
