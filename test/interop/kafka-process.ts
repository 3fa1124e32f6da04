/** A broker of Apache Kafka 4.3.1 on a directory that is given: one that Millrace wrote, or one to be looked at afterwards. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HEAP = '-Xmx384m'

/** A running broker. */
export interface KafkaProcess {
  readonly bootstrap: string
  /** In order, as SIGTERM does, or at once. Resolves when the process is gone. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Starts Kafka, whose classes stand at `classPath`, as node 1 on `directory`; formats that if it is empty. Rejects with what it logged when it ends early. */
export async function startKafka(classPath: string, directory: string): Promise<KafkaProcess> {
  const home = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  const [port, controllerPort] = await freePorts()
  await writeFile(join(home, 'server.properties'), properties(directory, port, controllerPort))
  await writeFile(join(home, 'log4j2.properties'), LOGGING)
  const java = [HEAP, '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${join(home, 'log4j2.properties')}`, '-cp', classPath]
  if (!existsSync(join(directory, 'meta.properties'))) {
    await mkdir(directory, { recursive: true })
    const id = randomBytes(16).toString('base64url').replace(/^-/, 'k')
    await run('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', join(home, 'server.properties')])
  }
  const child = spawn('java', [...java, 'kafka.Kafka', join(home, 'server.properties')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit').finally(() => rm(home, { recursive: true, force: true }))
  await started(child)
  return {
    bootstrap: `127.0.0.1:${port}`,
    stop: async (signal) => {
      child.kill(signal)
      await gone
    },
  }
}

function properties(directory: string, port: number, controllerPort: number): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${directory}`,
    ...['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic'].flatMap((topic) => [
      `${topic}.num.partitions=1`,
      `${topic}.replication.factor=1`,
    ]),
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'auto.create.topics.enable=false',
    // Files of a size to keep, and a compaction that does not let itself be waited for.
    'log.index.size.max.bytes=1024',
    'log.retention.ms=-1',
    'log.cleaner.backoff.ms=300',
    'log.cleaner.dedupe.buffer.size=4194304',
    '',
  ].join('\n')
}

const LOGGING = `rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d %p %c - %m%n
logger.k.name=kafka.server
logger.k.level=INFO
`

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-100_000)
      if (/Kafka Server started|started \(kafka\.server/.test(log)) resolve()
    })
    child.once('exit', () => reject(new Error(`Kafka ended:\n${log.slice(-4_000)}`)))
  })
}

async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()] as const
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : 0
    }),
  )
  for (const server of servers) server.close()
  return [ports[0] ?? 0, ports[1] ?? 0]
}
