/** @module cli/delete-records — `millrace delete-records`: deletes records before offsets that a file names, as kafka-delete-records.sh does. */
import type { RecordsToDelete } from '../client/index.ts'
import { withAdmin } from './admin-session.ts'
import { type Command, CommandError, commonOptions, defineCommand, verboseOption } from './command.ts'
import { readNamedFile } from './command-config.ts'
import { javaText, plainMessage } from './error-text.ts'
import { requireOptions } from './option-rules.ts'
import type { OptionTable } from './options.ts'
import { byPartition } from './topic-partitions.ts'

/** Options of `millrace delete-records`. */
export const deleteRecordsOptions = {
  ...commonOptions,
  ...verboseOption,
  'bootstrap-server': {
    argument: 'required',
    argumentName: 'server(s) to use for bootstrapping',
    isRequired: true,
    help: 'The servers to connect to.',
  },
  'offset-json-file': {
    argument: 'required',
    argumentName: 'Offset json file path',
    isRequired: true,
    help: 'JSON file: {"partitions": [{"topic": "foo", "partition": 1, "offset": 1}], "version": 1}. Offset -1 is the end.',
  },
  'command-config': {
    argument: 'required',
    argumentName: 'command config property file path',
    help: 'Properties file with settings of the client.',
  },
} as const satisfies OptionTable

/** `millrace delete-records` */
export const deleteRecords: Command = defineCommand({
  name: 'delete-records',
  summary: 'This tool helps to delete records of the given partitions down to the specified offset.',
  options: deleteRecordsOptions,
  reportFailure(error, io) {
    io.stderr.write(`${plainMessage(error)}\n`)
    return 1
  },
  async run(options, io) {
    requireOptions(options, 'bootstrap-server', 'offset-json-file')
    const list = parseDeletions(await readNamedFile(options.text('offset-json-file') ?? ''))
    const session = { bootstrapServers: options.text('bootstrap-server') ?? '', commandConfig: options.text('command-config') }
    await withAdmin(session, io, async (admin) => {
      io.stdout.write('Executing records delete operation\n')
      const results = [...(await admin.deleteRecords(list, io.signal))].sort(byPartition)
      const lines = results.map(({ topic, partition, lowWatermark, error }) => {
        const outcome = error === null ? `low_watermark: ${lowWatermark}` : `error: ${javaText(error)}`
        return `partition: ${topic}-${partition}\t${outcome}\n`
      })
      io.stdout.write(`Records delete operation completed:\n${lines.join('')}`)
    })
    return 0
  },
})

/** Reads the file's JSON. @throws CommandError for text that is none, lacks a field, or names a partition twice */
export function parseDeletions(text: string): readonly RecordsToDelete[] {
  const document = jsonOf(text) as {
    readonly partitions?: unknown
    readonly version?: unknown
  } | null
  const partitions = typeof document === 'object' ? document?.partitions : undefined
  if (!Array.isArray(partitions)) throw new CommandError('Missing partitions field')
  if (document?.version !== undefined && document.version !== 1)
    throw new CommandError(`Not supported version field value ${JSON.stringify(document.version)}`)
  const seen = new Set<string>()
  return partitions.map((entry: unknown) => {
    const { topic, partition, offset } = (entry ?? {}) as Record<string, unknown>
    if (typeof topic !== 'string' || !isWhole(partition) || !isWhole(offset)) {
      throw new CommandError(`${JSON.stringify(entry)} is not {"topic": text, "partition": number, "offset": number}`)
    }
    const key = `${topic}-${partition}`
    if (seen.has(key)) throw new CommandError(`Offset json file contains duplicate topic partitions: ${key}`)
    seen.add(key)
    return { topic, partition, beforeOffset: offset }
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CommandError('The input string is not a valid JSON', 1, { cause })
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
