/**
 * @module connector-s3/memory — many open objects in a bounded memory.
 *
 * First compressors are waited for, then what makes a part is sent early and parts under way are waited for; when all that is left are
 * bytes that no part can be made of, the partition with the most of them ends its objects.
 */
import { s3Limits } from './limits.ts'
import type { PartitionWriter } from './partition-writer.ts'
import type { Upload } from './upload.ts'

/** Brings what the writers hold below `bytesMax`, or ends generations until it will be, once they are finished. Never rejects for the store's sake. */
export async function relieve(writers: readonly PartitionWriter[], bytesMax: number): Promise<void> {
  for (const { open } of writers) await open?.relax(s3Limits.compressingBytesMax)
  if (sumOf(writers) <= bytesMax) return
  for (const { open } of writers) await open?.relax(0)
  await ship(writers, bytesMax)
  for (;;) {
    const excessBytes = sumOf(writers) - endedBytes(writers) - bytesMax
    if (excessBytes <= 0) return
    const largest = writers.reduce<PartitionWriter | null>((best, writer) => (openBytes(writer) > openBytes(best) ? writer : best), null)
    if (largest === null) return
    largest.end('memory')
  }
}

/** Sends parts early, the largest first, until enough has gone or nothing more can go. */
async function ship(writers: readonly PartitionWriter[], bytesMax: number): Promise<void> {
  const uploads = writers.flatMap(({ open }) => open?.uploads ?? []).sort((a, b) => b.pendingBytes - a.pendingBytes)
  for (const upload of uploads) {
    if (sumOf(writers) <= bytesMax) return
    if (upload.pendingBytes >= s3Limits.partBytesMin && !upload.isFull) upload.ship()
    while (sumOf(writers) > bytesMax && isMoving(uploads))
      await Promise.race(uploads.filter(({ isSending }) => isSending).map((sent) => sent.progress()))
  }
}

function isMoving(uploads: readonly Upload[]): boolean {
  return uploads.some(({ isSending }) => isSending)
}

function openBytes(writer: PartitionWriter | null): number {
  return writer?.open?.bufferedBytes ?? 0
}

function sumOf(writers: readonly PartitionWriter[]): number {
  return writers.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0)
}

function endedBytes(writers: readonly PartitionWriter[]): number {
  return writers.reduce((sum, { ended }) => sum + ended.reduce((part, { bufferedBytes }) => part + bufferedBytes, 0), 0)
}
