/**
 * @module observe/metrics — counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4).
 *
 * ```ts
 * const registry = createRegistry()
 * const requests = registry.counter('millrace_requests_total', 'Requests by API.', ['api'])
 * requests.inc(1, 'Fetch')
 * registry.observed('gauge', 'kafka_brokers', 'Brokers of the cluster.', [], (emit) => emit(image.brokers.size))
 * await registry.exposition()
 * ```
 * What changes often and is read seldom (per partition, per group) is best `observed`: it costs nothing until somebody scrapes.
 */

/** Most combinations of label values of one metric; what comes later is counted under {@link OTHER}. */
const SERIES_COUNT_MAX = 1000
const OTHER = 'other'
/** Most series of one observed metric; further ones are summed up under {@link OTHER} (counters) or left out (gauges), and told by {@link BEYOND_LIMIT}. */
const OBSERVED_COUNT_MAX = 20_000
const BEYOND_LIMIT = 'millrace_metrics_series_beyond_limit'
/** Lines of an exposition that are made without letting others have their turn. */
const LINES_PER_TURN = 2_000
/** Upper bounds of a histogram's buckets, in seconds: from a sync of a fast device to a request that times out. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Label values are given in the order of the label names. */
export interface Counter {
  /** Adds `amount` (default 1, never negative). */
  inc(amount?: number, ...labels: readonly string[]): void
}

export interface Gauge {
  set(value: number, ...labels: readonly string[]): void
  add(amount: number, ...labels: readonly string[]): void
}

export interface Histogram {
  observe(value: number, ...labels: readonly string[]): void
}

/** All metrics of a hub. A name is registered once. */
export interface Registry {
  counter(name: string, help: string, labels?: readonly string[]): Counter
  gauge(name: string, help: string, labels?: readonly string[]): Gauge
  /** A metric whose series are asked for at each exposition. */
  observed(type: 'counter' | 'gauge', name: string, help: string, labels: readonly string[], read: (emit: Emit) => void): void
  /** `buckets`: upper bounds, growing. Default: seconds from 0.5 ms to 30 s. */
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram
  /**
   * Everything as Prometheus reads it; content type {@link EXPOSITION_CONTENT_TYPE}. `pause` is awaited every {@link LINES_PER_TURN} lines, so that a
   * scrape of thousands of partitions holds nobody up.
   */
  exposition(pause?: () => Promise<void>): Promise<string>
}

/** Gives one series of an observed metric; a value that is undefined is left out. */
export type Emit = (value: number | undefined, ...labels: readonly string[]) => void

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  lines(): Iterable<string>
}

/** An empty registry. `seriesCountMax`: see {@link SERIES_COUNT_MAX}. */
export function createRegistry(seriesCountMax: number = SERIES_COUNT_MAX, observedCountMax: number = OBSERVED_COUNT_MAX): Registry {
  const metrics = new Map<string, Metric>()
  const register = (name: string, metric: Metric): void => {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new Error(`${name} is no name of a metric`)
    if (metrics.has(name)) throw new Error(`the metric ${name} is registered already`)
    metrics.set(name, metric)
  }
  const numbers = (name: string, help: string, type: 'counter' | 'gauge', labels: readonly string[]): Series<{ value: number }> => {
    const series = new Series(labels, seriesCountMax, () => ({ value: 0 }))
    register(name, { type, help, lines: () => series.lines((text, { value }) => [`${name}${text} ${shown(value)}`]) })
    return series
  }
  const beyondLimit = numbers(BEYOND_LIMIT, 'Series of a metric that were not told one by one, since there are too many.', 'gauge', [
    'metric',
  ])
  return {
    counter: (name, help, labels = []) => {
      const series = numbers(name, help, 'counter', labels)
      return {
        inc: (amount = 1, ...values) => {
          if (amount < 0) throw new Error(`the counter ${name} cannot go back by ${-amount}`)
          series.of(values).value += amount
        },
      }
    },
    gauge: (name, help, labels = []) => {
      const series = numbers(name, help, 'gauge', labels)
      return {
        set: (value, ...values) => {
          series.of(values).value = value
        },
        add: (amount, ...values) => {
          series.of(values).value += amount
        },
      }
    },
    observed: (type, name, help, labels, read) => {
      let told = 0
      const tell = (beyondCount: number): void => {
        if (beyondCount !== told) beyondLimit.of([name]).value = beyondCount
        told = beyondCount
      }
      register(name, { type, help, lines: () => observedLines({ type, name, labels, read }, observedCountMax, tell) })
    },
    histogram: (name, help, labels = [], buckets = SECONDS_BUCKETS) => {
      const series = new Series(labels, seriesCountMax, () => ({ counts: buckets.map(() => 0), count: 0, sum: 0 }))
      register(name, { type: 'histogram', help, lines: () => series.lines((text, state) => histogramLines(name, text, buckets, state)) })
      return { observe: (value, ...values) => observe(series.of(values), buckets, value) }
    },
    exposition: async (pause) => {
      let text = ''
      let count = 0
      for (const [name, metric] of metrics) {
        const { type, help } = metric
        text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`
        for (const line of metric.lines()) {
          text += `${line}\n`
          if (++count % LINES_PER_TURN === 0) await pause?.()
        }
      }
      return text
    },
  }
}

/** A metric that is asked for its series. */
interface Observed {
  readonly type: 'counter' | 'gauge'
  readonly name: string
  readonly labels: readonly string[]
  readonly read: (emit: Emit) => void
}

/** At most `countMax` series: beyond that a counter's are summed up, a gauge's, of which a sum says nothing, left out. */
function observedLines({ type, name, labels, read }: Observed, countMax: number, tellBeyond: (count: number) => void): string[] {
  const lines: string[] = []
  let [beyondCount, others] = [0, 0]
  read((value, ...values) => {
    if (value === undefined) return
    if (lines.length >= countMax) {
      beyondCount++
      others += value
      return
    }
    const pairs = labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`)
    lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${shown(value)}`)
  })
  if (beyondCount > 0 && type === 'counter')
    lines.push(`${name}{${labels.map((label) => `${label}="${OTHER}"`).join(',')}} ${shown(others)}`)
  tellBeyond(beyondCount)
  return lines
}

interface HistogramState {
  /** Per bucket what fell into it and not into a smaller one. */
  readonly counts: number[]
  count: number
  sum: number
}

function observe(state: HistogramState, buckets: readonly number[], value: number): void {
  state.count++
  state.sum += value
  const at = buckets.findIndex((bound) => value <= bound)
  if (at >= 0) state.counts[at] = (state.counts[at] ?? 0) + 1
}

function* histogramLines(name: string, labels: string, buckets: readonly number[], state: HistogramState): Iterable<string> {
  const prefix = labels === '' ? '{' : `${labels.slice(0, -1)},`
  let cumulative = 0
  for (const [at, bound] of buckets.entries()) {
    cumulative += state.counts[at] ?? 0
    yield `${name}_bucket${prefix}le="${bound}"} ${cumulative}`
  }
  yield `${name}_bucket${prefix}le="+Inf"} ${state.count}`
  yield `${name}_sum${labels} ${shown(state.sum)}`
  yield `${name}_count${labels} ${state.count}`
}

/** The states of one metric by label values, bounded. */
class Series<State> {
  readonly #labels: readonly string[]
  readonly #countMax: number
  readonly #make: () => State
  readonly #states = new Map<string, { readonly text: string; readonly state: State }>()

  constructor(labels: readonly string[], countMax: number, make: () => State) {
    this.#labels = labels
    this.#countMax = countMax
    this.#make = make
    if (labels.length === 0) this.of([])
  }

  of(values: readonly string[]): State {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\0')
    const found = this.#states.get(key)
    if (found !== undefined) return found.state
    if (values.length !== this.#labels.length) throw new Error(`${values.length} values for the labels ${this.#labels.join(', ')}`)
    // One place is kept for the rest.
    const others = this.#labels.map(() => OTHER)
    if (this.#states.size >= this.#countMax - 1 && key !== others.join('\0')) return this.of(others)
    const pairs = this.#labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`)
    const state = this.#make()
    this.#states.set(key, { text: pairs.length === 0 ? '' : `{${pairs.join(',')}}`, state })
    return state
  }

  *lines(show: (labels: string, state: State) => Iterable<string>): Iterable<string> {
    for (const { text, state } of this.#states.values()) yield* show(text, state)
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function shown(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
