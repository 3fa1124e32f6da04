/** @module health — what is wrong with the hub, since when, and what helps. Part of hub.ts. */
import type { Clock } from './io/index.ts'
import type { LogDirectory } from './log/index.ts'
import type { Partitions } from './replica/index.ts'

/** One thing that is wrong. */
export interface HealthProblem {
  readonly problem: string
  /** What helps. */
  readonly remedy: string
  /** When it was first seen, as ISO 8601. */
  readonly since: string
}

/** How the hub fares: `problems` is empty when all is well. */
export interface HubHealth {
  readonly status: 'ok' | 'degraded'
  readonly problems: readonly HealthProblem[]
}

/** What is looked at. */
interface Looked {
  readonly clock: Clock
  readonly directory: LogDirectory
  readonly metadataLog: { readonly failure: Error | undefined }
  readonly partitions: Partitions
}

/** How often the hub looks at itself, so that «since» is right though nobody asks. */
const LOOK_MS = 5_000

type Finding = Omit<HealthProblem, 'since'>

/** Looks now and then; the way to ask, and to stop. */
export function healthWatch(looked: Looked): { ask(): HubHealth; stop(): void } {
  const { clock } = looked
  let known = new Map<string, string>()
  const ask = (): HubHealth => {
    const now = new Date(clock.nowMs()).toISOString()
    const problems = [...findings(looked)].map((finding) => ({ ...finding, since: known.get(finding.problem) ?? now }))
    known = new Map(problems.map(({ problem, since }) => [problem, since]))
    return { status: problems.length === 0 ? 'ok' : 'degraded', problems }
  }
  const look = (): void => {
    ask()
    timer = clock.timer(LOOK_MS, look)
  }
  let timer = clock.timer(LOOK_MS, look)
  return { ask, stop: () => timer.cancel() }
}

function* findings({ directory, metadataLog, partitions }: Looked): Generator<Finding> {
  if (metadataLog.failure !== undefined) {
    yield {
      problem: `the metadata log takes no changes: ${metadataLog.failure.message}`,
      remedy: 'see that the device works and has room, then restart the hub',
    }
  }
  if (directory.full) {
    yield {
      problem: `${directory.path} is short of space: produce is refused`,
      remedy: 'make room there, shorten retention or delete topics; produce is taken again once millrace.disk.free.bytes.resume is free',
    }
  }
  for (const [name, { fenced }] of directory.logs) {
    if (fenced === undefined) continue
    yield {
      problem: `${name} takes no appends: ${fenced.message}`,
      remedy: 'see that the device works, then restart the hub: the log is checked and goes on',
    }
  }
  for (const [name, error] of directory.cleaner.uncleanable) {
    yield {
      problem: `${name} cannot be compacted and only grows: ${error.message}`,
      remedy: 'remove the cause and restart the hub; reads and writes go on meanwhile',
    }
  }
  for (const { topic, partition, error } of partitions.failures()) {
    yield {
      problem: `${topic}-${partition} cannot be opened and is tried again: ${error.message}`,
      remedy: 'remove the cause; it is opened as soon as that works, without a restart',
    }
  }
}
