import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryDisk } from '../../hub/io/index.ts'
import { STATIC_QUORUM } from '../../hub/raft/control-records.ts'
import { MetadataLogError } from '../../hub/raft/index.ts'
import { readSnapshot, snapshotFileName, snapshotsIn, unfinishedSnapshotsIn, writeSnapshot } from '../../hub/raft/snapshot.ts'
import { batchHeader } from '../../hub/wire/index.ts'

const kafkaBytes = readFileSync(join(import.meta.dirname, '../golden/raft/kafka-4.3.1/65-1.checkpoint'))
const id = { endOffset: 65, epoch: 1 }
const path = `/data/${snapshotFileName(id)}`

async function diskWith(bytes: Buffer) {
  const disk = memoryDisk()
  await disk.writeFileAtomic(path, bytes)
  return disk
}

describe('snapshot files', () => {
  it('have Kafka’s names', () => {
    expect(snapshotFileName(id)).toBe('00000000000000000065-0000000001.checkpoint')
    const names = [
      '00000000000000000100-0000000002.checkpoint',
      snapshotFileName(id),
      `${snapshotFileName(id)}.part`,
      '5-1.checkpoint',
      'quorum-state',
    ]
    expect(snapshotsIn(names)).toEqual([id, { endOffset: 100, epoch: 2 }])
    expect(unfinishedSnapshotsIn(names)).toEqual([`${snapshotFileName(id)}.part`])
  })

  it('of Kafka 4.3.1 are read: voters, time, records', async () => {
    const { timestampMs, facts, batches } = await readSnapshot(await diskWith(kafkaBytes), path)
    expect(timestampMs).toBe(1795553454326)
    expect(facts.kraftVersion).toBe(1)
    expect(facts.voters?.map((voter) => [voter.voterId, voter.endpoints[0]?.port])).toEqual([[1, 22493]])
    expect(batches.map((batch) => batch.recordCount)).toEqual([55])
  })

  it('begin byte for byte as Kafka’s and end in a footer', async () => {
    const disk = await diskWith(kafkaBytes)
    const kafka = await readSnapshot(disk, path)
    const records = kafka.batches.flatMap((batch) => batch.records.map(({ value }) => value as Buffer))
    const nowMs = batchHeader.baseTimestampMs(kafkaBytes, 0)
    const content = { offset: 64, epoch: 1, timestampMs: kafka.timestampMs, records }
    const sizeBytes = await writeSnapshot(id, content, { disk, directory: '/data', facts: kafka.facts, nowMs, batchBytes: 1024 })
    const written = await disk.readFile(path)
    expect(sizeBytes).toBe(written.length)
    const headerBytes = batchHeader.sizeBytes(kafkaBytes, 0)
    expect(written.subarray(0, headerBytes).toString('hex')).toBe(kafkaBytes.subarray(0, headerBytes).toString('hex'))
    const again = await readSnapshot(disk, path)
    expect(again.batches.length).toBeGreaterThan(1)
    expect(again.batches.flatMap((batch) => batch.records.map(({ value }) => value?.toString('hex')))).toEqual(
      records.map((value) => value.toString('hex')),
    )
    expect(again.batches[0]?.baseOffset).toBe(3)
  })

  it('without records hold header and footer', async () => {
    const disk = memoryDisk()
    const content = { offset: 64, epoch: 1, timestampMs: 5, records: [] }
    await writeSnapshot(id, content, { disk, directory: '/data', facts: STATIC_QUORUM, nowMs: 9, batchBytes: 1024 })
    expect(await readSnapshot(disk, path)).toEqual({ timestampMs: 5, facts: STATIC_QUORUM, batches: [] })
  })

  it.each([
    ['nothing', kafkaBytes.subarray(0, 0), 'does not begin with a snapshot header'],
    ['no header', kafkaBytes.subarray(batchHeader.sizeBytes(kafkaBytes, 0)), 'does not begin with a snapshot header'],
    ['no footer', kafkaBytes.subarray(0, kafkaBytes.length - 75), 'does not end with a snapshot footer'],
    ['a torn end', kafkaBytes.subarray(0, kafkaBytes.length - 1), 'byte 4221'],
    ['a flipped bit', Buffer.from(kafkaBytes).fill(0x7f, 300, 301), 'byte 166: checksum'],
  ])('with %s are refused, naming file and place', async (_what, bytes, reason) => {
    const reading = readSnapshot(await diskWith(bytes), path)
    await expect(reading).rejects.toThrow(MetadataLogError)
    await expect(reading).rejects.toThrow(`${path}: snapshot is damaged: ${reason}`)
  })

  it('are whole under their name or not there, wherever the power goes', async () => {
    const content = { offset: 64, epoch: 1, timestampMs: 5, records: Array.from({ length: 50 }, () => Buffer.alloc(40, 7)) }
    const options = { directory: '/data', facts: STATIC_QUORUM, nowMs: 9, batchBytes: 256 }
    let operations = 0
    const counting = memoryDisk()
    counting.intercept = () => void operations++
    await writeSnapshot(id, content, { ...options, disk: counting })
    expect(operations).toBeGreaterThan(10)
    for (let stop = 0; stop < operations; stop++) {
      const disk = memoryDisk()
      let done = 0
      disk.intercept = () => {
        if (done++ >= stop) throw new Error('power cut')
      }
      await expect(writeSnapshot(id, content, { ...options, disk })).rejects.toThrow('power cut')
      disk.intercept = undefined
      const after = disk.crash()
      const found = snapshotsIn(await after.list('/data'))
      for (const one of found) await expect(readSnapshot(after, `/data/${snapshotFileName(one)}`)).resolves.toBeDefined()
    }
  })
})
