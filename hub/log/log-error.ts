/**
 * @module log/log-error — what can go wrong with files, as typed errors. Refused appends are values (`Refused`), not errors.
 */

/** A write or sync of this log failed: it takes nothing any more until the process starts anew (design §3); the cause is in `cause`. */
export class LogFencedError extends Error {
  override readonly name = 'LogFencedError'
  readonly directory: string
  constructor(directory: string, cause: Error) {
    super(`log ${directory} takes no more appends until restart: ${cause.message}`, { cause })
    this.directory = directory
  }
}

/** The log was closed or deleted while somebody waited for it. */
export class LogClosedError extends Error {
  override readonly name = 'LogClosedError'
  readonly directory: string
  constructor(directory: string) {
    super(`log ${directory} is closed`)
    this.directory = directory
  }
}

/** The device had no room for what was waited for; it was taken back whole and may be sent again (answer: KAFKA_STORAGE_ERROR, retriable). */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
  readonly directory: string
  constructor(directory: string, cause?: Error) {
    super(`no space left on the device of ${directory}`, { cause })
    this.directory = directory
  }
}

/**
 * No file or directory could be opened because the process, or the machine, has no descriptor left; what was waited for was taken back whole and
 * may be sent again (answer: KAFKA_STORAGE_ERROR, retriable).
 */
export class TooManyFilesError extends Error {
  override readonly name = 'TooManyFilesError'
  readonly directory: string
  constructor(directory: string, cause?: Error) {
    super(`too many open files to write to ${directory}; raise the limit of the process (ulimit -n)`, { cause })
    this.directory = directory
  }
}

/** A file of the log holds bytes that are no log; `path` names it, the message says what to do. */
export class CorruptLogError extends Error {
  override readonly name = 'CorruptLogError'
  readonly path: string
  constructor(path: string, reason: string, remedy: string) {
    super(`${path} is corrupt: ${reason}; ${remedy}`)
    this.path = path
  }
}

/** The log directory cannot be used as it is; one line that names the cause and the remedy. */
export class LogDirectoryError extends Error {
  override readonly name = 'LogDirectoryError'
  readonly path: string
  constructor(path: string, reason: string, remedy: string) {
    super(`log directory ${path}: ${reason}; ${remedy}`)
    this.path = path
  }
}

/** Whether the error says that the device or the owner's quota is exhausted. */
export function isNoSpace(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Whether the error says that there is no descriptor for another open file. Nothing was opened, so trying again later is safe. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === 'EMFILE' || code === 'ENFILE'
}

/** Whether the error says that the file is not there. */
export function isMissing(error: unknown): boolean {
  return errorCodeOf(error) === 'ENOENT'
}

/** Anything thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function errorCodeOf(error: unknown): unknown {
  return error instanceof Error ? (error as { readonly code?: unknown }).code : undefined
}
