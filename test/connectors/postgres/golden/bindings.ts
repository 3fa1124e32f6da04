/**
 * @module test/connectors/postgres/golden/bindings — which value stands for which name of a recording, and whether they fit together.
 */

/** Something that is not as recorded. */
export interface Difference {
  /** Where: `3 dbz.public.t value.after.id`. */
  readonly place: string
  readonly golden: unknown
  readonly actual: unknown
}

/** A name in place of a value that differs from run to run. */
export interface Volatile {
  /** As it is written: `<ts:2.us>`. */
  readonly text: string
  readonly kind: 'lsn' | 'txid' | 'pos' | 'ts' | 'now' | 'uuid' | 'version'
  /** undefined: it has none, or it is of an instant that no record carries. */
  readonly number: number | undefined
  /** us, ns, ms, s; empty where there is none. */
  readonly unit: string
}

/** What an LSN is of. */
export type LsnRole = 'change' | 'commit'

interface Binding {
  readonly number: number
  readonly value: bigint
  readonly place: string
}

/** Nanoseconds in each unit. */
const NANOSECONDS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 1_000_000_000n }

/** All bindings of one comparison. */
export class Bindings {
  readonly #nowMs: { readonly from: number; readonly to: () => number }
  /** First value per name and role. */
  readonly #values = new Map<string, { readonly value: string; readonly place: string }>()
  /** Numbered values by what must be in order among itself. */
  readonly #ordered = new Map<string, Map<number, Binding>>()
  /** Times in units that were truncated, each to be judged by the exact one. */
  readonly #truncated: (Binding & { readonly unit: string })[] = []

  constructor(nowMs: { readonly from: number; readonly to: () => number }) {
    this.#nowMs = nowMs
  }

  /** Binds a name; gives the difference where it cannot be that value. */
  add(name: Volatile, text: string, place: string, role: LsnRole): Difference | undefined {
    if (name.kind === 'version') return undefined
    if (name.kind === 'now') return this.#addNow(name, BigInt(text), place)
    if (name.number === undefined) return undefined
    if (name.kind === 'uuid') return this.#addUuid(name, text, place)
    const value = BigInt(text)
    if (name.kind !== 'ts') return this.#addNumber(name.kind === 'lsn' ? role : name.kind, name, value, place)
    if (name.unit === 'ms' || name.unit === 's') {
      this.#truncated.push({ number: name.number, value, place, unit: name.unit })
      return undefined
    }
    // The server counts microseconds: what is finer must be zero.
    if (name.unit === 'ns' && value % 1000n !== 0n) return { place, golden: name.text, actual: text }
    return this.#addNumber('ts', name, name.unit === 'ns' ? value / 1000n : value, place)
  }

  #addNumber(group: string, name: Volatile, value: bigint, place: string): Difference | undefined {
    const bindings = this.#ordered.get(group) ?? new Map<number, Binding>()
    this.#ordered.set(group, bindings)
    const number = name.number ?? 0
    const earlier = bindings.get(number)
    if (earlier === undefined) bindings.set(number, { number, value, place })
    else if (earlier.value !== value)
      return { place, golden: `${name.text}, ${earlier.value} as at ${earlier.place}`, actual: String(value) }
    return undefined
  }

  /** Numbered by appearance: one name, one value, and no value twice. */
  #addUuid(name: Volatile, text: string, place: string): Difference | undefined {
    for (const [known, { value, place: earlier }] of this.#values) {
      if ((known === name.text) !== (value === text))
        return { place, golden: `${name.text}; ${known} is ${value} at ${earlier}`, actual: text }
    }
    this.#values.set(name.text, { value: text, place })
    return undefined
  }

  #addNow({ text, unit }: Volatile, value: bigint, place: string): Difference | undefined {
    const ms = Number((value * (NANOSECONDS[unit] ?? 1n)) / 1_000_000n)
    if (ms >= this.#nowMs.from && ms <= this.#nowMs.to()) return undefined
    return { place, golden: `${text}: the time of the run, ${this.#nowMs.from} to ${this.#nowMs.to()}`, actual: String(value) }
  }

  /** What does not fit together. */
  judge(): readonly Difference[] {
    const differences: Difference[] = []
    for (const [group, bindings] of this.#ordered) differences.push(...outOfOrder(group, bindings))
    differences.push(...this.#commitsOutOfOrder(), ...this.#badlyTruncated())
    return differences
  }

  /** A commit stands after its changes, and before or at the next change. */
  #commitsOutOfOrder(): readonly Difference[] {
    const [commits, changes] = [this.#ordered.get('commit') ?? new Map<number, Binding>(), this.#ordered.get('change') ?? new Map()]
    const differences: Difference[] = []
    for (const commit of commits.values()) {
      for (const change of changes.values() as IterableIterator<Binding>) {
        const fits = commit.number <= change.number ? commit.value <= change.value : commit.value > change.value
        if (fits) continue
        const wanted = commit.number <= change.number ? 'at most' : 'more than'
        differences.push({
          place: commit.place,
          golden: `<lsn:${commit.number}> of a commit, ${wanted} <lsn:${change.number}> of a change, ${change.value} at ${change.place}`,
          actual: String(commit.value),
        })
      }
    }
    return differences
  }

  #badlyTruncated(): readonly Difference[] {
    const exact = this.#ordered.get('ts') ?? new Map<number, Binding>()
    return this.#truncated.flatMap(({ number, value, place, unit }) => {
      const whole = exact.get(number)
      const perUnit = (NANOSECONDS[unit] ?? 1n) / 1000n
      if (whole === undefined || whole.value / perUnit === value) return []
      return [{ place, golden: `<ts:${number}.${unit}>, ${whole.value} µs as at ${whole.place}, truncated`, actual: String(value) }]
    })
  }
}

/** Greater numbers stand for greater values. */
function outOfOrder(group: string, bindings: ReadonlyMap<number, Binding>): readonly Difference[] {
  const sorted = [...bindings.values()].sort((a, b) => a.number - b.number)
  return sorted.flatMap((binding, at) => {
    const before = sorted[at - 1]
    if (before === undefined || before.value < binding.value) return []
    const golden = `${group} ${binding.number}, more than ${group} ${before.number}, which is ${before.value} at ${before.place}`
    return [{ place: binding.place, golden, actual: String(binding.value) }]
  })
}
