/**
 * @module log/swap — puts a compacted segment in the place of those that it was made of, so that a crash at any moment leaves either.
 *
 * ```
 * B.log.cleaned, B.txnindex.cleaned   written and synced             crash: removed at the next start, the old segments stand
 * B.log.swap                          renamed: the decision          crash: the next start goes on from here
 * old files → *.deleted
 * B.txnindex.swap → B.txnindex, then B.log.swap → B.log
 * ```
 * The index of aborted transactions is always there, empty or not: else nobody could tell an old one from the new. Offset and time index are
 * made anew. The suffixes are Kafka's (LogFileUtils, UnifiedLog.replaceSegments), so that either finishes what the other began.
 */
import type { Disk } from '../io/index.ts'
import { BATCH_HEADER_BYTES, batchHeader } from '../wire/index.ts'
import { parseSegmentFile, SEGMENT_SUFFIXES, segmentFile } from './file-names.ts'
import { isMissing } from './log-error.ts'

export const CLEANED = '.cleaned'
const SWAP = '.swap'
const DELETED = '.deleted'

/** Decides for the new segment at `baseOffset`; its `.cleaned` files are synced. */
export async function decideSwap(directory: string, baseOffset: number, disk: Disk): Promise<void> {
  for (const suffix of ['.log', '.txnindex'] as const) {
    const path = `${directory}/${segmentFile(baseOffset, suffix)}`
    await disk.rename(path + CLEANED, path + SWAP)
  }
  await disk.syncDirectory(directory)
}

/** Renames the files of segments that were replaced; resolves with the paths to remove. */
export async function markDeleted(directory: string, baseOffset: number, disk: Disk): Promise<string[]> {
  const marked: string[] = []
  for (const suffix of SEGMENT_SUFFIXES) {
    const path = `${directory}/${segmentFile(baseOffset, suffix)}`
    try {
      await disk.rename(path, path + DELETED)
      marked.push(path + DELETED)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return marked
}

/** The last step: the new files get their names. */
export async function finishSwap(directory: string, baseOffset: number, disk: Disk): Promise<void> {
  // Durable before the new names: old files that came back beside them would be taken for the log's.
  await disk.syncDirectory(directory)
  for (const suffix of ['.txnindex', '.log'] as const) {
    const path = `${directory}/${segmentFile(baseOffset, suffix)}`
    await disk.rename(path + SWAP, path)
  }
  await disk.syncDirectory(directory)
}

/** Goes on, at a start, with every swap that was decided. */
export async function resumeSwaps(directory: string, disk: Disk): Promise<void> {
  const names = await disk.list(directory)
  const offsets = (suffix: string): number[] =>
    names.flatMap((name) => (name.endsWith(suffix) ? [parseSegmentFile(name)?.offset ?? -1] : [])).filter((offset) => offset >= 0)
  for (const baseOffset of offsets(`.log${SWAP}`)) await resumeSwap(directory, baseOffset, names, disk)
  // Kafka's last steps: the segment has its name already, an index does not.
  for (const baseOffset of offsets(`.txnindex${SWAP}`)) {
    const path = `${directory}/${segmentFile(baseOffset, '.txnindex')}`
    if ((await disk.facts(path + SWAP)) !== undefined) await disk.rename(path + SWAP, path)
  }
  for (const suffix of ['.index', '.timeindex'])
    for (const baseOffset of offsets(suffix + SWAP)) await disk.remove(`${directory}/${segmentFile(baseOffset, suffix as '.index')}${SWAP}`)
}

async function resumeSwap(directory: string, baseOffset: number, names: readonly string[], disk: Disk): Promise<void> {
  const swapPath = `${directory}/${segmentFile(baseOffset, '.log')}${SWAP}`
  const endOffset = await endOf(swapPath, disk)
  const aborted = `${directory}/${segmentFile(baseOffset, '.txnindex')}`
  const source = [SWAP, CLEANED].map((mark) => aborted + mark).find((path) => names.includes(path.slice(directory.length + 1)))
  for (const name of names) {
    const file = parseSegmentFile(name)
    if (file === undefined || file.marked || file.suffix === '.snapshot') continue
    const isReplaced = file.offset >= baseOffset && (file.offset < endOffset || file.offset === baseOffset)
    // Without a source the new index has its name already.
    const isNewIndex = file.suffix === '.txnindex' && file.offset === baseOffset && source === undefined
    if (isReplaced && !isNewIndex) await disk.remove(`${directory}/${name}`)
  }
  await disk.syncDirectory(directory)
  if (source !== undefined) await disk.rename(source, aborted)
  await disk.rename(swapPath, swapPath.slice(0, -SWAP.length))
  await disk.syncDirectory(directory)
}

/** Offset behind the last whole batch of a segment file. */
async function endOf(path: string, disk: Disk): Promise<number> {
  const file = await disk.open(path, 'read')
  try {
    const sizeBytes = await file.sizeBytes()
    const header = Buffer.alloc(BATCH_HEADER_BYTES)
    let endOffset = 0
    for (let position = 0; position + BATCH_HEADER_BYTES <= sizeBytes; position += batchHeader.sizeBytes(header, 0)) {
      await file.read(header, position)
      if (batchHeader.sizeBytes(header, 0) < BATCH_HEADER_BYTES) break
      endOffset = batchHeader.lastOffset(header, 0) + 1
    }
    return endOffset
  } finally {
    await file.close()
  }
}
