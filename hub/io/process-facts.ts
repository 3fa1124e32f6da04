/** @module io/process-facts — how busy the event loop is, and what the process uses. */
import { performance } from 'node:perf_hooks'
import type { Registry } from 'prom-client'

let registry: Promise<Registry> | undefined

/** CPU, memory, open files, heap, garbage collections and event loop lag of this process, in Prometheus' text; gathered from the first call on. */
export async function processMetrics(): Promise<string> {
  // Loaded here: a process without /metrics has no use for it.
  registry ??= import('prom-client').then(({ collectDefaultMetrics, Registry: Made }) => {
    const made = new Made()
    collectDefaultMetrics({ register: made })
    return made
  })
  return (await registry).metrics()
}

/** The share (0–1) of the time since the last call, or the start, in which the event loop of this thread had nothing to do; calls of different callers don't disturb each other. */
export function eventLoopIdleMeter(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return 1 - utilization
  }
}
