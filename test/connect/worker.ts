/** @module test/connect/worker — a broker with a Connect worker on it, and plugins in a temporary folder, for the tests of the herder. */
import { createConsumer } from '../../hub/client/index.ts'
import { enableCompileCache } from 'node:module'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectConfigOf, hubConnectDefaults } from '../../hub/config/index.ts'
import { type Connect, type ConnectOptions, createConnect } from '../../hub/connect/index.ts'
import { nodeWorld } from '../../hub/io/index.ts'
import { type MemoryLogger, memoryLogger } from '../../hub/observe/index.ts'

// Threads are up in half the time, as under bin/millrace.js.
enableCompileCache()

/** A folder that is gone at the end. */
export interface Folder extends AsyncDisposable {
  readonly path: string
  write(name: string, text: string): Promise<string>
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-connect-'))
  return {
    path,
    async write(name, text) {
      await writeFile(join(path, name), text)
      return join(path, name)
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export interface TestWorker extends Connect {
  readonly log: MemoryLogger
}

/** A worker on a broker, its plugins in a folder. */
export async function startWorker(
  bootstrap: string,
  pluginPath: string,
  settings: Readonly<Record<string, string>> = {},
  options: Partial<ConnectOptions> = {},
): Promise<TestWorker> {
  const section = new Map(
    Object.entries({
      'plugin.path': pluginPath,
      'offset.flush.interval.ms': '100',
      'offset.storage.partitions': '1',
      'status.storage.partitions': '1',
      'task.shutdown.graceful.timeout.ms': '1000',
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      ...settings,
    }),
  )
  const { config } = connectConfigOf(section, hubConnectDefaults(bootstrap))
  const log = memoryLogger()
  const connect = await createConnect({ config, world: nodeWorld(), logger: log, workerId: '127.0.0.1:8083', ...options })
  return Object.assign(connect, { log })
}

/** Asks until the answer is right; fails with the last answer after a time. */
export async function eventually<T>(ask: () => T | Promise<T>, isRight: (answer: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const { clock } = nodeWorld()
  const endMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (isRight(answer)) return answer
    if (clock.monotonicMs() > endMs) throw new Error(`not within ${timeoutMs} ms; last: ${JSON.stringify(answer)}`)
    await clock.sleep(10)
  }
}

/** Waits until a connector of test.TroubleSource has begun with it so many times. */
export async function troubleBegins(worker: TestWorker, connector: string, times = 1): Promise<void> {
  await eventually(
    () => worker.log.entries.filter(({ message, facts }) => message === 'the trouble begins' && facts['connector'] === connector).length,
    (count) => count >= times,
  )
}

/** Values of partition 0 of a topic from its beginning, as text, until `isEnough`. */
export async function valuesOf(
  bootstrapServers: string,
  topic: string,
  isEnough: (values: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const consumer = createConsumer({ bootstrapServers, offsetReset: 'earliest' })
  const values: string[] = []
  try {
    consumer.assign([{ topic, partition: 0 }])
    await eventually(async () => {
      for (const record of await consumer.poll(100)) values.push(record.value?.toString() ?? '')
      return values
    }, isEnough)
  } finally {
    await consumer.close()
  }
  return values
}
