/** @module test/bench/lifecycle — start to ready line, restart after kill −9 with a gigabyte of data, memory when idle. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHubProcess } from '../hub-process.ts'
import { load } from './load.ts'

/** Resident memory of a process in MB, from /proc. */
function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}

/** Prints the three figures, each with its spread over a few runs. */
export async function benchLifecycle(tool: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const coldMs: number[] = []
  try {
    for (let run = 0; run < 5; run++) {
      const startMs = performance.now()
      const hub = await startHubProcess({ directory: join(directory, `cold-${run}`), connect: true, built: true })
      coldMs.push(performance.now() - startMs)
      if (run === 4) {
        await sleep(30_000)
        console.log(`idle RSS 30 s after the start: ${residentMb(hub.pid).toFixed(0)} MB`)
      }
      await hub.end('SIGTERM')
    }
    print('start → ready line (process spawn included)', coldMs)
    const crashMs: number[] = []
    const data = join(directory, 'crash')
    let hub = await startHubProcess({ directory: data, connect: true, built: true })
    await load(tool, 'produce', { brokers: hub.bootstrap, topic: 'pre', create: true, records: 1_000_000, size: 1024, timeout: '90s' })
    for (let run = 0; run < 5; run++) {
      await load(tool, 'produce', { brokers: hub.bootstrap, topic: 'more', create: true, records: 100_000, size: 1024, timeout: '90s' })
      await hub.end('SIGKILL')
      const startMs = performance.now()
      hub = await startHubProcess({ directory: data, connect: true, built: true })
      crashMs.push(performance.now() - startMs)
    }
    await hub.end('SIGTERM')
    print('restart after kill −9 with 1 GB of data', crashMs)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function print(label: string, valuesMs: readonly number[]): void {
  const sorted = [...valuesMs].sort((a, b) => a - b)
  const text = (value: number | undefined): string => (value ?? Number.NaN).toFixed(0)
  console.log(`${label}: median ${text(sorted[sorted.length >> 1])} ms (${text(sorted[0])}–${text(sorted.at(-1))}, n=${sorted.length})`)
}
