/** @module test/sim/anomaly — what the checker can find; `checker.ts` says what each kind means. */

export type AnomalyKind =
  | 'lost write'
  | 'lost read'
  | 'unknown value'
  | 'duplicate'
  | 'inconsistent offsets'
  | 'reorder'
  | 'non-monotonic send'
  | 'non-monotonic poll'
  | 'skipped poll'
  | 'aborted read'
  | 'precommitted read'
  | 'torn transaction'
  | 'lost committed offset'
  | 'aborted offset'
  | 'unknown offset'
  | 'processed twice'
  | 'not processed'

/** Something that must not be. */
export interface Anomaly {
  readonly kind: AnomalyKind
  /** One sentence. */
  readonly message: string
  /** Indexes of the events that show it. */
  readonly events: readonly number[]
}
