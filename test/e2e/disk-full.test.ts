/**
 * @module test/e2e/disk-full — a device that really fills up under a running hub: produce waits on a retriable error, reads go on, and when there is space again
 * everything is delivered once. Needs the right to mount a small file system of its own; elsewhere it is skipped and the memory disk's tests stand for it.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, open, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer, createProducer, KafkaError } from '../../hub/client/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'

const run = promisify(execFile)

/** Mounts a file system of `sizeMb` in memory; resolves with its folder, or with why it cannot. */
async function mountSmall(sizeMb: number): Promise<{ folder: string; reason?: undefined } | { reason: string; folder?: undefined }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-full-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', folder])
    return { folder }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    return { reason: `cannot mount a file system: ${(error as Error).message.split('\n')[0]}` }
  }
}

/** Writes a file until the device has no byte left, or `bytesMax` are written. */
async function fill(path: string, bytesMax: number): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(1 << 20, 1)
  try {
    for (let written = 0; written < bytesMax; written += block.length) await file.write(block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    await file.close()
  }
}

describe('a full disk', async () => {
  const mounted = await mountSmall(256)
  const { folder = '' } = mounted
  let hub: HubProcess

  beforeAll(async () => {
    if (mounted.folder !== undefined) hub = await startHubProcess({ directory: join(folder, 'data') })
  })

  afterAll(async () => {
    if (mounted.folder === undefined) return
    await hub.end('SIGTERM')
    await run('umount', [folder])
    await rm(folder, { recursive: true, force: true })
  })

  const value = Buffer.alloc(100_000, 7)
  /** Reads a topic of one partition from its beginning. */
  const count = async (topic: string): Promise<number> => {
    const consumer = createConsumer({ bootstrapServers: hub.bootstrap, offsetReset: 'none' })
    const at = [{ topic, partition: 0 }]
    consumer.assign(at)
    consumer.seekToBeginning()
    const wantedCount = (await consumer.endOffsets(at))[0]?.offset ?? 0
    let seenCount = 0
    while (seenCount < wantedCount) seenCount += (await consumer.poll(1000)).count
    await consumer.close()
    return seenCount
  }

  it.skipIf(mounted.folder === undefined)(
    `refuses produce before the device is full, with an error that clients retry${mounted.reason ? ` (${mounted.reason})` : ''}`,
    async () => {
      const producer = createProducer({ bootstrapServers: hub.bootstrap, deliveryTimeoutMs: 2_500, requestTimeoutMs: 2_000, lingerMs: 0 })
      await producer.send({ topic: 'early', partition: 0, value })
      const filler = join(folder, 'filler')
      await fill(filler, 200 << 20)
      let deliveredCount = 1
      let refusal: unknown
      while (refusal === undefined && deliveredCount < 2000) {
        await producer.send({ topic: 'early', partition: 0, value }).then(
          () => deliveredCount++,
          (error: unknown) => (refusal = error),
        )
      }
      // Given up after retries: the last answer of the broker is the cause.
      const answers = [refusal, (refusal as Error).cause].filter((error) => error instanceof KafkaError)
      expect(answers.map((error) => error.retriable)).toContain(true)
      expect(await count('early')).toBe(deliveredCount)
      await unlink(filler)
      await expect
        .poll(
          () =>
            producer.send({ topic: 'early', partition: 0, value }).then(
              () => true,
              () => false,
            ),
          { timeout: 30_000 },
        )
        .toBe(true)
      await producer.close()
    },
  )

  it.skipIf(mounted.folder === undefined)('delivers everything once after writes have failed for want of space', async () => {
    const producer = createProducer({ bootstrapServers: hub.bootstrap, deliveryTimeoutMs: 60_000, requestTimeoutMs: 5_000, lingerMs: 0 })
    const filler = join(folder, 'filler')
    const deliveries: Promise<unknown>[] = []
    const send = (amount: number): void => {
      for (let index = 0; index < amount; index++)
        deliveries.push(producer.send({ topic: 'late', partition: 0, key: `${deliveries.length}`, value }))
    }
    send(20)
    await Promise.all(deliveries)
    // Filled to the last byte while appends are under way: some writes meet ENOSPC, whatever the watch has seen.
    send(100)
    await fill(filler, 1 << 30)
    send(100)
    expect(await count('early')).toBeGreaterThan(0)
    await unlink(filler)
    await Promise.all(deliveries)
    expect(await count('late')).toBe(220)
    await producer.close()
    expect(hub.stderr()).not.toContain('uncaught')
  })
})
