/**
 * @module start-error — what keeps a hub from starting, as one line that names cause and remedy.
 */
import { UnusableRecordError } from './cluster/index.ts'
import { DirectoryLockedError } from './io/index.ts'
import { CorruptLogError, LogDirectoryError } from './log/index.ts'
import { MetadataLogError } from './raft/index.ts'
import { ListenError } from './server/index.ts'

/** The hub cannot start; the message is one line that names cause and remedy. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** An address that people can open: a listener of every interface is reached by loopback too. */
export function shownHost(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** A port that cannot be bound, and the key that chose it. */
export function portError(
  { host, port, key }: { readonly host: string; readonly port: number; readonly key: string },
  error: NodeJS.ErrnoException,
): StartError {
  const place = `${host === '' ? '*' : host}:${port}`
  if (error.code === 'EADDRINUSE')
    return new StartError(`port ${port} is in use (${place}); stop who uses it, or set ${key} to another port`, { cause: error })
  if (error.code === 'EACCES')
    return new StartError(`port ${port} may not be opened by this user (${place}); set ${key} to a port above 1023`, { cause: error })
  return new StartError(`cannot listen on ${place}: ${error.message}; correct ${key}`, { cause: error })
}

/** What the system answers when a path is no directory that we may use. */
const DIRECTORY_PROBLEMS: ReadonlySet<string> = new Set(['EACCES', 'EEXIST', 'EISDIR', 'ENOENT', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS'])

/** Known failures as one line with a remedy; everything else as it is. */
export function explained(error: unknown): unknown {
  if (error instanceof ListenError) {
    return portError({ ...error.listener, key: 'listeners' }, error.cause as NodeJS.ErrnoException)
  }
  if (error instanceof DirectoryLockedError) {
    return new StartError(
      `log directory ${error.directory} is locked by process ${error.holderPid}; stop it, or set log.dirs to another directory`,
      { cause: error },
    )
  }
  const told = [CorruptLogError, LogDirectoryError, MetadataLogError, UnusableRecordError]
  if (told.some((type) => error instanceof type)) return new StartError((error as Error).message, { cause: error })
  const { code, path } = error as NodeJS.ErrnoException
  if (code !== undefined && DIRECTORY_PROBLEMS.has(code)) {
    return new StartError(`cannot use ${path ?? 'the log directory'}: ${(error as Error).message}; correct log.dirs or the permissions`, {
      cause: error,
    })
  }
  return error
}
