/** @module connect/tasks/outage — going on when the cluster is not there for a while: a task waits for it, it does not fail. */
import type { PluginLog } from '@millrace/sdk'
import { ClientError, type ClientWorld, KafkaError } from '../../client/index.ts'
import { unless } from './life.ts'

/** Wait between attempts; each attempt has the client's own retries behind it. */
const OUTAGE_RETRY_MS = 1_000

/** Whether an error of a client says that the same call may succeed later. */
export function isOutage(error: unknown): error is KafkaError | ClientError {
  return (error instanceof KafkaError || error instanceof ClientError) && error.retriable
}

/** Runs `call` until it succeeds or fails for good; warns once. Rejects with the signal's reason when that aborts. */
export async function throughOutages<T>(
  { clock }: ClientWorld,
  log: PluginLog,
  what: string,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (let hasWarned = false; ; hasWarned = true) {
    signal.throwIfAborted()
    try {
      const outcome = await unless(signal, call(signal))
      if (hasWarned) log.info(`${what}: done`)
      return outcome
    } catch (error) {
      if (signal.aborted || !isOutage(error)) throw error
      if (!hasWarned) log.warn(`${what}: ${error.message}; trying again until it succeeds`)
    }
    await clock.sleep(OUTAGE_RETRY_MS, signal)
  }
}
