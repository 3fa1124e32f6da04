/**
 * @module connector-file/stdin — the standard input of the process as a stream. Opened anew by its name: a connector's thread has no
 * standard input of its own, and closing it must not close the process's.
 */
import { closeSync, constants, createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { isatty, ReadStream } from 'node:tty'
import { FatalError } from '@millrace/sdk'

/**
 * Opens the standard input. Pipes and terminals are waited for without holding a thread, so that the stream can be destroyed at any time.
 * @throws FatalError where there is none
 */
export function openStandardInput(path = '/dev/stdin'): Readable {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (isatty(fd)) return new ReadStream(fd)
    if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false })
    return createReadStream(path, { fd })
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    const why = error instanceof Error ? error.message : String(error)
    throw new FatalError('no-standard-input', `the standard input cannot be read: ${why}`, 'set file', { cause: error })
  }
}
