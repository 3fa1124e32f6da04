/**
 * The one error of this room's batch code: bytes that are not what a record batch, a record or a compressed stream should be.
 * @module
 */
import { ErrorCode } from './errors.ts'

/** Bytes that break the rules of a batch. `errorCode` is the Kafka error code that a broker answers for them. */
export class BatchError extends Error {
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.name = 'BatchError'
    this.errorCode = errorCode
  }
}

/** What a check found wrong with a batch, as a value: the Kafka error code to answer, and why. */
export interface BatchProblem {
  readonly errorCode: number
  readonly message: string
}

/** Damaged bytes: CORRUPT_MESSAGE (2), which clients retry. */
export function corrupt(message: string): BatchError {
  return new BatchError(ErrorCode.CORRUPT_MESSAGE, message)
}

/** Bytes that are whole but not allowed: INVALID_RECORD (87), which clients don't retry. */
export function invalid(message: string): BatchError {
  return new BatchError(ErrorCode.INVALID_RECORD, message)
}
