/** @module test/e2e/history-faults — what is done to a real hub: killed, held still, its disk filled, its last write torn. */
import { execFile } from 'node:child_process'
import { appendFile, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Random } from '../../hub/io/index.ts'
import { BATCH_HEADER_BYTES, batchHeader } from '../../hub/wire/index.ts'
import type { History } from '../sim/history.ts'

const run = promisify(execFile)

/** A folder on a device of its own where the system lets us mount one, else in the temporary folder of the system. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  /** Whether it can be filled without harm to others. */
  readonly isOwn: boolean
}

export async function mountSmallDisk(sizeMb: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-history-'))
  const isOwn = await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', folder]).then(
    () => true,
    () => false,
  )
  return {
    folder,
    isOwn,
    [Symbol.asyncDispose]: async () => {
      if (isOwn) await run('umount', [folder])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Writes a file until the device has no byte left. */
export async function fillDisk(path: string): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const block of [Buffer.alloc(1 << 20, 1), Buffer.alloc(1 << 10, 1)]) {
      await (async () => {
        for (;;) await file.write(block)
      })().catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error
      })
    }
  } finally {
    await file.close()
  }
}

/**
 * Does to the active segment of one partition of a hub that is dead what a power cut may do: cuts bytes off that nobody can have been told of, or
 * garbles them, or leaves the beginning of a write that never came to its end. Says what it did.
 */
export async function tearTail(directory: string, topics: readonly string[], history: History, random: Random): Promise<string> {
  const names = (await readdir(directory)).filter((name) => topics.some((topic) => name.startsWith(`${topic}-`)))
  const name = names[Math.floor(random.float() * names.length)] ?? ''
  const segment = (await readdir(join(directory, name)))
    .filter((file) => file.endsWith('.log'))
    .toSorted()
    .at(-1)
  if (segment === undefined) return `${name} has no segment`
  const path = join(directory, name, segment)
  const bytes = await readFile(path)
  const known = Math.max(toldOffset(history, name), await checkpointOf(directory, name))
  const from = tailOf(bytes, known)
  if (from < bytes.length && random.float() < 0.5) {
    const at = from + Math.floor(random.float() * (bytes.length - from))
    if (random.float() < 0.5) {
      await truncate(path, at)
      return `cut ${bytes.length - at} bytes off ${name}/${segment}`
    }
    bytes.fill(random.float() < 0.5 ? 0 : 0xa5, at)
    await writeFile(path, bytes)
    return `garbled the last ${bytes.length - at} bytes of ${name}/${segment}`
  }
  // Less than a batch: of a whole one somebody may have been told.
  const firstBytes = bytes.length < BATCH_HEADER_BYTES ? 0 : Math.min(batchHeader.sizeBytes(bytes, 0), bytes.length) - 1
  const torn = firstBytes > 0 ? bytes.subarray(0, 1 + Math.floor(random.float() * firstBytes)) : Buffer.alloc(40)
  await appendFile(path, torn)
  return `left ${torn.length} bytes of a torn write at the end of ${name}/${segment}`
}

/** The offset behind the last one of the partition that anybody was told. */
function toldOffset(history: History, partition: string): number {
  let told = 0
  for (const { action } of history) {
    if (action.f === 'send' && action.partition === partition) told = Math.max(told, (action.offset ?? -1) + 1)
    if (action.f !== 'poll') continue
    for (const record of action.records) if (record.partition === partition) told = Math.max(told, record.offset + 1)
  }
  return told
}

/** The recovery point and the high watermark as the hub wrote them down last, whichever is higher: what lies below was synced. */
async function checkpointOf(directory: string, partition: string): Promise<number> {
  let highest = 0
  for (const file of ['recovery-point-offset-checkpoint', 'replication-offset-checkpoint']) {
    const text = await readFile(join(directory, file), 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const [topic, number, offset] = line.split(' ')
      if (`${topic}-${number}` === partition) highest = Math.max(highest, Number(offset))
    }
  }
  return highest
}

/** Where the batches begin that lie wholly beyond `known`, and beyond the last marker: a marker may be synced though nobody was told. */
function tailOf(bytes: Buffer, known: number): number {
  let from = 0
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
    const sizeBytes = batchHeader.sizeBytes(bytes, at)
    if (sizeBytes <= 0 || at + sizeBytes > bytes.length) break
    if (batchHeader.baseOffset(bytes, at) < known || batchHeader.isControl(bytes, at)) from = at + sizeBytes
    at += sizeBytes
  }
  return from
}
