/** @module raft/metadata-log-error — why a metadata log cannot be used. */

/** The metadata log cannot be used as it is; one line that names the cause and the remedy. */
export class MetadataLogError extends Error {
  override readonly name = 'MetadataLogError'
  /** File or directory concerned. */
  readonly path: string
  constructor(path: string, reason: string, remedy: string, cause?: unknown) {
    super(`${path}: ${reason}; ${remedy}`, cause === undefined ? undefined : { cause })
    this.path = path
  }
}
