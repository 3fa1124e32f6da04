/** @module test/io/child-process — Node processes that only their own code keeps alive: how they end, and what they say until then. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const root = new URL('../..', import.meta.url).pathname

/** A running process. */
export interface NodeProcess {
  /** What it printed, line by line, so far. */
  readonly lines: readonly string[]
  /** Resolves when this line has been printed; rejects with all that was said when the process ends without it. */
  line(wanted: string): Promise<void>
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
  /** Ends it if it still runs. */
  kill(): Promise<void>
}

/** Runs Node with these arguments, and the conditions that make our packages resolve to their sources. */
export function startNode(args: readonly string[]): NodeProcess {
  const child: ChildProcess = spawn('node', ['--conditions=millrace-source', ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: root })
  const lines: string[] = []
  const waiting = new Map<string, () => void>()
  let stderrText = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderrText += chunk.toString()
  })
  if (child.stdout === null) throw new Error('no stdout')
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    waiting.get(line)?.()
  })
  const exited = once(child, 'close').then(([exitCode]) => exitCode as number | null)
  return {
    lines,
    line: (wanted) =>
      new Promise((resolve, reject) => {
        if (lines.includes(wanted)) resolve()
        waiting.set(wanted, resolve)
        const said = (): string => [...lines, stderrText].join('\n')
        void exited.then((exitCode) => reject(new Error(`ended with ${exitCode} and without "${wanted}": ${said()}`)))
      }),
    exited,
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}

/** Runs an ES module, in TypeScript that Node can strip. */
export function startScript(source: string): NodeProcess {
  return startNode(['--input-type=module-typescript', '--eval', source])
}

/** Runs it to its end. */
export async function outcomeOf(source: string): Promise<{ exitCode: number | null; lines: readonly string[] }> {
  const script = startScript(source)
  const exitCode = await script.exited
  return { exitCode, lines: script.lines }
}
