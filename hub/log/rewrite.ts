/** @module log/rewrite — makes sure of bytes that an earlier process wrote and may not have synced. */
import type { DiskFile } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { asError, isNoSpace } from './log-error.ts'
import type { Segment } from './segment.ts'

/**
 * Writes the bytes of an open segment from `position` to its end again in place, and syncs them. After a crash nobody knows whether the device
 * has them: they may never have been synced, or a sync failed and Linux counts the pages as clean all the same (then another sync does
 * nothing). Bytes that are written again are dirty again, so this sync can be believed. Rejects with what the disk says, or with
 * CorruptLogError when the file became shorter meanwhile.
 */
export async function secureFrom(segment: Segment, position: number, chunkBytes: number, logger: Logger): Promise<void> {
  const { open } = segment
  if (open === undefined) throw new Error(`${segment.path} is not open`)
  try {
    await rewrite(segment, open.file, position, chunkBytes)
  } catch (error) {
    if (!isNoSpace(error)) throw error
    // A full disk must not keep a log from being opened; only file systems that never write in place come here.
    logger.warn({ path: segment.path, error: asError(error).message }, 'the end of a log is synced without being written again')
  }
  await open.file.sync()
}

async function rewrite(segment: Segment, file: DiskFile, position: number, chunkBytes: number): Promise<void> {
  const { sizeBytes } = segment
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, sizeBytes - position))
  for (let at = position; at < sizeBytes; at += buffer.length) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, sizeBytes - at))
    const readBytes = await file.read(bytes, at)
    if (readBytes < bytes.length) throw segment.corrupt(at + readBytes, 'the file became shorter while it was read')
    await file.write([bytes], at)
  }
}
