/**
 * @module connect/tasks/failure — how a task's errors are told: the class that upstream would name, the cause first, and beside it the
 * record, the stage and the key to change. `../failure.ts` makes the trace of it.
 */
import { isEngineError } from '@millrace/sdk'
import type { Step } from './step.ts'

/** What ends a task. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure'
  /** Java class that upstream's trace would show; tools match it. */
  readonly className: string

  constructor(className: string, message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.className = className
  }
}

/** Name of an error's class: upstream's where the error tells it. */
export function classNameOf(error: unknown): string {
  if (isEngineError(error) || error instanceof TaskFailure) return error.className
  return error instanceof Error ? error.name : 'Error'
}

/** Its message; anything can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `thrown: ${String(error)}`
}

/** The error with what stood around it in its message; class, frames and causes stay. */
export function told(error: unknown, circumstances: string): TaskFailure {
  if (error instanceof TaskFailure) return error
  const cause = error instanceof Error ? error.cause : undefined
  const failure = new TaskFailure(classNameOf(error), `${messageOf(error)} (${circumstances})`, cause === undefined ? {} : { cause })
  if (error instanceof Error && error.stack !== undefined) failure.stack = error.stack
  return failure
}

/** A record that cannot be handled and may not be skipped. The first line is what tools look for; the next one says what is wrong. */
export function toleranceExceeded(error: unknown, step: Step, place: string): TaskFailure {
  const cause = told(error, `record ${place}, stage ${step.stage}, ${step.className}; to go on: ${remedyOf(step)}`)
  const failure = new TaskFailure('org.apache.kafka.connect.errors.ConnectException', 'Tolerance exceeded in error handler', { cause })
  // Where this was made tells nothing: the cause is the next line of the trace.
  failure.stack = failure.message
  return failure
}

function remedyOf({ stage, setting }: Step): string {
  const skip = 'or set errors.tolerance=all to leave such records out (a sink keeps them in errors.deadletterqueue.topic.name)'
  return stage === 'TASK_POLL' ? `correct what the source yields, ${skip}` : `correct ${setting} or the record, ${skip}`
}
