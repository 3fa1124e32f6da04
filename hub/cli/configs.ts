/** @module cli/configs — `millrace configs`: settings of topics, brokers and groups, as kafka-configs.sh shows and changes them. */
import type { Admin, ConfigChange, ConfigEntry, ConfigSourceName } from '../client/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, type CommandIo, defineCommand } from './command.ts'
import { loadProperties } from './command-config.ts'
import { type ConfigEntity, type ConfigsOptions, configEntity, configsOptions } from './configs-options.ts'
import { plainMessage } from './error-text.ts'

/** `millrace configs` */
export const configs: Command = defineCommand({
  name: 'configs',
  summary: 'This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or group',
  options: configsOptions,
  wordParseError: (message) => new CommandError(message),
  reportFailure(error, io, args) {
    io.stderr.write(`Error while executing config command with args '${args.join(' ')}'\n${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    const entity = configEntity(options)
    const session = { bootstrapServers: options.text('bootstrap-server') ?? '', commandConfig: options.text('command-config') }
    await withAdmin(session, io, (admin) =>
      options.has('alter') ? alter(admin, entity, options, io) : describe(admin, entity, options, io),
    )
    return 0
  },
})

/** `topic t`, or `brokers in the cluster` for their default. */
function entityText({ type, name }: ConfigEntity): string {
  if (name === '') return `${type}s in the cluster`
  return `${type} ${name}`
}

async function alter(admin: Admin, entity: ConfigEntity, options: ConfigsOptions, io: CommandIo): Promise<void> {
  const changes = await changesOf(options)
  const results = await admin.incrementalAlterConfigs([{ type: entity.type, name: entity.name ?? '', changes }], {}, io.signal)
  for (const { error } of results) if (error !== null) throw error
  io.stdout.write(`Completed updating ${entity.name === '' ? 'default ' : ''}config for ${entityText(entity)}.\n`)
}

async function changesOf(options: ConfigsOptions): Promise<ConfigChange[]> {
  const additions = new Map([...(await loadProperties(options.text('add-config-file'))), ...bracketPairs(options.texts('add-config'))])
  const deletions = options.texts('delete-config').flatMap((text) => text.split(',').map((name) => name.trim()))
  return [
    ...[...additions].map(([name, value]): ConfigChange => ({ name, operation: 'set', value })),
    ...deletions.map((name): ConfigChange => ({ name, operation: 'delete' })),
  ]
}

/** `k1=v1,k2=[v1,v2]`: commas within square brackets belong to the value. @throws CommandError */
export function bracketPairs(texts: readonly string[]): Map<string, string> {
  const pairs = texts.flatMap((text) => text.split(/,(?=[^\]]*(?:\[|$))/)).filter((pair) => pair.trim() !== '')
  return new Map(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=')
      if (at <= 0)
        throw new CommandError('Invalid entity config: all configs to be added must be in the format "key=val" or "key=[val1,val2]"')
      return [
        pair.slice(0, at).trim(),
        pair
          .slice(at + 1)
          .trim()
          .replace(/^\[|\]$/g, ''),
      ]
    }),
  )
}

/** Where a setting comes from that was changed at the entity itself. */
const OWN_SOURCE: Readonly<Record<ConfigEntity['type'], ConfigSourceName>> = {
  topic: 'DYNAMIC_TOPIC_CONFIG',
  broker: 'DYNAMIC_BROKER_CONFIG',
  'broker-logger': 'DYNAMIC_BROKER_LOGGER_CONFIG',
  'client-metrics': 'CLIENT_METRICS_CONFIG',
  group: 'GROUP_CONFIG',
}

async function describe(admin: Admin, entity: ConfigEntity, options: ConfigsOptions, io: CommandIo): Promise<void> {
  const topics = entity.type === 'topic' ? await admin.listTopics({ includeInternal: true }, io.signal) : []
  if (entity.type === 'topic' && entity.name !== undefined && !topics.some(({ name }) => name === entity.name)) {
    io.stdout.write(`The topic '${entity.name}' doesn't exist and doesn't have dynamic config.\n`)
    return
  }
  for (const name of entity.name === undefined ? await allNames(admin, entity, topics, io) : [entity.name]) {
    await describeOne(admin, { type: entity.type, name }, options.has('all'), io)
  }
}

async function allNames(
  admin: Admin,
  { type }: ConfigEntity,
  topics: readonly { readonly name: string }[],
  io: CommandIo,
): Promise<string[]> {
  switch (type) {
    case 'topic':
      return topics.map(({ name }) => name)
    case 'broker':
    case 'broker-logger': {
      const ids = (await admin.describeCluster({}, io.signal)).brokers.map(({ nodeId }) => String(nodeId))
      return type === 'broker' ? [...ids, ''] : ids
    }
    case 'group':
      return (await admin.listGroups({}, io.signal)).map(({ groupId }) => groupId)
    case 'client-metrics':
      throw new CommandError('name the client metrics subscription with --entity-name')
  }
}

async function describeOne(
  admin: Admin,
  entity: ConfigEntity & { readonly name: string },
  showsAll: boolean,
  io: CommandIo,
): Promise<void> {
  const { type, name } = entity
  const [described] = await admin.describeConfigs([{ type, name }], { includeSynonyms: true }, io.signal)
  if (described?.error) throw described.error
  const source = type === 'broker' && name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : OWN_SOURCE[type]
  const entries = [...(described?.entries ?? [])].filter((entry) => showsAll || entry.source === source)
  entries.sort((one, other) => (one.name < other.name ? -1 : 1))
  const what = showsAll ? 'All' : name === '' ? 'Default' : 'Dynamic'
  io.stdout.write(`${what} configs for ${entityText(entity)} are:\n${entries.map(entryLine).join('')}`)
}

/** Sources whose names Kafka's admin client lengthens. */
const LONG_SOURCES: Readonly<Partial<Record<ConfigSourceName, string>>> = {
  CLIENT_METRICS_CONFIG: 'DYNAMIC_CLIENT_METRICS_CONFIG',
  GROUP_CONFIG: 'DYNAMIC_GROUP_CONFIG',
}

function entryLine({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const list = synonyms.map((one) => `${LONG_SOURCES[one.source] ?? one.source}:${one.name}=${one.value}`).join(', ')
  return `  ${name}=${value} sensitive=${isSensitive} synonyms={${list}}\n`
}
