/** @module connect/stores/offset-store — positions of source connectors in the offset topic: read here, written by the tasks themselves. */
import { openBackingLog, type StoreOptions } from './backing-log.ts'
import { Complaints } from './complaints.ts'
import { partitionKeyOf, readOffsetRecord } from './offset-records.ts'
import { OffsetTable } from './offset-table.ts'
import type { ReadRecord } from './stored-record.ts'
import type { OffsetStore } from './types.ts'

/** Opens the store; resolves when the topic has been read to its end. @throws StorageTopicError for a topic that cannot be used */
export async function openOffsetStore(options: StoreOptions): Promise<OffsetStore> {
  const topic = options.config.storage.offset
  const table = new OffsetTable()
  const complaints = new Complaints(topic.name, options.logger)
  const onRecord = (record: ReadRecord): void => {
    const read = readOffsetRecord(record.key, record.value)
    if (read.kind === 'garbage') complaints.add(record, read.why)
    else if (read.kind === 'record') table.apply(read.record, record)
  }
  const log = await openBackingLog({ ...options, topic, onRecord })
  return {
    read: async (connector, partitions, signal) => {
      await log.readToEnd(signal)
      return partitions.map((partition) => table.find(connector, partitionKeyOf(partition)))
    },
    all: async (connector, signal) => {
      await log.readToEnd(signal)
      return table.all(connector)
    },
    close: () => log.close(),
  }
}
