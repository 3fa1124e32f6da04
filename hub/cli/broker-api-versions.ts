/** @module cli/broker-api-versions — `millrace broker-api-versions`: what each broker speaks, as kafka-broker-api-versions.sh prints it. */
import { ApiVersions, apis, ErrorCode, errorMessage, errorName } from '../wire/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, commonOptions, defineCommand, KAFKA_VERSION, verboseOption } from './command.ts'
import { plainMessage } from './error-text.ts'
import { requireOptions } from './option-rules.ts'
import type { OptionTable } from './options.ts'

/** Options of `millrace broker-api-versions`. */
export const brokerApiVersionsOptions = {
  ...commonOptions,
  ...verboseOption,
  'bootstrap-server': {
    argument: 'required',
    argumentName: 'server(s) to use for bootstrapping',
    isRequired: true,
    help: 'The servers to connect to.',
  },
  'command-config': {
    argument: 'required',
    argumentName: 'command config property file',
    help: 'Properties file with settings of the client.',
  },
} as const satisfies OptionTable

/** `millrace broker-api-versions` */
export const brokerApiVersions: Command = defineCommand({
  name: 'broker-api-versions',
  summary: 'This tool helps to retrieve broker version information.',
  options: brokerApiVersionsOptions,
  wordParseError: (message) => new CommandError(message),
  reportFailure(error, io) {
    io.stderr.write(`${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    requireOptions(options, 'bootstrap-server')
    const session = { bootstrapServers: options.text('bootstrap-server') ?? '', commandConfig: options.text('command-config') }
    await withAdmin(session, io, async (admin) => {
      const { brokers } = await admin.describeCluster({}, io.signal)
      for (const { nodeId, host, port, rack, isFenced } of brokers) {
        const request = { clientSoftwareName: 'millrace', clientSoftwareVersion: KAFKA_VERSION }
        const { errorCode, apiKeys } = await admin.request({ nodeId }, ApiVersions, request, { signal: io.signal })
        if (errorCode !== ErrorCode.NONE) throw new Error(errorMessage(errorCode) ?? errorName(errorCode))
        const lines = versionLines(apiKeys).join(',\n\t')
        io.stdout.write(`${host}:${port}  (id: ${nodeId} rack: ${rack} isFenced: ${isFenced}) -> (\n\t${lines}\n)\n`)
      }
    })
    return 0
  },
})

interface OfferedApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** `Produce(0): 0 to 13 [usable: 13]` for each API, by key: those that the broker offers, and those that only a client of Kafka 4.3 knows. */
export function versionLines(offered: readonly OfferedApi[]): string[] {
  const byKey = new Map(offered.map((api) => [api.apiKey, api]))
  const forClients = [...apis.values()].filter(({ listeners }) => listeners.includes('broker')).map(({ key }) => key)
  const keys = [...new Set([...byKey.keys(), ...forClients])].sort((one, other) => one - other)
  return keys.map((key) => {
    const known = apis.get(key)
    const name = `${known?.name ?? 'UNKNOWN'}(${key})`
    const api = byKey.get(key)
    if (api === undefined) return `${name}: UNSUPPORTED`
    const range = api.minVersion === api.maxVersion ? String(api.minVersion) : `${api.minVersion} to ${api.maxVersion}`
    const usable = Math.min(api.maxVersion, known?.versions.max ?? -1)
    const isUsable = known !== undefined && usable >= Math.max(api.minVersion, known.versions.min)
    return `${name}: ${range} [${known === undefined ? 'unknown' : isUsable ? `usable: ${usable}` : 'unusable'}]`
  })
}
