/**
 * @module test/txn/model-client — a transactional producer as clients are: it does one thing at a time, tries again what may have been lost, aborts when a
 * batch failed, and gives itself up when it is fenced. It notes what it was told, for the laws at the end.
 */
import { ErrorCode } from '../../hub/wire/index.ts'
import { add, end, enrol, type Harness, type Identity, init } from './harness.ts'

/** What a transaction's producer knows of it. */
export interface Told {
  readonly tag: string
  askedToCommit: boolean
  outcome: 'commit' | 'abort' | undefined
  acknowledgedBatches: number
}

/** What all clients share. */
export interface Court {
  of: Harness
  readonly told: Map<string, Told>
  /** Identities that were handed out, and to whom. */
  readonly granted: Map<string, string>
  /** Per transactional id: how many producers were initialised, so that earlier ones are fenced. */
  readonly reigns: Map<string, number>
  /** Requests that the network still has: delivered late. */
  readonly late: (() => Promise<void>)[]
  readonly violations: string[]
}

const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
])

interface Current {
  readonly told: Told
  /** A batch failed, or nobody knows what became of it. */
  isDirty: boolean
  isBegun: boolean
  ending: 'commit' | 'abort' | undefined
}

export class ModelClient {
  readonly #court: Court
  readonly #name: string
  readonly #transactionalId: string
  readonly #isTv2: boolean
  #identity: Identity | undefined
  /** What it believes to be while it asks who it is (KIP-360). */
  #expected: Identity | undefined
  #reign = 0
  #current: Current | undefined
  #count = 0
  /** Rises when the answer of what is under way will not come any more. */
  #life = 0
  isBusy = false

  constructor(court: Court, options: { readonly name: string; readonly transactionalId: string; readonly isTv2: boolean }) {
    this.#court = court
    this.#name = options.name
    this.#transactionalId = options.transactionalId
    this.#isTv2 = options.isTv2
  }

  /** The coordinator was killed. */
  onCrash(): void {
    this.#life++
    this.isBusy = false
    if (this.#current !== undefined && this.#current.ending === undefined) this.#current.isDirty = true
  }

  /** Does `work`, unless something is under way; not awaited. */
  do(work: 'init' | 'recover' | 'produce' | 'commit' | 'abort', partition: number, isDoubled: boolean): void {
    if (this.isBusy) return
    this.isBusy = true
    const life = ++this.#life
    void this.#work(work, partition, isDoubled, () => life === this.#life).then(() => {
      if (life === this.#life) this.isBusy = false
    })
  }

  async #work(work: string, partition: number, isDoubled: boolean, isAlive: () => boolean): Promise<void> {
    if (work === 'init') this.#giveUp()
    if (this.#identity === undefined) return this.#init(this.#expected, isAlive)
    if (this.#current?.ending !== undefined) return this.#end(this.#current.ending, isDoubled, isAlive)
    if (work === 'recover') return this.#init(this.#identity, isAlive)
    if (work === 'produce') return this.#produce(partition, isAlive)
    return this.#end(work === 'commit' && this.#current?.isDirty === false ? 'commit' : 'abort', isDoubled, isAlive)
  }

  async #init(expected: Identity | undefined, isAlive: () => boolean): Promise<void> {
    const { of, granted, reigns, violations } = this.#court
    this.#current = undefined
    this.#identity = undefined
    this.#expected = expected
    const reignBefore = reigns.get(this.#transactionalId) ?? 0
    const { errorCode, ...identity } = await init(of, this.#transactionalId, expected)
    if (!isAlive()) return
    if (errorCode !== ErrorCode.NONE) {
      if (!RETRIABLE.has(errorCode)) this.#giveUp()
      return
    }
    const key = `${identity.producerId}/${identity.producerEpoch}`
    const holder = granted.get(key)
    if (holder !== undefined && (expected === undefined || holder !== this.#name))
      violations.push(`${key} went to ${holder} and ${this.#name}`)
    if (expected !== undefined && this.#reign !== reignBefore) violations.push(`${this.#name} was fenced and recovered`)
    granted.set(key, this.#name)
    this.#reign = (reigns.get(this.#transactionalId) ?? 0) + 1
    reigns.set(this.#transactionalId, this.#reign)
    this.#identity = identity
  }

  #giveUp(): void {
    this.#identity = undefined
    this.#expected = undefined
    this.#current = undefined
  }

  #begin(): Current {
    const tag = `${this.#name}:${++this.#count}`
    const told: Told = { tag, askedToCommit: false, outcome: undefined, acknowledgedBatches: 0 }
    this.#court.told.set(tag, told)
    return { told, isDirty: false, isBegun: false, ending: undefined }
  }

  async #produce(number: number, isAlive: () => boolean): Promise<void> {
    const { of } = this.#court
    const identity = this.#identity as Identity
    const partition = { topic: 't', partition: number }
    const wasFenced = this.#isFenced()
    this.#current ??= this.#begin()
    const current = this.#current
    current.isBegun = true
    if (!this.#isTv2) {
      const added = await add(of, this.#transactionalId, identity, partition)
      if (!isAlive() || this.#refuses(added)) return
    }
    const guard = of.data.begin(partition, identity.producerId, identity.producerEpoch)
    if (guard !== undefined) {
      const enrolled = await enrol(of, this.#transactionalId, identity, partition, !this.#isTv2)
      // The answer is between brokers: the batch is appended though its producer may be gone.
      if (enrolled !== ErrorCode.NONE) {
        if (isAlive()) this.#refuses(enrolled)
        return
      }
    }
    const appended = of.data.append(partition, identity.producerId, identity.producerEpoch, current.told.tag, guard)
    if (!isAlive() || this.#refuses(appended)) return
    if (wasFenced) this.#court.violations.push(`${this.#name} was fenced and wrote`)
    current.told.acknowledgedBatches++
  }

  /** Whether another producer of the id was initialised since. */
  #isFenced(): boolean {
    return this.#reign !== (this.#court.reigns.get(this.#transactionalId) ?? 0)
  }

  #refuses(errorCode: number | undefined): boolean {
    if (errorCode === ErrorCode.NONE) return false
    if (errorCode === ErrorCode.TRANSACTION_ABORTABLE && this.#current !== undefined) this.#current.isDirty = true
    else if (errorCode === undefined || !RETRIABLE.has(errorCode)) this.#giveUp()
    return true
  }

  async #end(kind: 'commit' | 'abort', isDoubled: boolean, isAlive: () => boolean): Promise<void> {
    const { of, granted, violations, late } = this.#court
    const identity = this.#identity as Identity
    const current = this.#current
    // Nothing to end; the broker may be asked for an empty abort under TV2 all the same.
    if (current === undefined && (!this.#isTv2 || kind === 'commit')) return
    if (current !== undefined) current.ending = kind
    if (current !== undefined && kind === 'commit') current.told.askedToCommit = true
    const wasFenced = this.#isFenced()
    const ask = (target: Harness) => end(target, this.#isTv2 ? 5 : 4, this.#transactionalId, identity, kind === 'commit')
    const asked = [ask(of), ...(isDoubled ? [ask(of)] : [])]
    // Under TV1 a late one would end the transaction after: what KIP-890 is about.
    if (this.#isTv2 && isDoubled) late.push(async () => void (await ask(this.#court.of)))
    const answers = await Promise.all(asked)
    if (!isAlive()) return
    const done = answers.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
    const [first] = done
    if (first === undefined) {
      if (!answers.every(({ errorCode }) => RETRIABLE.has(errorCode))) this.#giveUp()
      return
    }
    if (wasFenced) violations.push(`${this.#name} was fenced and ended`)
    if (current !== undefined) current.told.outcome = kind
    this.#current = undefined
    if (!this.#isTv2) return
    if (done.some((other) => other.producerId !== first.producerId || other.producerEpoch !== first.producerEpoch)) {
      violations.push(`${this.#name} was told two identities`)
    }
    const key = `${first.producerId}/${first.producerEpoch}`
    const holder = granted.get(key)
    if (holder !== undefined && holder !== this.#name) violations.push(`${key} went to ${holder} and ${this.#name}`)
    granted.set(key, this.#name)
    this.#identity = { producerId: first.producerId, producerEpoch: first.producerEpoch }
  }
}
