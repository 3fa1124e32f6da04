/** @module cli/configs-options — the options of `millrace configs`, and what they are about (Kafka's ConfigCommandOptions). */
import { CommandError, commonOptions, verboseOption } from './command.ts'
import type { OptionTable, ParsedOptions } from './options.ts'

/** Options of `millrace configs`. */
export const configsOptions = {
  ...commonOptions,
  ...verboseOption,
  'bootstrap-server': { argument: 'required', argumentName: 'server to connect to', help: 'The Kafka servers to connect to.' },
  'bootstrap-controller': {
    argument: 'required',
    argumentName: 'controller to connect to',
    help: 'Not supported: connect to a broker, which passes on what is for the controller.',
  },
  'command-config': {
    argument: 'required',
    argumentName: 'command config property file',
    help: 'Properties file with settings of the client.',
  },
  alter: { help: 'Change settings.' },
  describe: { help: 'Show settings: those that were changed, or with --all every one.' },
  all: { help: 'With --describe: also settings that have their defaults.' },
  'entity-type': { argument: 'required', help: 'topics, brokers, groups, client-metrics or broker-loggers.' },
  'entity-name': { argument: 'required', help: 'Name of the topic or group, or id of the broker.' },
  'entity-default': { help: 'What holds for all brokers that have nothing else set.' },
  'add-config': { argument: 'required', help: 'Settings to set: k1=v1,k2=[v1,v2]; square brackets hold values with commas.' },
  'add-config-file': { argument: 'required', help: 'Properties file with settings to set.' },
  'delete-config': { argument: 'required', help: 'Settings to take back: k1,k2.' },
  topic: { argument: 'required', help: 'The topic.' },
  client: { argument: 'required', help: 'Not supported: quotas.' },
  'client-defaults': { help: 'Not supported: quotas.' },
  user: { argument: 'required', help: 'Not supported: quotas and credentials.' },
  'user-defaults': { help: 'Not supported: quotas.' },
  broker: { argument: 'required', help: 'The broker, by id.' },
  'broker-defaults': { help: 'What holds for all brokers that have nothing else set.' },
  'broker-logger': { argument: 'required', help: 'The broker whose log levels are meant, by id.' },
  ip: { argument: 'required', help: 'Not supported: quotas.' },
  'ip-defaults': { help: 'Not supported: quotas.' },
  'client-metrics': { argument: 'required', help: 'The client metrics subscription.' },
  group: { argument: 'required', help: 'The group.' },
} as const satisfies OptionTable

/** What was given to `millrace configs`. */
export type ConfigsOptions = ParsedOptions<typeof configsOptions>

/** Kinds of what has settings, by their names on the command line, with the client's. */
const ENTITY_TYPES = {
  topics: 'topic',
  brokers: 'broker',
  'client-metrics': 'client-metrics',
  groups: 'group',
  'broker-loggers': 'broker-logger',
} as const

/** Quotas and credentials, which have APIs of their own. */
const UNSUPPORTED_TYPES: readonly string[] = ['clients', 'users', 'ips']
const ALL_TYPES = ['topics', 'clients', 'users', 'brokers', 'ips', 'client-metrics', 'groups', 'broker-loggers']

/** What has settings. `name` undefined: all of that kind; empty: the default of all brokers. */
export interface ConfigEntity {
  readonly type: (typeof ENTITY_TYPES)[keyof typeof ENTITY_TYPES]
  readonly name: string | undefined
}

const SHORT_FORMS = [
  ['topic', 'topics'],
  ['broker', 'brokers'],
  ['broker-logger', 'broker-loggers'],
  ['client-metrics', 'client-metrics'],
  ['group', 'groups'],
  ['client', 'clients'],
  ['user', 'users'],
  ['ip', 'ips'],
] as const
const DEFAULT_FORMS = [
  ['broker-defaults', 'brokers'],
  ['client-defaults', 'clients'],
  ['user-defaults', 'users'],
  ['ip-defaults', 'ips'],
] as const

/** Checks the options, and says what they are about. @throws CommandError */
export function configEntity(options: ConfigsOptions): ConfigEntity {
  if (options.has('alter') === options.has('describe'))
    throw new CommandError('Command must include exactly one action: --describe, --alter')
  if (options.has('bootstrap-controller')) {
    throw new CommandError('--bootstrap-controller is not supported; name a broker with --bootstrap-server')
  }
  if (!options.has('bootstrap-server'))
    throw new CommandError('One of the required --bootstrap-server or --bootstrap-controller arguments must be specified')
  const entities: { typeName: string; name: string | undefined }[] = [
    ...options.texts('entity-type').map((typeName) => ({
      typeName,
      name: options.text('entity-name') ?? (options.has('entity-default') ? '' : undefined),
    })),
    ...SHORT_FORMS.filter(([option]) => options.has(option)).map(([option, typeName]) => ({ typeName, name: options.text(option) })),
    ...DEFAULT_FORMS.filter(([option]) => options.has(option)).map(([, typeName]) => ({ typeName, name: '' })),
  ]
  const [entity] = entities
  if (entity === undefined) throw new CommandError('At least one entity type must be specified')
  const { typeName, name } = entity
  if (!ALL_TYPES.includes(typeName)) {
    throw new CommandError(
      `Invalid entity type ${typeName}, the entity type must be one of ${ALL_TYPES.join(', ')} with a --bootstrap-server or --bootstrap-controller argument`,
    )
  }
  if (UNSUPPORTED_TYPES.includes(typeName)) throw new CommandError(`${typeName}: this version shows and changes no quotas and credentials`)
  if (entities.length > 1) throw new CommandError('Only one entity may be specified')
  if (options.has('alter')) checkAlter(options, typeName, name)
  return { type: ENTITY_TYPES[typeName as keyof typeof ENTITY_TYPES], name }
}

function checkAlter(options: ConfigsOptions, typeName: string, name: string | undefined): void {
  if (!options.has('add-config') && !options.has('add-config-file') && !options.has('delete-config')) {
    throw new CommandError('At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter')
  }
  if (options.has('add-config') && options.has('add-config-file')) {
    throw new CommandError('Only one of --add-config or --add-config-file must be specified')
  }
  if (name === undefined || (name === '' && typeName !== 'brokers')) {
    throw new CommandError(`an entity name must be specified with --alter of ${typeName}`)
  }
}
