/**
 * @module group/load — replays a partition of `__consumer_offsets` into groups and offsets.
 */
import type { GroupMetadata } from './machine.ts'
import { decodeConsumerRecord } from './next/index.ts'
import type { ConsumerGroups } from './next/index.ts'
import type { OffsetStore } from './offsets.ts'
import { decodeRecord } from './records.ts'
import type { OffsetsPartition } from './types.ts'

/** What a partition holds besides offsets. */
export interface LoadedGroups {
  /** The last record of each classic group. */
  readonly groups: ReadonlyMap<string, GroupMetadata>
  /** Groups of other protocols: their records and offsets are left as they are, and never expire here. */
  readonly keptAsideGroupIds: ReadonlySet<string>
  /** Groups that a record speaks of, an offset's too, and no tombstone of a group behind it. */
  readonly groupIdsInLog: Set<string>
  /** Records that were passed over, by what they are. */
  readonly passedOver: ReadonlyMap<string, number>
}

/** The key whose live record says that a group of another protocol exists. */
const foreignGroupKeys: ReadonlySet<string> = new Set(['ShareGroupMetadataKey', 'StreamsGroupMetadataKey'])

/**
 * Reads the partition from its start, the last record of a key winning. Offsets go into the store, those of a transaction as pending until
 * its marker; consumer groups go to `next`. Throws DecodeError for a malformed record or a value of a newer version: better no coordinator
 * than one that forgets offsets.
 */
export async function loadPartition(partition: OffsetsPartition, offsets: OffsetStore, next: ConsumerGroups): Promise<LoadedGroups> {
  const groups = new Map<string, GroupMetadata>()
  const keptAside = new Set<string>()
  const inLog = new Set<string>()
  const passedOver = new Map<string, number>()
  const passOver = (what: string): void => void passedOver.set(what, (passedOver.get(what) ?? 0) + 1)
  for await (const records of partition.load()) {
    for (const loaded of records) {
      if (loaded.kind === 'marker') {
        offsets.completeTransaction(loaded.producerId, loaded.isCommit)
        continue
      }
      const { key, value } = loaded
      if (key === null) {
        passOver('record without key')
        continue
      }
      const record = decodeRecord(key, value)
      switch (record.kind) {
        case 'offset':
          offsets.load(record.key, record.value, loaded.producerId)
          if (record.value !== null) inLog.add(record.key.groupId)
          break
        case 'group':
          if (record.value === null) {
            inLog.delete(record.groupId)
            groups.delete(record.groupId)
          } else {
            inLog.add(record.groupId)
            groups.set(record.groupId, record.value)
          }
          break
        case 'consumer': {
          const consumerRecord = decodeConsumerRecord(record.key, value)
          if (consumerRecord === undefined) break
          next.replay(record.groupId, consumerRecord)
          if (consumerRecord.type === 'group' && consumerRecord.value === null) inLog.delete(record.groupId)
          break
        }
        case 'foreign':
          passOver(record.name)
          if (!foreignGroupKeys.has(record.name)) break
          if (record.tombstone) keptAside.delete(record.groupId)
          else keptAside.add(record.groupId)
          break
        case 'unknown':
          passOver(`key type ${record.keyType}`)
      }
    }
  }
  return { groups, keptAsideGroupIds: keptAside, groupIdsInLog: inLog, passedOver }
}
