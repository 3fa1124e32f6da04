/** @module cli/cluster — `millrace cluster`: the cluster's id, its brokers' addresses, and forgetting a broker, as kafka-cluster.sh does. */
import type { Admin } from '../client/index.ts'
import { ErrorCode, errorMessage, errorName, UnregisterBroker } from '../wire/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, type CommandIo, KAFKA_VERSION } from './command.ts'
import { plainMessage } from './error-text.ts'
import { tableLines } from './table.ts'

const USAGE = `usage: millrace cluster [-h] {cluster-id,unregister,list-endpoints} ...

  cluster-id      Print the id of the cluster.
  unregister      Forget a broker that is gone: -i ID.
  list-endpoints  Print where the brokers are: [--include-fenced-brokers].

Each takes -b HOST:PORT (--bootstrap-server) and -c FILE (--command-config, a properties file with settings of the client).
-h, --help prints this.
`

/** A command line that can't be understood. */
class ArgumentError extends Error {
  override readonly name = 'ArgumentError'
}

interface ClusterArguments {
  readonly action: 'cluster-id' | 'unregister' | 'list-endpoints'
  readonly bootstrapServers: string
  readonly commandConfig: string | undefined
  readonly brokerId: number
  readonly includesFenced: boolean
}

/** `millrace cluster`; its options are argparse4j's in Kafka: one action, then options with short forms. */
export const cluster: Command = {
  summary: 'Print the cluster id and where its brokers are.',
  async run(args, io) {
    if (args.some((arg) => arg === '-h' || arg === '--help')) {
      io.stdout.write(USAGE)
      return 0
    }
    if (args[0] === '--version') {
      io.stdout.write(`${KAFKA_VERSION}\n`)
      return 0
    }
    try {
      const parsed = parseArguments(args)
      await withAdmin(parsed, io, (admin) => ACTIONS[parsed.action](admin, parsed, io))
      return 0
    } catch (error) {
      if (error instanceof ArgumentError) io.stderr.write(`${USAGE}millrace cluster: error: ${error.message}\n`)
      else io.stderr.write(`${plainMessage(error)}\n`)
      return 1
    }
  },
}

const ACTIONS: Readonly<Record<ClusterArguments['action'], (admin: Admin, parsed: ClusterArguments, io: CommandIo) => Promise<void>>> = {
  'cluster-id': async (admin, _parsed, io) => {
    const { clusterId } = await admin.describeCluster({}, io.signal)
    io.stdout.write(clusterId === null ? 'No cluster ID found. The Kafka version is probably too old.\n' : `Cluster ID: ${clusterId}\n`)
  },
  'list-endpoints': async (admin, { includesFenced }, io) => {
    const { brokers } = await admin.describeCluster({ includeFencedBrokers: includesFenced }, io.signal)
    const hostWidth = Math.max(...brokers.map(({ host }) => host.length), 'HOST'.length)
    const columns = [
      { title: 'ID', widthMin: 10 },
      { title: 'HOST', widthMin: hostWidth },
      { title: 'PORT', widthMin: 10 },
      { title: 'RACK', widthMin: 10 },
      { title: 'STATE', widthMin: 10 },
      { title: 'ENDPOINT_TYPE', widthMin: 15 },
    ]
    const rows = brokers.map(({ nodeId, host, port, rack, isFenced }) => [
      String(nodeId),
      host,
      String(port),
      rack ?? 'null',
      isFenced ? 'fenced' : 'unfenced',
      'broker',
    ])
    io.stdout.write(
      tableLines(columns, rows)
        .map((line) => `${line}\n`)
        .join(''),
    )
  },
  unregister: async (admin, { brokerId }, io) => {
    const { errorCode, errorMessage: text } = await admin.request('any', UnregisterBroker, { brokerId }, { signal: io.signal })
    if (errorCode !== ErrorCode.NONE) throw new Error(text ?? errorMessage(errorCode) ?? errorName(errorCode))
    io.stdout.write(`Broker ${brokerId} is no longer registered.\n`)
  },
}

/** Long names of the options that take a value. */
const VALUE_OPTIONS: Readonly<Record<string, string>> = {
  '-b': '--bootstrap-server',
  '-C': '--bootstrap-controller',
  '-c': '--command-config',
  '-i': '--id',
  '--config': '--command-config',
}
const LONG_NAMES: ReadonlySet<string> = new Set([...Object.values(VALUE_OPTIONS)])

function parseArguments(args: readonly string[]): ClusterArguments {
  const [action, ...rest] = args
  if (action === undefined) throw new ArgumentError('too few arguments')
  if (!Object.hasOwn(ACTIONS, action)) {
    throw new ArgumentError(`invalid choice: '${action}' (choose from 'cluster-id', 'unregister', 'list-endpoints')`)
  }
  const { values, includesFenced } = optionValues(rest)
  const bootstrapServers = values.get('--bootstrap-server')
  if (values.has('--bootstrap-controller')) throw new ArgumentError('--bootstrap-controller is not supported; name a broker with -b')
  if (bootstrapServers === undefined)
    throw new ArgumentError('one of the arguments -b/--bootstrap-server -C/--bootstrap-controller is required')
  const id = values.get('--id')
  if (action === 'unregister' && (id === undefined || !/^\d+$/.test(id))) throw new ArgumentError('argument -i/--id is required')
  return {
    action: action as ClusterArguments['action'],
    bootstrapServers,
    commandConfig: values.get('--command-config'),
    brokerId: Number(id ?? -1),
    includesFenced,
  }
}

function optionValues(args: readonly string[]): {
  values: Map<string, string>
  includesFenced: boolean
} {
  const values = new Map<string, string>()
  let includesFenced = false
  for (let at = 0; at < args.length; at++) {
    const [word = '', ...inline] = (args[at] ?? '').split('=')
    const name = VALUE_OPTIONS[word] ?? word
    if (name === '--include-fenced-brokers') includesFenced = true
    else if (!LONG_NAMES.has(name)) throw new ArgumentError(`unrecognized arguments: '${word}'`)
    else {
      const value = inline.length > 0 ? inline.join('=') : args[++at]
      if (value === undefined) throw new ArgumentError(`argument ${name}: expected one argument`)
      values.set(name, value)
    }
  }
  return { values, includesFenced }
}
