import { join } from 'node:path'
import { describe } from 'vitest'
import type { ConfigResource } from '../../hub/cluster/index.ts'
import { batchHeader, decodeBatch, decodeMetadataRecord, forEachBatch, ZERO_UUID } from '../../hub/wire/index.ts'
import { type Command, runScenarios } from '../raft/scenario.ts'
import { METADATA_DIRECTORY } from '../raft/world.ts'
import { type ClusterWorld, crashAndOpen, openCluster, topicSpec } from './world.ts'

describe('conversations with the controller', () => {
  runScenarios(join(import.meta.dirname, '../golden/cluster/controller'), () => {
    let world: ClusterWorld | undefined
    let shown = 0
    /** Answers, then the records that came into the log since the last command. */
    return async (command) => {
      const lines: string[] = []
      if (command.name === 'start') world = await openCluster()
      else if (command.name === 'restart') world = await crashAndOpen(world as ClusterWorld)
      else lines.push(...(await execute(world as ClusterWorld, command)).map((answer) => JSON.stringify(answer)))
      const log = await batches(world as ClusterWorld)
      lines.push(...log.slice(shown))
      shown = log.length
      return lines.join('\n')
    }
  })
})

async function execute({ controller }: ClusterWorld, command: Command): Promise<readonly unknown[]> {
  const names = (command.arguments.get('name') ?? '').split(',')
  const real = { validateOnly: false }
  switch (command.name) {
    case 'create': {
      const partitionCount = command.arguments.has('partitions') ? command.number('partitions') : -1
      return controller.createTopics(
        names.map((name) => topicSpec(name, { partitionCount, configs: settings(command, 'configs') })),
        real,
      )
    }
    case 'delete':
      return controller.deleteTopics(names.map((name) => ({ name, topicId: ZERO_UUID })))
    case 'grow':
      return controller.createPartitions([{ name: names[0] as string, count: command.number('count'), assignments: null }], real)
    case 'alter': {
      const operations = (['set', 'append', 'subtract', 'delete'] as const).flatMap((operation) =>
        settings(command, operation).map(({ name, value }) => ({ name, operation, value: operation === 'delete' ? null : value })),
      )
      return controller.incrementalAlterConfigs([{ resource: resourceOf(command), operations }], real)
    }
    case 'replace':
      return controller.replaceConfigs([{ resource: resourceOf(command), entries: settings(command, 'set') }], real)
    case 'ids':
      return [await controller.allocateProducerIds(command.number('count'))]
    default:
      throw new Error(`unknown command ${command.name}`)
  }
}

function resourceOf(command: Command): ConfigResource {
  return { type: command.arguments.get('type') as ConfigResource['type'], name: command.arguments.get('name') as string }
}

function settings(command: Command, argument: string): { name: string; value: string }[] {
  const text = command.arguments.get(argument) ?? ''
  if (text === '') return []
  return text.split(',').map((pair) => {
    const [name = '', value = ''] = pair.split(/:(.*)/s)
    return { name, value }
  })
}

/** Every batch of the log as lines. */
async function batches({ disk }: ClusterWorld): Promise<string[]> {
  const bytes = await disk.readFile(`${METADATA_DIRECTORY}/00000000000000000000.log`)
  const lines: string[] = []
  forEachBatch(bytes, (at) => {
    const { baseOffset, leaderEpoch, records } = decodeBatch(bytes, at)
    if (batchHeader.isControl(bytes, at)) return void lines.push(`  ${baseOffset} in epoch ${leaderEpoch}: LeaderChange`)
    lines.push(`  ${baseOffset} in epoch ${leaderEpoch}: ${records.map(({ value }) => showRecord(value as Buffer)).join('\n      ')}`)
  })
  return lines
}

/** A record without the fields that are empty. */
function showRecord(bytes: Buffer): string {
  const { name, version, value } = decodeMetadataRecord(bytes)
  const isTold = (field: unknown): boolean => field !== null && field !== false && !(Array.isArray(field) && field.length === 0)
  return `${name} v${version} ${JSON.stringify(Object.fromEntries(Object.entries(value).filter(([, field]) => isTold(field))))}`
}
