/**
 * @module test/bench/connect — the Connect worker beside Kafka Connect: POST to RUNNING, file source and file sink with lines of 200 B. Both sides take
 * the same connector configurations by the same REST calls; the load generator watches the topic and the file and reports rate and CPU.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { startHubProcess } from '../hub-process.ts'
import { type Figures, figuresIn, load } from './load.ts'
import { kafkaSide } from './sides.ts'

const run = promisify(execFile)
const lineCount = Number(process.env['BENCH_LINES'] ?? 1_000_000)
const LINE_BYTES = 200

/** A worker with its broker. */
interface ConnectSide {
  readonly name: string
  readonly bootstrap: string
  readonly url: string
  /** Of the worker. */
  readonly pid: number
  /** Of the broker, where it is another process. */
  readonly brokerPid: number | undefined
  stop(): Promise<void>
}

/** Runs the same steps on both sides and prints their figures; those of Kafka Connect only where its service script is. */
export async function benchConnect(tool: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-connect-'))
  try {
    const lines = join(directory, 'lines')
    await writeLines(tool, lines)
    for (const start of [hub, kafkaConnect]) {
      const side = await start(directory)
      if (side === undefined) continue
      try {
        await benchSide(tool, side, directory, lines)
      } finally {
        await side.stop()
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function writeLines(tool: string, path: string): Promise<void> {
  const child = execFile(tool, ['lines', '-records', String(lineCount), '-size', String(LINE_BYTES)], { maxBuffer: 1 << 30 })
  const file = createWriteStream(path)
  child.stdout?.pipe(file)
  await once(file, 'finish')
}

async function hub(directory: string): Promise<ConnectSide> {
  const overrides = { 'connect.offset.flush.interval.ms': '1000' }
  const process = await startHubProcess({ directory: join(directory, 'hub'), connect: true, built: true, overrides })
  if (process.connectUrl === undefined) throw new Error(`no worker in the ready line: ${process.readyLine}`)
  const { bootstrap, connectUrl: url, pid } = process
  const stop = async (): Promise<void> => void (await process.end('SIGTERM'))
  return { name: 'millrace', bootstrap, url, pid, brokerPid: undefined, stop }
}

async function kafkaConnect(directory: string): Promise<ConnectSide | undefined> {
  const script = new URL('../../../shared/services/kafka-connect', import.meta.url).pathname
  if (!existsSync(script)) {
    console.log('kafka connect: not here')
    return undefined
  }
  const broker = await kafkaSide(33_092, [], 'kafka')
  if (broker === undefined) return undefined
  const port = '33183'
  // At least once, as ours is: the script's own default is exactly once.
  const properties = 'exactly.once.source.support=disabled'
  const env = {
    ...process.env,
    SERVICES_DATA: join(directory, 'services'),
    KAFKA_BOOTSTRAP: broker.bootstrap,
    KAFKA_HEAP: '512m',
    CONNECT_PROPS: properties,
  }
  const startMs = performance.now()
  await run(script, ['up', port], { env, timeout: 300_000 })
  console.log(`kafka connect: start → REST answers ${(performance.now() - startMs).toFixed(0)} ms`)
  const pid = Number(readFileSync(join(directory, 'services', `kafka-connect-${port}`, 'pid'), 'utf8').split(' ')[0])
  const stop = async (): Promise<void> => {
    await run(script, ['down', port], { env, timeout: 60_000 })
    await broker.stop()
  }
  return { name: 'kafka connect', bootstrap: broker.bootstrap, url: `http://127.0.0.1:${port}`, pid, brokerPid: broker.pid, stop }
}

async function benchSide(tool: string, side: ConnectSide, directory: string, lines: string): Promise<void> {
  const pids = { 'broker-pid': side.pid, ...(side.brokerPid === undefined ? {} : { 'also-pid': side.brokerPid }) }
  const watch = async (flags: Readonly<Record<string, string | number | true>>): Promise<Figures> => {
    try {
      return await load(tool, 'wait', { brokers: side.bootstrap, records: lineCount, size: LINE_BYTES, timeout: '120s', ...pids, ...flags })
    } catch (error) {
      // Lines that came twice fail the check and not the measurement: at least once is all that either side promises here.
      const { stdout, stderr } = error as { stdout?: string; stderr?: string }
      console.log(`${side.name}: ${stderr?.trim()}`)
      return figuresIn(stdout ?? '')
    }
  }
  const string = {
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  }
  await load(tool, 'ready', { brokers: side.bootstrap, create: true })
  const source = { 'connector.class': 'FileStreamSource', 'tasks.max': '1', file: lines, ...string }
  const startedMs: number[] = []
  for (let round = 0; round < 5; round++) {
    startedMs.push(await postUntilRunning(side, `warm-${round}`, { ...source, topic: `warm-${round}` }))
    await fetch(`${side.url}/connectors/warm-${round}`, { method: 'DELETE' })
  }
  console.log(`${side.name}: POST /connectors → RUNNING ${startedMs.map((ms) => ms.toFixed(0)).join(', ')} ms`)
  let startNs = BigInt(Date.now()) * 1_000_000n
  await postUntilRunning(side, 'source', { ...source, topic: 'lines' })
  print(side, 'file source', await watch({ topic: 'lines', t0: String(startNs) }))
  await fetch(`${side.url}/connectors/source`, { method: 'DELETE' })
  const output = join(directory, `${side.name.replaceAll(' ', '-')}.out`)
  startNs = BigInt(Date.now()) * 1_000_000n
  await postUntilRunning(side, 'sink', { 'connector.class': 'FileStreamSink', 'tasks.max': '1', file: output, topics: 'lines', ...string })
  print(side, 'file sink', await watch({ file: output, t0: String(startNs) }))
  await fetch(`${side.url}/connectors/sink`, { method: 'DELETE' })
}

/** Milliseconds from the POST until connector and first task are RUNNING. */
async function postUntilRunning(side: ConnectSide, name: string, config: Readonly<Record<string, string>>): Promise<number> {
  const startMs = performance.now()
  const body = JSON.stringify({ name, config })
  const answer = await fetch(`${side.url}/connectors`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (!answer.ok) throw new Error(`${side.name}: ${await answer.text()}`)
  while (performance.now() - startMs < 60_000) {
    const status = (await (await fetch(`${side.url}/connectors/${name}/status`)).json()) as {
      connector?: { state: string }
      tasks?: { state: string; trace?: string }[]
    }
    const states = [status.connector?.state, status.tasks?.[0]?.state]
    if (states.every((state) => state === 'RUNNING')) return performance.now() - startMs
    if (states.includes('FAILED')) throw new Error(`${side.name}: ${name} failed: ${JSON.stringify(status)}`)
    await sleep(5)
  }
  throw new Error(`${side.name}: ${name} does not run after a minute`)
}

function print(side: ConnectSide, what: string, figures: Figures): void {
  const text = [...figures].map(([name, { value, unit }]) => `${name} ${value.toLocaleString('en', { maximumFractionDigits: 2 })} ${unit}`)
  console.log(`${side.name}: ${what}: ${text.join(' · ')}`)
}
