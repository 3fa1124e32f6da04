/** @module test/e2e/connect-faults-plan — what is done to a hub and its connectors, in which order, drawn from a seed. Pure. */
import { seededRandom } from '../../hub/io/index.ts'

export type ConnectorName = 'numbers-in' | 'numbers-out'

/** Settings that change from life to life of the hub. */
export interface Life {
  /** task.shutdown.graceful.timeout.ms: cuts off in the middle of things, or never. */
  readonly graceMs: number
  readonly isolation: string
  readonly flushIntervalMs: number
}

/** One fault; `waitMs` goes before it. */
export type Fault = { readonly waitMs: number } & (
  | { readonly kind: 'kill' | 'terminate'; readonly downMs: number; readonly life: Life }
  /** Killed while it comes to its end in order. */
  | { readonly kind: 'kill-ending'; readonly afterMs: number; readonly life: Life }
  /** Killed while a connector stops. */
  | { readonly kind: 'kill-stopping'; readonly connector: ConnectorName; readonly afterMs: number; readonly life: Life }
  | { readonly kind: 'pause' | 'stop'; readonly connector: ConnectorName; readonly forMs: number }
  | { readonly kind: 'restart' | 'restart-task' | 'recreate'; readonly connector: ConnectorName }
  | { readonly kind: 'configure'; readonly connector: ConnectorName; readonly change: Readonly<Record<string, string>> }
)

/** A grace with which nothing is cut off. */
export const GRACE_MS_MAX = 10_000
/** At once, within a flush, more than is needed. */
const GRACES_MS = [1, 20, GRACE_MS_MAX] as const
const ISOLATIONS = ['thread', 'thread', 'shared', 'inline'] as const
/**
 * How records go to the broker: a few at a time, so that what a source yields at once takes many requests and a kill comes between them, or in
 * batches.
 */
const SENDING = [
  { 'producer.override.batch.size': '120', 'producer.override.max.in.flight.requests.per.connection': '1' },
  { 'producer.override.batch.size': '4096', 'producer.override.max.in.flight.requests.per.connection': '5' },
  { 'producer.override.batch.size': '262144', 'producer.override.max.in.flight.requests.per.connection': '5' },
] as const

/** How everything begins, and what is done to it. */
export interface Plan {
  readonly life: Life
  /** Settings of both connectors. */
  readonly config: Readonly<Record<string, string>>
  readonly faults: readonly Fault[]
}

/** As many faults as asked for: the same for the same seed. */
export function planOf(seed: number, faultCount: number): Plan {
  const random = seededRandom(seed)
  const number = (below: number): number => Math.floor(random.float() * below)
  const one = <T>(list: readonly T[]): T => list[number(list.length)] as T
  const life = (): Life => ({ graceMs: one(GRACES_MS), isolation: one(ISOLATIONS), flushIntervalMs: 20 + number(200) })
  const change = (): Readonly<Record<string, string>> => ({
    'tasks.max': String(1 + number(4)),
    seed: String(number(1_000_000)),
    ...one(SENDING),
  })
  const fault = (): Fault => {
    const waitMs = 50 + number(900)
    const connector = one(['numbers-in', 'numbers-out'] as const)
    const draw = random.float()
    if (draw < 0.22) return { waitMs, kind: 'kill', downMs: number(300), life: life() }
    if (draw < 0.3) return { waitMs, kind: 'terminate', downMs: number(300), life: life() }
    if (draw < 0.38) return { waitMs, kind: 'kill-ending', afterMs: number(80), life: life() }
    if (draw < 0.46) return { waitMs, kind: 'kill-stopping', connector, afterMs: number(60), life: life() }
    if (draw < 0.56) return { waitMs, kind: 'pause', connector, forMs: number(400) }
    if (draw < 0.68) return { waitMs, kind: 'stop', connector, forMs: number(400) }
    if (draw < 0.76) return { waitMs, kind: 'restart', connector }
    if (draw < 0.82) return { waitMs, kind: 'restart-task', connector }
    if (draw < 0.88) return { waitMs, kind: 'recreate', connector }
    return { waitMs, kind: 'configure', connector, change: change() }
  }
  return { life: life(), config: { ...change(), ...SENDING[0] }, faults: Array.from({ length: faultCount }, fault) }
}
