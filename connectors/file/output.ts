/**
 * @module connector-file/output — where the sink's lines go: the end of a file, or the standard output of the process.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FatalError, RetriableError } from '@millrace/sdk'
import { codeOf, messageOf } from './input.ts'

/** Takes bytes at its end. One call at a time. */
export interface Output {
  /** Writes all of it. After a RetriableError `unwritten` is what is left of it. */
  append(bytes: Uint8Array): Promise<void>
  /** What the last `append` could not write; empty when it could. */
  readonly unwritten: Uint8Array
  /** Whether what stands at the end is the beginning of a line. */
  readonly isWithinLine: boolean
  /** Everything that was appended survives a loss of power. */
  sync(): Promise<void>
  close(): Promise<void>
}

const nothing = new Uint8Array(0)
const lineFeed = 10
/** No room: somebody may make some. */
const passing = new Set(['ENOSPC', 'EDQUOT', 'EAGAIN'])
/** File systems that cannot sync say so by these. */
const unsyncable = new Set(['EINVAL', 'ENOTSUP'])

/**
 * Opens a file to append to, and makes it where it is missing.
 * @throws FatalError in upstream's words
 */
export async function openOutput(file: string): Promise<Output> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o666)
    const facts = await handle.stat()
    return new FileOutput(file, handle, facts.isFile(), facts.isFile() && (await endsWithinLine(file, facts.size)))
  } catch (error) {
    await handle?.close()
    throw new FatalError('file-not-writable', `Couldn't find or create file '${file}' for FileStreamSinkTask`, '', { cause: error })
  }
}

/** Whether the last line has no end: a crash may have torn it. What may not be read is taken as whole. */
async function endsWithinLine(file: string, sizeBytes: number): Promise<boolean> {
  if (sizeBytes === 0) return false
  const handle = await open(file, constants.O_RDONLY).catch(() => undefined)
  if (handle === undefined) return false
  try {
    const last = await handle.read(Buffer.alloc(1), 0, 1, sizeBytes - 1)
    return last.bytesRead === 1 && last.buffer[0] !== lineFeed
  } finally {
    await handle.close()
  }
}

class FileOutput implements Output {
  readonly #file: string
  readonly #handle: FileHandle
  readonly #isFile: boolean
  /** Whether the directory is known to hold the file. */
  #isListed = false
  unwritten: Uint8Array = nothing
  isWithinLine: boolean

  constructor(file: string, handle: FileHandle, isFile: boolean, isWithinLine: boolean) {
    this.#file = file
    this.#handle = handle
    this.#isFile = isFile
    this.isWithinLine = isWithinLine
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.unwritten = bytes
    while (this.unwritten.length > 0) {
      try {
        const { bytesWritten } = await this.#handle.write(this.unwritten)
        if (bytesWritten > 0) this.isWithinLine = this.unwritten[bytesWritten - 1] !== lineFeed
        this.unwritten = this.unwritten.subarray(bytesWritten)
      } catch (error) {
        const message = `Couldn't write to file '${this.#file}': ${messageOf(error)}`
        if (passing.has(codeOf(error) ?? '')) throw new RetriableError(message, { cause: error })
        throw new FatalError('write-failed', message, 'see to the disk, then restart the task', { cause: error })
      }
    }
  }

  async sync(): Promise<void> {
    if (!this.#isFile) return
    try {
      await this.#handle.datasync()
      if (!this.#isListed) await syncDirectory(dirname(this.#file))
      this.#isListed = true
    } catch (error) {
      if (unsyncable.has(codeOf(error) ?? '')) return
      // What was not synced is lost, and a second sync would not say so: only writing it again helps, from the committed offsets.
      const message = `Couldn't sync file '${this.#file}': ${messageOf(error)}`
      throw new FatalError('sync-failed', message, 'see to the disk, then restart the task', { cause: error })
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** A new file is found again after a loss of power only if its directory was synced. One that may not be read is left alone. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY).catch(() => undefined)
  try {
    await handle?.sync()
  } finally {
    await handle?.close()
  }
}

/** The standard output of the process, which keeps nothing. */
export function standardOutput(): Output {
  return {
    unwritten: nothing,
    isWithinLine: false,
    append: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => {
          if (error === null || error === undefined) resolve()
          else reject(new FatalError('write-failed', `Couldn't write to the standard output: ${error.message}`, '', { cause: error }))
        })
      }),
    sync: async () => undefined,
    close: async () => undefined,
  }
}
