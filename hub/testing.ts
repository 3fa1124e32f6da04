/**
 * @module millrace/testing — a hub for tests: on free ports, in memory or in a temporary folder, gone without a trace.
 *
 * ```ts
 * await using hub = await startHub()
 * const kafka = new Kafka({ brokers: [hub.bootstrap] })
 * ```
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadHubConfig } from './config/index.ts'
import { createHub, type Hub, type HubWorld } from './hub.ts'
import { nodeWorld } from './io/index.ts'
import { type MemoryLogger, memoryLogger } from './observe/index.ts'

export interface StartHubOptions {
  /** `memory` (default): nothing touches a disk. `temporary`: a fresh folder under the system's, removed at the end. Else a path, which is left alone. */
  readonly directory?: 'memory' | 'temporary' | (string & {})
  /** Also a Connect worker, its REST API on a free loopback port: `hub.connect`. Default false: a broker alone. */
  readonly connect?: boolean
  /** Settings over those of the test hub, as in a configuration file. */
  readonly overrides?: Readonly<Record<string, string>>
  /** Ports of another world (a clock in hand, sockets in memory); by default this machine's. */
  readonly world?: Partial<HubWorld>
}

/** A hub that belongs to a test. */
export interface TestHub extends Hub {
  /** Absolute path of the log directory; undefined in memory. */
  readonly directory: string | undefined
  /** What it has logged, when the test gave no logger of its own. */
  readonly log: MemoryLogger
}

/** Starts a hub on a free loopback port: without /metrics and /health unless the overrides ask for them. */
export async function startHub(options: StartHubOptions = {}): Promise<TestHub> {
  const { directory: kind = 'memory' } = options
  const directory = kind === 'memory' ? undefined : kind === 'temporary' ? await mkdtemp(join(tmpdir(), 'millrace-')) : kind
  const settings: Record<string, string> = {
    ...(options.connect === true ? { 'connect.listeners': 'http://127.0.0.1:0' } : { 'process.roles': 'broker,controller' }),
    'log.dirs': directory ?? 'memory:',
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'millrace.http.listeners': '',
    ...options.overrides,
  }
  const removeDirectory = async (): Promise<void> => {
    if (kind === 'temporary' && directory !== undefined) await rm(directory, { recursive: true, force: true })
  }
  const log = memoryLogger()
  try {
    const config = await loadHubConfig({ overrides: Object.entries(settings).map(([key, value]) => `${key}=${value}`) })
    const hub = await createHub(config, { ...nodeWorld(), logger: log, ...options.world })
    const close = async (): Promise<void> => {
      await hub.close()
      await removeDirectory()
    }
    return { ...hub, directory, log, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await removeDirectory()
    throw error
  }
}
