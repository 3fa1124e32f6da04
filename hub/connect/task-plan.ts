/** @module connect/task-plan — from what a connector planned to what may be stored. Pure. */
import { withPlaceholders } from './provided.ts'
import type { ConfigText } from './types.ts'

/** A plan of more tasks than `tasks.max`, of a connector that enforces it (KIP-1004). */
export class TooManyTasksError extends Error {
  override readonly name = 'TooManyTasksError'
  readonly className = 'org.apache.kafka.connect.runtime.TooManyTasksException'
}

/** `tasks.max` of a configuration that was validated. */
export function taskCountMaxOf(config: ConfigText): number {
  return Number.parseInt(config['tasks.max'] ?? '1', 10)
}

/** What a plan comes to. */
export interface StorablePlan {
  readonly configs: readonly ConfigText[]
  /** `tasks.max` was exceeded where it is not enforced. */
  readonly warning: string | null
}

/** What a plan was made of. */
interface PlanContext {
  /** The connector's configuration. */
  readonly written: ConfigText
  /** Likewise, variables replaced. */
  readonly provided: ConfigText
  /** Passwords in it. */
  readonly passwords: readonly string[]
  readonly taskClass: string
}

/**
 * The task configurations as they are stored: `task.class` in them, placeholders in place of provided values.
 * @throws TooManyTasksError
 */
export function storablePlan(
  connector: string,
  planned: readonly ConfigText[],
  { written, provided, passwords, taskClass }: PlanContext,
): StorablePlan {
  const configs = planned.map((config) => ({ ...withPlaceholders(config, written, provided, passwords), 'task.class': taskClass }))
  const taskCountMax = taskCountMaxOf(provided)
  if (planned.length <= taskCountMax) return { configs, warning: null }
  const told = `The connector ${connector} has generated ${planned.length} tasks, which is greater than ${taskCountMax}, the maximum number of tasks it is configured to create.`
  if ((provided['tasks.max.enforce'] ?? 'true').trim().toLowerCase() === 'true') {
    const remedy =
      "If necessary, it can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be removed in a future release of Kafka Connect."
    throw new TooManyTasksError(`${told} This behaviour should be considered a bug and is disallowed. ${remedy}`)
  }
  return { configs, warning: told }
}
