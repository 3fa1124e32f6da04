/** @module cluster/unusable-record-error — a metadata record that this build must not pass over. */

/** The metadata log holds a record that contradicts it or that this release cannot honour; the start is refused. */
export class UnusableRecordError extends Error {
  override readonly name = 'UnusableRecordError'
  readonly recordName: string
  constructor(recordName: string, reason: string) {
    super(`metadata log: ${recordName} ${reason}; use the release that wrote it, or start with an empty log directory`)
    this.recordName = recordName
  }
}
