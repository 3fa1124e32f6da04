/** @module test/cli/memory-io — a command's surroundings in memory. */
import type { CommandIo } from '../../hub/cli/index.ts'

/** What a command did with its streams. */
export interface MemoryIo extends CommandIo {
  stdoutText(): string
  stderrText(): string
  /** As Ctrl-C. */
  interrupt(): void
}

/** Streams that remember; stdin is the text, then its end. */
export function memoryIo(stdin = ''): MemoryIo {
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  const controller = new AbortController()
  return {
    stdout: { write: (chunk) => void stdout.push(Buffer.from(chunk)) },
    stderr: { write: (chunk) => void stderr.push(Buffer.from(chunk)) },
    stdin: chunksOf(stdin),
    signal: controller.signal,
    env: {},
    stdoutText: () => Buffer.concat(stdout).toString(),
    stderrText: () => Buffer.concat(stderr).toString(),
    interrupt: () => controller.abort(new Error('interrupted')),
  }
}

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  if (text !== '') yield Buffer.from(text)
}
