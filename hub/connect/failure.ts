/**
 * @module connect/failure — failures as people and tools read them: a trace whose first line is the cause, in the form of a Java stack
 * trace since that is what everything around Kafka Connect takes apart (`class: message`, `\tat …`, `Caused by: …`). They cross threads as
 * plain data.
 */
import { isEngineError } from '@millrace/sdk'
import { ConnectRequestError } from './types.ts'

/** Limits of a trace; a status record must stay small. */
export const TRACE_LIMITS = {
  /** Causes below the error itself. */
  causeCountMax: 10,
  /** Places per error. */
  placeCountMax: 30,
  characterCountMax: 16_384,
} as const

/** An error as plain data. */
export interface FailureFacts {
  /** Java class that upstream throws, or the JavaScript name. */
  readonly className: string
  readonly message: string
  readonly trace: string
  /** Node's or V8's code, as ERR_WORKER_OUT_OF_MEMORY. */
  readonly code: string | null
  /** The call may succeed later: milliseconds until then, -1 when the error does not say. */
  readonly retryAfterMs: number | null
  /** HTTP status of a ConnectRequestError. */
  readonly status: number | null
}

/** An error that happened in another thread. */
export class ThreadError extends Error {
  override readonly name = 'ThreadError'
  readonly className: string
  readonly trace: string
  /** See {@link FailureFacts.retryAfterMs}. */
  readonly retryAfterMs: number | null

  constructor(facts: FailureFacts) {
    super(facts.message)
    this.className = facts.className
    this.trace = facts.trace
    this.retryAfterMs = facts.retryAfterMs
  }
}

/** The error as plain data. Anything may have been thrown. */
export function failureFacts(error: unknown): FailureFacts {
  if (error instanceof ThreadError) {
    const { className, message, trace, retryAfterMs } = error
    return { className, message, trace, code: null, retryAfterMs, status: null }
  }
  const retryAfterMs = isEngineError(error) && error.next === 'retry' ? ((error as { afterMs?: number }).afterMs ?? -1) : null
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  return {
    className: classNameOf(error),
    message: messageOf(error),
    trace: traceOf(error),
    code: typeof code === 'string' ? code : null,
    retryAfterMs,
    status: error instanceof ConnectRequestError ? error.status : null,
  }
}

/** The error on this side of the thread's border. */
export function errorFrom(facts: FailureFacts): Error {
  return facts.status === null ? new ThreadError(facts) : new ConnectRequestError(facts.status, facts.message)
}

/** The trace of an error and of its causes. */
export function traceOf(error: unknown): string {
  if (error instanceof ThreadError) return error.trace
  const parts = [headOf(error), ...placesOf(error)]
  let current = causeOf(error)
  for (let depth = 0; depth < TRACE_LIMITS.causeCountMax && current !== undefined && current !== null; depth++) {
    parts.push(`Caused by: ${headOf(current)}`, ...placesOf(current))
    current = causeOf(current)
  }
  return parts.join('\n').slice(0, TRACE_LIMITS.characterCountMax)
}

/** First line of a trace. */
export function firstLine(trace: string): string {
  const end = trace.indexOf('\n')
  return end === -1 ? trace : trace.slice(0, end)
}

/** A ThreadError's trace tells its causes. */
function causeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || error instanceof ThreadError) return undefined
  return (error as { cause?: unknown }).cause
}

function headOf(error: unknown): string {
  return error instanceof ThreadError ? error.trace : `${classNameOf(error)}: ${messageOf(error)}`
}

function classNameOf(error: unknown): string {
  if (!(typeof error === 'object' && error !== null)) return 'Error'
  const { className, name } = error as { className?: unknown; name?: unknown }
  return typeof className === 'string' ? className : typeof name === 'string' ? name : 'Error'
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message)
  return `thrown: ${String(error)}`
}

function placesOf(error: unknown): readonly string[] {
  const { stack, code } = (typeof error === 'object' && error !== null ? error : {}) as { stack?: unknown; code?: unknown }
  const codeLine = typeof code === 'string' || typeof code === 'number' ? [`\tcode: ${code}`] : []
  if (error instanceof ThreadError || typeof stack !== 'string') return codeLine
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return [...codeLine, ...places.slice(0, TRACE_LIMITS.placeCountMax).map((line) => `\t${line.trim()}`)]
}
