/**
 * @module connector-file/input — a file that is read while others write it: it may not be there yet, grow, be cut, be replaced.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { FatalError, RetriableError } from '@millrace/sdk'

/** A name that no file can have: too long, or with a NUL. */
const hopeless = new Set(['ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'])

/** What has become of a file whose end was reached. */
export type Change =
  | 'none'
  /** It is shorter than what was read of it. */
  | 'cut'
  /** Its name stands for another file now (log rotation). */
  | 'replaced'

/** A file open for reading. Close it. */
export class Input {
  readonly #file: string
  readonly #handle: FileHandle
  /** Bytes when it was opened. */
  readonly sizeBytes: number

  constructor(file: string, handle: FileHandle, sizeBytes: number) {
    this.#file = file
    this.#handle = handle
    this.sizeBytes = sizeBytes
  }

  /** Reads into the whole of a buffer or less; 0: the end is reached for now. */
  async read(into: Buffer, position: number): Promise<number> {
    try {
      return (await this.#handle.read(into, 0, into.length, position)).bytesRead
    } catch (error) {
      throw new RetriableError(`Couldn't read file '${this.#file}': ${messageOf(error)}`, { cause: error })
    }
  }

  /** Whether what was read up to a position is still this file. @throws RetriableError as `read` (a file server that lost it) */
  async change(position: number): Promise<Change> {
    const own = await this.#handle.stat({ bigint: true }).catch((error: unknown) => {
      throw new RetriableError(`Couldn't look at file '${this.#file}': ${messageOf(error)}`, { cause: error })
    })
    const named = await stat(this.#file, { bigint: true }).catch(() => undefined)
    if (named !== undefined && (named.ino !== own.ino || named.dev !== own.dev)) return 'replaced'
    return own.size < position ? 'cut' : 'none'
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/**
 * Opens a file; undefined when it is not there.
 * @throws FatalError for what is no regular file or no name of one, RetriableError for what cannot be opened
 */
export async function openInput(file: string): Promise<Input | undefined> {
  let handle: FileHandle
  try {
    // Not to block: opening a pipe would wait for a writer in one of the few threads that do disk work.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (code === 'ENOENT') return undefined
    if (hopeless.has(code)) {
      throw new FatalError('no-file-name', `Couldn't open file '${file}': ${messageOf(error)}`, 'correct file', { cause: error })
    }
    throw new RetriableError(`Couldn't open file '${file}': ${messageOf(error)}`, { cause: error })
  }
  try {
    const facts = await handle.stat()
    if (facts.isFile()) return new Input(file, handle, facts.size)
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  throw new FatalError('no-regular-file', `'${file}' is not a regular file`, 'set file to one, or leave it out to read the standard input')
}

/** `ENOENT` … of an error of the operating system. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}

/** Its message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
