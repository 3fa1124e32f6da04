/**
 * A partition that Apache Kafka 4.3.1 wrote with transactions (test/golden/log/kafka-4.3.1; its `.log` files are called `.segment` there) opens here
 * with Kafka's last stable offset, aborted transactions and producers; and Kafka's own tool reads what is written here.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { memoryClock, memoryDisk } from '../../hub/io/index.ts'
import type { PartitionLog, ProducerState } from '../../hub/log/index.ts'
import { batchHeader, forEachBatch } from '../../hub/wire/index.ts'
import { javaTools } from '../services.ts'
import { abortedOf, TestProducer } from './transaction-world.ts'
import { batchOf, client, CONFIG, openLog, type TestWorld, testWorld } from './world.ts'

const GOLDEN = new URL('../golden/log/kafka-4.3.1/', import.meta.url).pathname
const LOG = '/data/txn-0'

interface Facts {
  readonly topicId: string
  readonly lastStableOffset: number
  readonly highWatermark: number
  readonly producers: readonly ProducerState[]
  /** Offsets that a read_committed consumer was given. */
  readonly committedOffsets: readonly number[]
  readonly aborted: readonly { readonly segment: number; readonly producerId: number; readonly firstOffset: number }[]
}

const facts = JSON.parse(readFileSync(`${GOLDEN}facts.json`, 'utf8')) as Facts

/** Kafka's files in a directory of ours; `isClean`: with the mark of an end in order. */
async function kafkaWorld(isClean: boolean, isWanted: (name: string) => boolean = () => true): Promise<TestWorld> {
  const clock = memoryClock()
  const disk = memoryDisk({ nowMs: () => clock.nowMs() })
  await (await testWorld(disk, clock).open()).close()
  if (!isClean) await disk.remove('/data/.kafka_cleanshutdown')
  await disk.makeDirectory(LOG)
  for (const file of readdirSync(GOLDEN)) {
    const name = file.replace(/\.segment$/, '.log')
    if (file !== 'facts.json' && isWanted(name)) await disk.writeFileAtomic(`${LOG}/${name}`, readFileSync(`${GOLDEN}${file}`))
  }
  return testWorld(disk, clock)
}

async function openKafkaLog(world: TestWorld) {
  const directory = await world.open()
  return { directory, log: await directory.openLog('txn', 0, facts.topicId, { ...CONFIG, segmentMs: 600_000 }) }
}

/** Offsets of the records that a consumer of committed records gives its application, by the protocol's rule for aborted transactions. */
async function committedOffsets(log: PartitionLog): Promise<number[]> {
  const endOffset = log.lastStableOffset(log.logEndOffset)
  const offsets: number[] = []
  for (let next = log.logStartOffset; next < endOffset; ) {
    const { records } = await log.read(next, { maxBytes: 300, minOneBatch: true, endOffset })
    const from = next
    const batches: (readonly [buffer: Buffer, at: number])[] = []
    for (const buffer of records) forEachBatch(buffer, (at) => void batches.push([buffer, at]))
    for (const [buffer, at] of batches) next = batchHeader.lastOffset(buffer, at) + 1
    const aborted = [...(await log.abortedTransactions(from, next))].toSorted((a, b) => a.firstOffset - b.firstOffset)
    const skipped = new Set<number>()
    for (const [buffer, at] of batches) {
      const producerId = batchHeader.producerId(buffer, at)
      while (aborted[0] !== undefined && aborted[0].firstOffset <= batchHeader.lastOffset(buffer, at)) {
        skipped.add(aborted.shift()?.producerId ?? -1)
      }
      if (batchHeader.isControl(buffer, at)) skipped.delete(producerId)
      else if (!batchHeader.isTransactional(buffer, at) || !skipped.has(producerId)) offsets.push(batchHeader.baseOffset(buffer, at))
    }
  }
  return offsets
}

describe('a partition that Kafka wrote', () => {
  it.each([
    ['closed in order', true, () => true],
    ['killed', false, () => true],
    ['killed, without snapshots', false, (name: string) => !name.endsWith('.snapshot')],
    ['killed, with nothing but its batches', false, (name: string) => name.endsWith('.log')],
  ] as const)('has the same transactions here: %s', async (_, isClean, isWanted) => {
    const world = await kafkaWorld(isClean, isWanted)
    const { directory, log } = await openKafkaLog(world)
    expect(log.logEndOffset).toBe(facts.highWatermark)
    expect(log.lastStableOffset(facts.highWatermark)).toBe(facts.lastStableOffset)
    expect(await abortedOf(log, 0, facts.highWatermark)).toEqual(
      facts.aborted.map(({ producerId, firstOffset }) => [producerId, firstOffset]),
    )
    expect(log.producers().toSorted((a, b) => a.producerId - b.producerId)).toEqual(facts.producers)
    expect(await committedOffsets(log)).toEqual(facts.committedOffsets)
    await directory.close()
    for (const name of readdirSync(GOLDEN).filter((each) => each.endsWith('.txnindex')))
      expect((await world.disk.readFile(`${LOG}/${name}`)).equals(readFileSync(`${GOLDEN}${name}`))).toBe(true)
  })

  it('goes on here: its open transaction is ended, its producers are known', async () => {
    const world = await kafkaWorld(true)
    const { directory, log } = await openKafkaLog(world)
    const [one, idempotent] = [new TestProducer(0, 2), new TestProducer(2, 0)]
    one.sequence = 2
    one.send(log)
    idempotent.sequence = 3
    expect(log.append(idempotent.batch(1, { transactional: false }), client).kind).toBe('appended')
    one.end(log, false, { transactionVersion: 2 })
    expect(log.lastStableOffset(log.logEndOffset)).toBe(log.logEndOffset)
    expect(await abortedOf(log, 17, 18)).toEqual([[0, 17]])
    expect(await committedOffsets(log)).toEqual([...facts.committedOffsets, 19, 22])
    await directory.close()
  })
})

const run = promisify(execFile)

describe.runIf(process.env['MILLRACE_LONG'] !== undefined)('kafka-dump-log', () => {
  it('reads our transactions', { timeout: 60_000 }, async (context) => {
    const found = await javaTools()
    if (found.value === undefined) return context.skip(found.reason)
    const { log, directory, world } = await openLog()
    const [one, two] = [new TestProducer(11, 1), new TestProducer(12)]
    log.append(batchOf(['a']), client)
    one.send(log, 2)
    two.send(log)
    one.end(log, false, { coordinatorEpoch: 3, transactionVersion: 2 })
    two.end(log, true)
    one.send(log, 2)
    await directory.close()
    const temporary = await mkdtemp(join(tmpdir(), 'millrace-dump-'))
    try {
      const names = (await world.disk.list(log.directory)).filter((name) => /^\d{20}\./.test(name))
      for (const name of names) await writeFile(join(temporary, name), await world.disk.readFile(`${log.directory}/${name}`))
      const dump = async (suffix: string): Promise<string[]> => {
        const name = names.findLast((each) => each.endsWith(suffix)) ?? ''
        const tool = 'org.apache.kafka.tools.DumpLogSegments'
        const { stdout } = await run('java', ['-Xmx128m', '-cp', found.value, tool, '--files', join(temporary, name)])
        return stdout.trim().split('\n').slice(1)
      }
      expect(await dump('.txnindex')).toEqual(['version: 0 producerId: 11 firstOffset: 1 lastOffset: 4 lastStableOffset: 3'])
      const snapshot = await dump('.snapshot')
      expect(snapshot).toHaveLength(2)
      expect(snapshot[0]).toMatch(
        /^producerId: 11 producerEpoch: 2 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong\[6\] .* firstSequence: 0 lastSequence: 1 lastOffset: 7 offsetDelta: 1/,
      )
      expect(snapshot[1]).toMatch(/^producerId: 12 producerEpoch: 0 coordinatorEpoch: 0 currentTxnFirstOffset: OptionalLong.empty/)
      const batches = (await dump('.log')).filter((line) => line.startsWith('baseOffset'))
      expect(batches.map((line) => /isTransactional: (\w+) isControl: (\w+).*isvalid: (\w+)/.exec(line)?.slice(1).join())).toEqual([
        'false,false,true',
        'true,false,true',
        'true,false,true',
        'true,true,true',
        'true,true,true',
        'true,false,true',
      ])
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  })
})
