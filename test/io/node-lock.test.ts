import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Disk, nodeDisk } from '../../hub/io/index.ts'

const LOCK_MODULE = new URL('../../hub/io/node-lock.ts', import.meta.url).href

describe('the lock of a directory', () => {
  let root: string
  let disk: Disk
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'millrace-lock-'))
    disk = nodeDisk()
  })
  afterEach(() => rm(root, { recursive: true, force: true }))
  const lockText = (): Promise<string> => readFile(join(root, '.lock'), 'utf8')

  /** A process that locks the directory, says so, and waits to be told to end. */
  const holder = async (): Promise<{ pid: number; kill: () => Promise<void> }> => {
    const script = `const { lockDirectory } = await import(${JSON.stringify(LOCK_MODULE)})
      await lockDirectory(${JSON.stringify(root)}); console.log('held'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return {
      pid: child.pid ?? 0,
      kill: async () => {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      },
    }
  }

  it('is refused while another process lives, and taken over from a dead one', async () => {
    const other = await holder()
    await expect(disk.lock(root)).rejects.toMatchObject({ name: 'DirectoryLockedError', holderPid: other.pid })
    await other.kill()
    const lock = await disk.lock(root)
    expect(await lockText()).toMatch(new RegExp(`^${process.pid} `))
    await lock.release()
    expect(await readdir(root)).toEqual([])
  })

  // Without /proc the id is all there is.
  it.runIf(existsSync('/proc/self/stat'))('does not take a reused process id for the holder', async () => {
    const [pid, nonce] = await heldWords(disk, root)
    await writeFile(join(root, '.lock'), `${pid} ${nonce} another-boot/1\n`)
    const lock = await disk.lock(root)
    await lock.release()
  })

  it('ignores an empty .lock that nobody holds, as Apache Kafka leaves it', async () => {
    await writeFile(join(root, '.lock'), '')
    const lock = await disk.lock(root)
    await expect(disk.lock(root)).rejects.toMatchObject({ name: 'DirectoryLockedError' })
    await lock.release()
    expect(await readdir(root)).toEqual([])
  })

  it('lets one of many contenders win a dead lock, also one whose take-over was cut short', async () => {
    for (let round = 0; round < 10; round++) {
      await writeFile(join(root, '.lock'), '4194304000 aaaa gone/1\n')
      if (round % 2 === 1) await writeFile(join(root, '.lock.aaaa'), '4194304001 bbbb gone/2\n')
      const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => disk.lock(root)))
      const won = attempts.filter((attempt) => attempt.status === 'fulfilled')
      expect(won.length).toBe(1)
      await won[0]?.value.release()
      expect(await readdir(root)).toEqual([])
    }
  })
})

async function heldWords(disk: Disk, root: string): Promise<string[]> {
  const lock = await disk.lock(root)
  const text = await readFile(join(root, '.lock'), 'utf8')
  await lock.release()
  return text.trim().split(' ')
}
