/** @module test/bench/sides — the brokers that are measured side by side: a hub, Apache Kafka, and Apache Kafka with a sync before each acknowledgement. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startHubProcess } from '../hub-process.ts'

const run = promisify(execFile)

export interface Side {
  readonly name: string
  readonly bootstrap: string
  readonly pid: number
  stop(): Promise<void>
}

/** A hub in its default, durable mode on a temporary folder. */
export async function hubSide(overrides: Readonly<Record<string, string>> = {}, name = 'millrace'): Promise<Side> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const hub = await startHubProcess({ directory: join(directory, 'data'), built: true, overrides })
  return {
    name,
    bootstrap: hub.bootstrap,
    pid: hub.pid,
    stop: async () => {
      await hub.end('SIGTERM')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Apache Kafka 4.3.1 by the service script beside the repository, with a heap of 1 GiB; undefined where the script is not there. */
export async function kafkaSide(port: number, properties: readonly string[], name: string): Promise<Side | undefined> {
  const script = new URL('../../../shared/services/kafka', import.meta.url).pathname
  if (!existsSync(script)) return undefined
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-kafka-'))
  const env = { ...process.env, SERVICES_DATA: directory, KAFKA_HEAP: '1g', KAFKA_PROPS: properties.join('\n') }
  await run(script, ['up', String(port)], { env, timeout: 300_000 })
  const pid = Number(readFileSync(join(directory, `kafka-${port}`, 'pid'), 'utf8').split(' ')[0])
  return {
    name,
    bootstrap: `127.0.0.1:${port}`,
    pid,
    stop: async () => {
      await run(script, ['down', String(port)], { env, timeout: 60_000 })
      await rm(directory, { recursive: true, force: true })
    },
  }
}
