/** @module txn/steps — the few steps that the rules of the state machine are made of. Pure. */
import { ErrorCode } from '../wire/index.ts'
import {
  type Answer,
  type Effect,
  EPOCH_MAX,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type Step,
  type Transaction,
  type TransactionFields,
} from './transaction.ts'

/** An answer without a producer: all that most requests want to know. */
export function code(errorCode: number): Answer {
  return { errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH }
}

/** The answer that tells a producer who it is. */
export function identity({ producerId, producerEpoch }: TransactionFields): Answer {
  return { errorCode: ErrorCode.NONE, producerId, producerEpoch }
}

/** Nothing changes. */
export function unchanged(transaction: Transaction | null, ...effects: readonly Effect[]): Step {
  return { transaction, effects }
}

/** Nothing changes, and the request is answered. */
export function answered(transaction: Transaction | null, answer: Answer): Step {
  return { transaction, effects: [{ type: 'answer', answer }] }
}

export function refused(transaction: Transaction | null, errorCode: number): Step {
  return answered(transaction, code(errorCode))
}

/** The request is for later. */
export function waiting(transaction: Transaction): Step {
  return { transaction, effects: [{ type: 'wait' }] }
}

/** `next` shall be in force; whoever asked hears `answer` once its record is synced. */
export function appending(transaction: Transaction, next: TransactionFields, answer: Answer | null, isEpochFence = false): Step {
  return { transaction: { ...transaction, pending: { next, answer, isEpochFence } }, effects: [{ type: 'append', fields: next }] }
}

/** Whether the epoch is the last one that a producer may have. */
export function isExhausted(producerEpoch: number): boolean {
  return producerEpoch >= EPOCH_MAX - 1
}
