/** @module cli/process-io — this process as a command sees it. */
import type { CommandIo, TextSink } from './command.ts'

/** A {@link CommandIo} of the running process, and the way to take its hands off again. */
export interface ProcessIo extends Disposable {
  readonly io: CommandIo
}

/**
 * The process's streams, with a signal that Ctrl-C and SIGTERM abort; a second Ctrl-C ends the process as it would without us.
 * A reader that goes away (`| head`) aborts the signal too, and what is written after that is dropped without a word.
 */
export function processIo(): ProcessIo {
  const controller = new AbortController()
  const stop = (): void => {
    process.removeListener('SIGINT', stop)
    process.removeListener('SIGTERM', stop)
    controller.abort(new Error('interrupted'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    controller.abort(new Error('nobody reads the output any more'))
  }
  process.stdout.on('error', onError)
  process.stderr.on('error', onError)
  let readsStdin = false
  return {
    io: {
      stdout: sinkOf(process.stdout),
      stderr: sinkOf(process.stderr),
      get stdin() {
        readsStdin = true
        return process.stdin
      },
      signal: controller.signal,
      env: process.env,
      isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    },
    // The error listeners stay: what is still on its way to a closed pipe may fail after the command has ended.
    [Symbol.dispose]: () => {
      process.removeListener('SIGINT', stop)
      process.removeListener('SIGTERM', stop)
      // A terminal or pipe that nobody closed would keep the process alive, with a read that still waits.
      if (readsStdin) process.stdin.destroy()
    },
  }
}

function sinkOf(stream: NodeJS.WriteStream): TextSink {
  return {
    write(chunk) {
      if (stream.destroyed || stream.write(chunk)) return undefined
      return new Promise<void>((resolve) => {
        const done = (): void => {
          stream.removeListener('drain', done)
          stream.removeListener('close', done)
          stream.removeListener('error', done)
          resolve()
        }
        stream.on('drain', done)
        stream.on('close', done)
        stream.on('error', done)
      })
    },
  }
}
