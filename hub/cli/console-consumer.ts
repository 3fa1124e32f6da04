/** @module cli/console-consumer — `millrace console-consumer`: records to stdout, as kafka-console-consumer.sh does. */
import { type Consumer, type ConsumerRecords, createConsumer } from '../client/index.ts'
import { nodeClock } from '../io/index.ts'
import { type Command, CommandError, type CommandIo, defineCommand } from './command.ts'
import { type ConsumePlan, consoleConsumerOptions, consumePlan } from './console-consumer-options.ts'
import { plainMessage } from './error-text.ts'
import { hostPorts, reachAny } from './reach.ts'
import { wholePattern } from './topic-filter.ts'

/** Longest wait of one poll; the timeout is looked at between polls. */
const POLL_MS_MAX = 1_000

/** `millrace console-consumer` */
export const consoleConsumer: Command = defineCommand({
  name: 'console-consumer',
  summary: 'This tool helps to read data from Kafka topics and outputs it to standard output.',
  options: consoleConsumerOptions,
  reportFailure(error, io) {
    io.stderr.write(`${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    const plan = await consumePlan(options, io)
    const servers = hostPorts(options.text('bootstrap-server') ?? '')
    if (servers !== undefined) await reachAny(servers, io.signal)
    const progress = { count: 0 }
    try {
      await consume(plan, options.has('skip-message-on-error'), io, progress)
    } finally {
      io.stderr.write(`Processed a total of ${progress.count} messages\n`)
      if (options.has('enable-systest-events')) io.stdout.write('shutdown_complete\n')
    }
    return 0
  },
})

async function consume(plan: ConsumePlan, skipsErrors: boolean, io: CommandIo, progress: { count: number }): Promise<void> {
  if (plan.countMax === 0) return
  const consumer = createConsumer(plan.consumer)
  try {
    begin(consumer, plan)
    for await (const records of batches(consumer, plan.timeoutMs, io.signal)) {
      if (!(await printRecords(consumer, records, plan, skipsErrors, io, progress))) return
    }
  } finally {
    await consumer.close()
  }
}

function begin(consumer: Consumer, { topic, include, partition, offset }: ConsumePlan): void {
  if (topic === undefined || partition === undefined) {
    consumer.subscribe(topic === undefined ? wholePattern(include ?? '') : [topic])
    return
  }
  const at = { topic, partition }
  consumer.assign([at])
  if (offset === 'earliest') consumer.seekToBeginning([at])
  else if (offset === 'latest') consumer.seekToEnd([at])
  else consumer.seek(at, offset)
}

/** What polls return, until nothing came for the timeout, or the signal aborts. */
async function* batches(consumer: Consumer, timeoutMs: number, signal: AbortSignal): AsyncGenerator<ConsumerRecords, void, undefined> {
  const clock = nodeClock()
  let lastMs = clock.monotonicMs()
  for (;;) {
    const restMs = timeoutMs - (clock.monotonicMs() - lastMs)
    if (restMs <= 0 || signal.aborted) return
    let records: ConsumerRecords
    try {
      records = await consumer.poll(Math.min(restMs, POLL_MS_MAX), signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    if (records.count === 0) continue
    yield records
    lastMs = clock.monotonicMs()
  }
}

/** Prints what there is; false when the end is reached. What is not printed any more is not committed either. */
async function printRecords(
  consumer: Consumer,
  records: ConsumerRecords,
  plan: ConsumePlan,
  skipsErrors: boolean,
  io: CommandIo,
  progress: { count: number },
): Promise<boolean> {
  const chunks: Buffer[] = []
  const flush = async (): Promise<void> => {
    await io.stdout.write(Buffer.concat(chunks.splice(0)))
  }
  const isOver = (): boolean => (plan.countMax >= 0 && progress.count >= plan.countMax) || io.signal.aborted
  for (const [place, { topic, partition, timestampType, records: list }] of records.partitions.entries()) {
    for (const [index, record] of list.entries()) {
      if (isOver()) {
        rewind(consumer, records, place, index)
        await flush()
        return false
      }
      progress.count++
      try {
        chunks.push(plan.format({ partition, timestampType, ...record }))
      } catch (error) {
        if (!skipsErrors) {
          await flush()
          throw new CommandError(`${topic}-${partition}, offset ${record.offset}: ${plainMessage(error)}`, 1, { cause: error })
        }
        io.stderr.write(`Error processing message, skipping this message: ${plainMessage(error)}\n`)
      }
    }
  }
  await flush()
  return !isOver()
}

/** Moves positions back to the first records that were not printed: from `index` of the list at `place` on, and all lists behind it. */
function rewind(consumer: Consumer, records: ConsumerRecords, place: number, index: number): void {
  const seen = new Set<string>()
  for (const [offset, one] of records.partitions.slice(place).entries()) {
    const key = `${one.topic}-${one.partition}`
    const record = one.records[offset === 0 ? index : 0]
    if (record === undefined || seen.has(key)) continue
    seen.add(key)
    consumer.seek(one, record.offset)
  }
}
