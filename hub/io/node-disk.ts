/** @module io/node-disk — the file system of this machine. */
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { openNodeFile } from './node-file.ts'
import { lockDirectory } from './node-lock.ts'
import type { Disk, FileFacts } from './ports.ts'

const NOTHING_THERE = new Set<string | undefined>(['ENOENT', 'ENOTDIR'])

/** Files through libuv's thread pool. Writers of one path by `writeFileAtomic` are served in the order of their calls. */
export function nodeDisk(): Disk {
  const lastReplacement = new Map<string, Promise<void>>()
  return {
    open: openNodeFile,
    readFile: (path) => fs.readFile(path),
    writeFileAtomic: (path, content) => {
      // Two writers would share one temporary name; a fixed name is what lets a restart find and reuse a leftover.
      const before = lastReplacement.get(path) ?? Promise.resolve()
      const mine = before.catch(() => {}).then(() => replaceFile(path, content))
      const settled = mine.finally(() => {
        if (lastReplacement.get(path) === settled) lastReplacement.delete(path)
      })
      lastReplacement.set(path, settled)
      return settled
    },
    makeDirectory,
    list: async (path) => (await fs.readdir(path)).sort(),
    facts,
    rename: (from, to) => fs.rename(from, to),
    remove: (path) => fs.rm(path, { recursive: true, force: true }),
    syncDirectory,
    space: async (path) => {
      const { bavail, blocks, bsize } = await fs.statfs(path)
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    },
    lock: lockDirectory,
  }
}

/** Parents first. Not `mkdir` with `recursive`, which never ends where the system answers ENOENT for a directory that is there (/proc). */
async function makeDirectory(path: string): Promise<void> {
  try {
    await fs.mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await facts(path))?.kind === 'directory') return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || (await facts(parent)) !== undefined) throw error
    await makeDirectory(parent)
    await makeDirectory(path)
  }
}

async function replaceFile(path: string, content: Buffer): Promise<void> {
  const temporary = `${path}.tmp`
  const file = await openNodeFile(temporary, 'create')
  try {
    await file.truncate(0)
    await file.write([content], 0)
    await file.sync()
  } catch (error) {
    // On a full disk the leftover would hold the room that the next attempt needs.
    await fs.rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await fs.rename(temporary, path)
  await syncDirectory(dirname(path))
}

async function facts(path: string): Promise<FileFacts | undefined> {
  try {
    const found = await fs.stat(path)
    return {
      kind: found.isDirectory() ? 'directory' : 'file',
      sizeBytes: found.size,
      modifiedMs: Math.floor(found.mtimeMs),
    }
  } catch (error) {
    if (NOTHING_THERE.has((error as NodeJS.ErrnoException).code)) return undefined
    throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await fs.open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
