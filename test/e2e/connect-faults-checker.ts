/**
 * @module test/e2e/connect-faults-checker — looks from outside at what the source's numbers have become: the topic, the stored positions,
 * the sink's committed offsets and its ledger files, each read on from where the last look ended.
 *
 * What must hold at any moment, whatever has been killed:
 * - in each partition the numbers appear for the first time in the order 1, 2, 3 …, none is missing;
 * - no position is stored beyond what is in the topic (else a restart would leave out what is between);
 * - no offset is committed beyond what the sink's ledger holds without a gap (likewise);
 * - the ledger says of an offset what the topic says.
 */
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConsumer } from '../../hub/client/index.ts'
import { readOffsetRecord } from '../../hub/connect/stores/offset-records.ts'

export interface Place {
  readonly directory: string
  readonly topic: string
  readonly offsetsTopic: string
  readonly sourceName: string
  readonly sinkName: string
  readonly partitionCount: number
}

/** What is known of a partition and the stream that goes into it. */
interface Partition {
  /** By offset. */
  readonly numbers: number[]
  /** All numbers up to this one are in the topic. */
  highest: number
  /** Stored positions: after records, and moved without one. */
  stored: number
  advanced: number
  committed: number
  /** What the ledger says, by offset. */
  readonly ledger: Map<number, number>
  /** Offsets before this one are all in the ledger. */
  durable: number
}

interface Read {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** See the module. */
export class Checker {
  readonly #place: Place
  readonly partitions: readonly Partition[]
  readonly #breaches = new Set<string>()
  readonly #nextOffsets = new Map<string, number>()
  readonly #ledgerPositions = new Map<string, number>()

  constructor(place: Place) {
    this.#place = place
    this.partitions = Array.from({ length: place.partitionCount }, () => ({
      numbers: [],
      highest: 0,
      stored: 0,
      advanced: 0,
      committed: 0,
      ledger: new Map<number, number>(),
      durable: 0,
    }))
  }

  /** What has been found so far that must not be. */
  get breaches(): readonly string[] {
    return [...this.#breaches]
  }

  /**
   * Looks again. What speaks is read before what it speaks of: it may only be behind. Positions without records in the topic, or committed
   * offsets without their lines, are there for good if a fault has left them.
   */
  async look(bootstrapServers: string): Promise<void> {
    const { topic, offsetsTopic, partitionCount, directory } = this.#place
    for (const { key, value } of await this.#readOn(bootstrapServers, offsetsTopic, 1)) this.#noteStored(key, value)
    await this.#readCommitted(bootstrapServers)
    await this.#readLedgers()
    for (const record of await this.#readOn(bootstrapServers, topic, partitionCount)) this.#noteRecord(record)
    for (const [partition, state] of this.partitions.entries()) this.#judge(state, partition)
    const told = await readFile(join(directory, 'breaches'), 'utf8').catch(() => '')
    for (const line of told.split('\n')) if (line !== '') this.#breaches.add(line)
  }

  /** Whether every stored position is that of the last record, so that a restart would repeat nothing. */
  get isStored(): boolean {
    return this.partitions.every(({ stored, numbers }) => stored === (numbers.at(-1) ?? 0))
  }

  /** Whether every stream has come to its last number, and all of it has gone through the sink. */
  isComplete(ends: readonly number[]): boolean {
    return this.partitions.every(
      ({ numbers, highest, stored, committed, durable }, stream) =>
        highest === ends[stream] && stored === ends[stream] && committed === numbers.length && durable === numbers.length,
    )
  }

  /** For people: how far everything is. */
  get summary(): string {
    return this.partitions
      .map(
        ({ numbers, highest, stored, advanced, committed, durable }, partition) =>
          `partition ${partition}: numbers to ${highest} in ${numbers.length} records, stored ${stored} (${advanced} by advance), committed ${committed}, durable ${durable}`,
      )
      .join('\n')
  }

  #noteStored(key: Buffer | null, value: Buffer | null): void {
    const read = readOffsetRecord(key, value)
    if (read.kind !== 'record' || read.record.connector !== this.#place.sourceName) return
    const { partition, offset } = read.record
    const state = this.partitions[Number(partition['stream'])]
    if (state === undefined || offset === null) {
      this.#breaches.add(`a position of no stream is stored: ${key?.toString()} ${value?.toString()}`)
    } else if (partition['by'] === 'advance') {
      state.advanced = Number(offset['count'])
    } else {
      state.stored = Number(offset['count'])
    }
  }

  #noteRecord({ partition, offset, value }: Read): void {
    const state = this.partitions[partition]
    if (state === undefined) return
    const number = Number.parseInt(value?.toString() ?? '', 10)
    if (offset !== state.numbers.length) this.#breaches.add(`partition ${partition}: offset ${offset} after ${state.numbers.length - 1}`)
    state.numbers.push(number)
    if (number === state.highest + 1) state.highest = number
    // Only what comes again after a restart may be lower.
    else if (!(number <= state.highest && number > 0)) {
      this.#breaches.add(`partition ${partition}: ${value?.toString().slice(0, 20)} at ${offset}, when the highest was ${state.highest}`)
    }
  }

  #judge(state: Partition, partition: number): void {
    const { ledger, numbers, highest, stored, advanced, committed } = state
    for (; ledger.has(state.durable); state.durable++) {
      if (ledger.get(state.durable) !== numbers[state.durable]) {
        this.#breaches.add(
          `partition ${partition}: the sink was given ${ledger.get(state.durable)} for ${numbers[state.durable]} at ${state.durable}`,
        )
      }
      ledger.delete(state.durable)
    }
    if (stored > highest) this.#breaches.add(`stream ${partition}: ${stored} is stored, ${highest} in the topic`)
    if (advanced > highest) this.#breaches.add(`stream ${partition}: ${advanced} is stored by advance, ${highest} in the topic`)
    if (committed > state.durable) {
      this.#breaches.add(`partition ${partition}: ${committed} is committed, the ledger is whole up to ${state.durable}`)
    }
  }

  async #readCommitted(bootstrapServers: string): Promise<void> {
    const { topic, sinkName } = this.#place
    const consumer = createConsumer({ bootstrapServers, groupId: `connect-${sinkName}` })
    try {
      const committed = await consumer.committed(this.partitions.map((_, partition) => ({ topic, partition })))
      for (const { partition, offset } of committed) {
        const state = this.partitions[partition]
        if (state !== undefined) state.committed = offset
      }
    } finally {
      await consumer.close()
    }
  }

  async #readLedgers(): Promise<void> {
    const { directory } = this.#place
    const names = (await readdir(directory)).filter((name) => name.startsWith('ledger-'))
    for (const name of names) {
      const position = this.#ledgerPositions.get(name) ?? 0
      const text = await readFrom(join(directory, name), position)
      // What is after the last line's end is being written; what is torn by a kill is no line.
      const end = text.lastIndexOf('\n') + 1
      this.#ledgerPositions.set(name, position + end)
      for (const line of text.slice(0, end).split('\n')) this.#noteLine(line)
    }
  }

  #noteLine(line: string): void {
    const [, partition, offset, number] = /^\[(\d+),(\d+),(\d+)\]$/.exec(line) ?? []
    const state = this.partitions[Number(partition)]
    if (state !== undefined && Number(offset) >= state.durable) state.ledger.set(Number(offset), Number(number))
  }

  /** What has come to a topic since the last look. */
  async #readOn(bootstrapServers: string, topic: string, partitionCount: number): Promise<Read[]> {
    const consumer = createConsumer({ bootstrapServers, offsetReset: 'none', fetchWaitMsMax: 20 })
    try {
      const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
      consumer.assign(partitions)
      const nextOf = (partition: number): number => this.#nextOffsets.get(`${topic}-${partition}`) ?? 0
      for (const at of partitions) consumer.seek(at, nextOf(at.partition))
      const ends = await consumer.endOffsets(partitions)
      const records: Read[] = []
      while (ends.some(({ partition, offset }) => nextOf(partition) < offset)) {
        for (const record of await consumer.poll(1_000)) {
          this.#nextOffsets.set(`${topic}-${record.partition}`, record.offset + 1)
          records.push(record)
        }
      }
      return records
    } finally {
      await consumer.close()
    }
  }
}

/** ASCII text of a file from a byte on. */
async function readFrom(path: string, position: number): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.max(0, size - position))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}
