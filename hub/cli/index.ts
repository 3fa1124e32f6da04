/**
 * @module cli — the client commands: what Kafka's scripts do, as `millrace NAME` with the same options, output and exit code.
 *
 * Commands are loaded when they are asked for. `runCommand` runs one with this process's streams; `commands` gives them to
 * whoever has streams of its own (tests, embedding).
 */
import { nearestName } from '../config/index.ts'
import type { Command, CommandIo } from './command.ts'
import { overviewText } from './overview.ts'
import { processIo } from './process-io.ts'

export {
  type Command,
  type CommandIo,
  KAFKA_VERSION,
  type TextSink,
} from './command.ts'
export { overviewText } from './overview.ts'

/** Every client command by the name that is typed after `millrace`. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  topics: async () => (await import('./topics.ts')).topics,
  'console-producer': async () => (await import('./console-producer.ts')).consoleProducer,
  'console-consumer': async () => (await import('./console-consumer.ts')).consoleConsumer,
  'consumer-groups': async () => (await import('./consumer-groups.ts')).consumerGroups,
  configs: async () => (await import('./configs.ts')).configs,
  'delete-records': async () => (await import('./delete-records.ts')).deleteRecords,
  'broker-api-versions': async () => (await import('./broker-api-versions.ts')).brokerApiVersions,
  'log-dirs': async () => (await import('./log-dirs.ts')).logDirs,
  cluster: async () => (await import('./cluster.ts')).cluster,
  connector: async () => (await import('./connector.ts')).connector,
  plugin: async () => (await import('./plugin.ts')).plugin,
  'get-offsets': async () => (await import('./get-offsets.ts')).getOffsets,
}

/**
 * Runs a command by name; resolves with the exit code, 2 for a name that is none. `help` prints the overview.
 * Without `io` the command has this process's streams and signals.
 */
export async function runCommand(name: string, args: readonly string[], io?: CommandIo): Promise<number> {
  if (io !== undefined) return dispatch(name, args, io)
  using own = processIo()
  return await dispatch(name, args, own.io)
}

async function dispatch(name: string, args: readonly string[], io: CommandIo): Promise<number> {
  if (name === 'help') {
    io.stdout.write(overviewText())
    return 0
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load === undefined) {
    const near = nearestName(name, Object.keys(commands))
    const guess = near === undefined ? '' : `, perhaps ${near}`
    io.stderr.write(`millrace: there is no command ${name}${guess}; millrace --help lists them\n`)
    return 2
  }
  return (await load()).run(args, io)
}
