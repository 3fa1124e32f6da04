/**
 * @module request-metrics — what requests cost, by API and phase: histograms of our own, the quantiles that dashboards for jmx_exporter read, and the log of
 * slow requests. Part of hub.ts. Names of phases: Kafka's RequestMetrics (docs/operations/monitoring).
 */
import type { Clock } from './io/index.ts'
import { Latencies, type Logger, type Registry } from './observe/index.ts'
import type { OnAnswered, RequestTimes } from './server/index.ts'

/** The phases, in order: Kafka's name in a metric's, and ours as a label. */
const PHASES = [
  ['totaltimems', 'total'],
  ['requestqueuetimems', 'queue'],
  ['localtimems', 'local'],
  ['remotetimems', 'remote'],
  ['responsequeuetimems', 'response_queue'],
  ['responsesendtimems', 'response_send'],
] as const
const QUANTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999]
/** APIs whose waiting is asked for by the client: it says nothing about the broker. */
const WAITS_ON_PURPOSE: ReadonlySet<string> = new Set(['Fetch', 'JoinGroup', 'SyncGroup'])

/** Lines of the slow request log in each window. */
const slowLogLimits = { linesMax: 10, windowMs: 10_000 } as const

interface RequestMetricsOptions {
  readonly registry: Registry
  readonly clock: Clock
  readonly logger: Logger
  /** `millrace.log.slow.request.ms` as it stands now; −1: no request is slow. */
  readonly slowRequestMs: () => number
}

/** Registers the metrics; what it returns is to be told of every request. */
export function requestMetrics({ registry, clock, logger, slowRequestMs }: RequestMetricsOptions): OnAnswered {
  const durations = registry.histogram('millrace_request_duration_seconds', 'Time of a request by API and phase.', ['api', 'phase'])
  const byApi = new Map<string, readonly Latencies[]>()
  const slowLog = new SlowRequestLog(clock, logger)
  registry.observed('counter', 'kafka_network_requestmetrics_requests_total', 'Requests by API.', ['request'], (emit) => {
    for (const [api, [total]] of byApi) emit(total?.count, api)
  })
  PHASES.forEach(([name, phase], at) => {
    const full = `kafka_network_requestmetrics_${name}`
    const help = `Time of a request in ms, ${phase.replace('_', ' ')}; of the last one to two minutes.`
    registry.observed('gauge', full, help, ['request', 'quantile'], (emit) => {
      for (const [api, latencies] of byApi) {
        const values = latencies[at]?.quantiles(QUANTILES, clock.monotonicMs()) ?? []
        for (const [share, value] of values.entries()) emit(value, api, String(QUANTILES[share]))
      }
    })
    registry.observed('counter', `${full}_count`, `Requests of ${full}.`, ['request'], (emit) => {
      for (const [api, latencies] of byApi) emit(latencies[at]?.count, api)
    })
  })
  return (times, sentMs) => {
    let latencies = byApi.get(times.apiName)
    if (latencies === undefined) byApi.set(times.apiName, (latencies = PHASES.map(() => new Latencies())))
    const phases = phasesMs(times, sentMs)
    for (let at = 0; at < PHASES.length; at++) {
      const durationMs = phases[at] ?? 0
      latencies[at]?.record(durationMs, sentMs)
      durations.observe(durationMs / 1000, times.apiName, PHASES[at]?.[1] ?? '')
    }
    const limitMs = slowRequestMs()
    if (limitMs >= 0 && ownMs(times, sentMs) > limitMs) slowLog.tell(times, phases)
  }
}

function phasesMs({ arrivedMs, beganMs, localEndMs, servedMs, answeredMs }: RequestTimes, sentMs: number): readonly number[] {
  const localMs = Math.min(localEndMs, servedMs) - beganMs
  return [sentMs - arrivedMs, beganMs - arrivedMs, localMs, Math.max(0, servedMs - localEndMs), answeredMs - servedMs, sentMs - answeredMs]
}

/** The time that the broker is answerable for. */
function ownMs({ apiName, arrivedMs, localEndMs, servedMs }: RequestTimes, sentMs: number): number {
  const waitedMs = WAITS_ON_PURPOSE.has(apiName) ? Math.max(0, servedMs - localEndMs) : 0
  return sentMs - arrivedMs - waitedMs
}

/** One line per slow request; in a bad minute some of them, and how many more there were. */
class SlowRequestLog {
  readonly #clock: Clock
  readonly #logger: Logger
  #windowEndMs = 0
  #lineCount = 0
  #heldBackCount = 0

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  tell({ apiName, clientHost }: RequestTimes, phases: readonly number[]): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#windowEndMs) {
      if (this.#heldBackCount > 0) this.#logger.warn(`${this.#heldBackCount} more requests were slow`)
      this.#windowEndMs = nowMs + slowLogLimits.windowMs
      this.#lineCount = 0
      this.#heldBackCount = 0
    }
    if (this.#lineCount++ >= slowLogLimits.linesMax) {
      this.#heldBackCount++
      return
    }
    const parts = PHASES.map(([, phase], at) => `${phase} ${(phases[at] ?? 0).toFixed(1)}`)
    this.#logger.warn(`slow request: ${apiName} from ${clientHost}, ms: ${parts.join(', ')}`)
  }
}
