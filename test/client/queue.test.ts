/** The queue of one partition against a broker's rules: whatever is lost on the way, nothing is doubled or reordered. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProducerBatch } from '../../hub/client/producing/batch.ts'
import { PartitionQueue } from '../../hub/client/producing/queue.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { LogModel } from './log-model.ts'

const IN_FLIGHT_MAX = 5
const identity = { producerId: 7, epoch: 0 }

/** A queue, its broker, and the requests between them. */
class Simulation {
  readonly queue = new PartitionQueue('t', 0, true, IN_FLIGHT_MAX)
  readonly log = new LogModel()
  readonly acknowledged: string[] = []
  readonly failed: string[] = []
  readonly produced: string[] = []
  readonly names = new Map<ProducerBatch, string[]>()
  /** Requests that the broker has not seen, then answers that the client has not. */
  readonly #requests: { batch: ProducerBatch; bytes: Buffer }[] = []
  readonly #answers: { batch: ProducerBatch; code: number | null }[] = []
  #order = 0
  readonly #recordCountMax: number

  /** `recordCountMax`: above it the broker finds a batch too large. */
  constructor(recordCountMax = 4) {
    this.#recordCountMax = recordCountMax
  }

  add(recordCount: number): void {
    const batch = new ProducerBatch('t', 0, 0, this.#order++)
    const values = Array.from({ length: recordCount }, (_, index) => `${batch.order}.${index}`)
    for (const value of values) batch.add({ key: null, value: Buffer.from(value), timestampMs: 1 }, 50)
    this.names.set(batch, values)
    this.produced.push(...values)
    this.queue.closed.push(batch)
  }

  send(): void {
    if (!this.queue.isReady(0, false) || this.queue.needsIdentity(identity)) return
    const batch = this.queue.take(identity)
    this.#requests.push({
      batch,
      bytes: Buffer.from(batch.encode('none', undefined)),
    })
  }

  /** The broker takes the oldest request; `lose`: the answer goes astray. */
  serve(fate: 'answer' | 'refuse' | 'lose'): void {
    const request = this.#requests.shift()
    if (request === undefined) return
    const code = fate === 'refuse' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : this.#append(request)
    this.#answers.push({
      batch: request.batch,
      code: fate === 'lose' ? null : code,
    })
  }

  #append({ batch, bytes }: { batch: ProducerBatch; bytes: Buffer }): number {
    return batch.recordCount > this.#recordCountMax ? ErrorCode.MESSAGE_TOO_LARGE : this.log.append(bytes).errorCode
  }

  /** The connection breaks: requests and answers on it are lost. */
  cut(): void {
    for (const { batch } of this.#answers.splice(0)) this.#settle(batch, null)
    for (const { batch } of this.#requests.splice(0)) this.#settle(batch, null)
  }

  receive(): void {
    const answer = this.#answers.shift()
    if (answer === undefined) return
    if (answer.code === null) {
      this.#answers.unshift(answer)
      this.cut()
    } else this.#settle(answer.batch, answer.code)
  }

  /** The oldest batch has waited too long. */
  expireOldest(): void {
    const all = [...this.queue.inFlight, ...this.queue.retry, ...this.queue.closed]
    const oldest = Math.min(...all.map(({ order }) => order))
    for (const batch of this.queue.expire(({ order }) => order === oldest)) this.failed.push(...this.#valuesOf(batch))
  }

  drain(): void {
    for (let turn = 0; turn < 500 && !this.queue.isEmpty; turn++) {
      this.send()
      this.serve('answer')
      this.receive()
    }
  }

  #settle(batch: ProducerBatch, code: number | null): void {
    if (code === 0) {
      this.queue.onSuccess(batch)
      if (!batch.abandoned) this.acknowledged.push(...this.#valuesOf(batch))
      return
    }
    const values = this.#valuesOf(batch)
    const verdict = this.queue.onError(batch, code, true)
    if (verdict === 'duplicate') this.acknowledged.push(...values)
    if (verdict === 'failed' && !batch.abandoned) this.failed.push(...values)
    if (verdict === 'split') {
      let at = 0
      for (const half of this.queue.retry.filter((one) => !this.names.has(one))) {
        this.names.set(half, values.slice(at, at + half.recordCount))
        at += half.recordCount
      }
    }
  }

  #valuesOf(batch: ProducerBatch): string[] {
    return this.names.get(batch) ?? []
  }
}

const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      recordCount: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ do: 'send' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('serve' as const),
      fate: fc.constantFrom('answer', 'answer', 'answer', 'refuse', 'lose'),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ do: 'receive' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'cut' as const }) },
)
const RUNS = process.env['MILLRACE_LONG'] ? 20_000 : 1_000

function run(simulation: Simulation, acts: readonly unknown[]): void {
  for (const step of acts as readonly {
    do: string
    recordCount: number
    fate: 'answer'
  }[]) {
    if (step.do === 'add') simulation.add(step.recordCount)
    else if (step.do === 'send') simulation.send()
    else if (step.do === 'serve') simulation.serve(step.fate)
    else if (step.do === 'receive') simulation.receive()
    else if (step.do === 'cut') simulation.cut()
    else simulation.expireOldest()
  }
  simulation.drain()
}

describe('a partition’s queue', () => {
  it('delivers everything once and in order over lost requests, lost answers, refusals and splits', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), (acts, recordCountMax) => {
        const simulation = new Simulation(recordCountMax)
        run(simulation, acts)
        expect(simulation.log.values).toEqual(simulation.produced)
        expect(simulation.acknowledged).toEqual(simulation.produced)
        expect(simulation.failed).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  it('goes on without doubling or reordering after batches were given up', () => {
    const withExpiry = fc.oneof({ weight: 20, arbitrary: act }, { weight: 1, arbitrary: fc.constant({ do: 'expire' as const }) })
    fc.assert(
      fc.property(fc.array(withExpiry, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), (acts, recordCountMax) => {
        const simulation = new Simulation(recordCountMax)
        run(simulation, acts)
        const { produced, acknowledged, failed, log } = simulation
        expect(simulation.queue.isEmpty).toBe(true)
        // Each record has one fate, and what the log has is an ordered choice of what was produced, without doubles.
        expect([...acknowledged, ...failed].sort()).toEqual([...produced].sort())
        expect(log.values).toEqual(produced.filter((value) => log.values.includes(value)))
        expect(acknowledged.filter((value) => !log.values.includes(value))).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  it('lets nothing new out while something is to be sent again', () => {
    const simulation = new Simulation()
    for (let count = 0; count < 4; count++) simulation.add(1)
    simulation.send()
    simulation.serve('answer')
    simulation.receive()
    simulation.send()
    simulation.send()
    simulation.serve('refuse')
    simulation.receive()
    expect(simulation.queue.isReady(0, true)).toBe(false)
    expect(simulation.queue.retry).toHaveLength(1)
    simulation.serve('answer')
    simulation.receive()
    expect(simulation.queue.retry.map(({ baseSequence }) => baseSequence)).toEqual([1, 2])
    expect(simulation.queue.take(identity).baseSequence).toBe(1)
    expect(simulation.queue.isReady(0, true)).toBe(false)
  })

  it('sends the first batch alone, since a broker takes any first sequence of a producer that it does not know', () => {
    const simulation = new Simulation()
    simulation.add(1)
    simulation.add(1)
    simulation.send()
    expect(simulation.queue.isReady(0, true)).toBe(false)
    simulation.serve('answer')
    simulation.receive()
    expect(simulation.queue.isReady(0, true)).toBe(true)
  })

  it('starts the next epoch at sequence 0 after a gap, and asks for a new producer id when epochs are used up', () => {
    const queue = new PartitionQueue('t', 0, true, IN_FLIGHT_MAX)
    const batchOf = (order: number): ProducerBatch => {
      const batch = new ProducerBatch('t', 0, 0, order)
      batch.add({ key: null, value: null, timestampMs: 1 }, 30)
      return batch
    }
    queue.closed.push(batchOf(0), batchOf(1))
    const first = queue.take({ producerId: 7, epoch: 32_766 })
    expect(queue.onError(first, ErrorCode.INVALID_RECORD, true)).toBe('failed')
    const second = queue.take({ producerId: 7, epoch: 32_766 })
    expect([second.identity, second.baseSequence]).toEqual([{ producerId: 7, epoch: 32_767 }, 0])
    queue.onError(second, ErrorCode.INVALID_RECORD, true)
    queue.closed.push(batchOf(2))
    expect(queue.needsIdentity({ producerId: 7, epoch: 0 })).toBe(true)
    expect(queue.needsIdentity({ producerId: 8, epoch: 0 })).toBe(false)
    expect(queue.take({ producerId: 8, epoch: 0 }).identity).toEqual({
      producerId: 8,
      epoch: 0,
    })
  })

  it('wraps sequences from 2^31−1 to 0', () => {
    const batch = new ProducerBatch('t', 0, 0, 0)
    for (let count = 0; count < 3; count++) batch.add({ key: null, value: null, timestampMs: 1 }, 30)
    batch.assign(identity, 2 ** 31 - 2)
    expect(batch.nextSequence).toBe(1)
  })
})
