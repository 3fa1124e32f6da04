/**
 * @module sdk/errors — errors that say what the engine does next.
 *
 * | thrown | the engine |
 * |---|---|
 * | {@link RetriableError} | calls again after `afterMs` (with back-off where none is given), as long as the connector runs |
 * | {@link DataError} | in a transform or converter: judges by `errors.tolerance`; elsewhere as fatal |
 * | {@link FatalError} | fails the task; its first line is code, message and remedy |
 * | anything else | fails the task |
 *
 * Recognised by a brand, never by `instanceof`: a plugin may carry its own copy of this package.
 */

const BRAND = Symbol.for('millrace.Error')

/** What the engine does next. */
export type NextStep = 'retry' | 'judge' | 'fail'

/** What all errors of this module have. */
export interface EngineError extends Error {
  readonly next: NextStep
  /** The Java class that upstream throws in this place; goes into dead letter headers and traces. */
  readonly className: string
}

abstract class BrandedError extends Error implements EngineError {
  abstract readonly next: NextStep
  abstract readonly className: string

  get [BRAND](): true {
    return true
  }
}

/** Whether an error is one of this module, also of another copy of it. */
export function isEngineError(error: unknown): error is EngineError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/** The outside is not there for now; the same call may succeed later. */
export class RetriableError extends BrandedError {
  override readonly name = 'RetriableError'
  readonly next = 'retry'
  readonly className = 'org.apache.kafka.connect.errors.RetriableException'
  /** Milliseconds until the next attempt; undefined: the engine's back-off. */
  readonly afterMs: number | undefined

  constructor(message: string, options: ErrorOptions & { readonly afterMs?: number } = {}) {
    super(message, options)
    this.afterMs = options.afterMs
  }
}

/** This record cannot be handled, others can. */
export class DataError extends BrandedError {
  override readonly name = 'DataError'
  readonly next = 'judge'
  readonly className: string

  /** `className`: upstream's, where it is not DataException. */
  constructor(message: string, options: ErrorOptions & { readonly className?: string } = {}) {
    super(message, options)
    this.className = options.className ?? 'org.apache.kafka.connect.errors.DataException'
  }
}

/** Going on makes no sense until somebody acts. */
export class FatalError extends BrandedError {
  override readonly name = 'FatalError'
  readonly next = 'fail'
  readonly className = 'org.apache.kafka.connect.errors.ConnectException'
  /** Stable and short, for people to search by: `slot-in-use`. */
  readonly code: string
  /** What to do: one imperative sentence. */
  readonly remedy: string

  constructor(code: string, message: string, remedy: string, options: ErrorOptions = {}) {
    super(remedy === '' ? message : `${message}; ${remedy}`, options)
    this.code = code
    this.remedy = remedy
  }
}
