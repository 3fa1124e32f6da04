/**
 * @module io/node-lock — one process per directory, without flock (Node has none).
 *
 * `.lock` names its holder: process id, start time and boot of the machine (so that a reused id does not look alive),
 * and a nonce. A file appears with its content in it (hard link of a finished temporary file), never half written.
 *
 * Taking over from a dead holder D must let one contender win, whoever crashes when:
 *   1. link my file to `.lock.<nonce of D>`: only one can; the loser looks again.
 *   2. read `.lock` again: still D's? (If not, another has finished a take-over before my link: withdraw it.)
 *   3. rename my link over `.lock`.
 * A contender that dies between 1 and 3 leaves its link behind; the next one sees a dead holder at the end of that
 * chain and takes over from it in the same way.
 */
import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DirectoryLock, DirectoryLockedError } from './ports.ts'

/** A contender that loses this many races in a row gives up; each loss means that somebody else made progress. */
const LOCK_ATTEMPTS_MAX = 100
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

interface Holder {
  readonly pid: number
  /** "<boot id>/<start time in ticks>", "" where the system does not tell. */
  readonly started: string
  readonly nonce: string
}

/** Takes `directory` for this process; see {@link Disk.lock}. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, '.lock')
  const me: Holder = {
    pid: process.pid,
    started: await startOf(process.pid),
    nonce: randomBytes(8).toString('hex'),
  }
  for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt++) {
    if (await place(path, me)) return lockOf(path, me)
    const chain = await readChain(path)
    const last = chain.at(-1)
    if (last === undefined) continue
    const livePid = await livePidOf(last)
    if (livePid !== undefined) throw new DirectoryLockedError(directory, livePid)
    if (await takeOver(path, chain, me)) return lockOf(path, me)
  }
  throw Object.assign(new Error(`EBUSY: too many contenders for ${path}`), { code: 'EBUSY' })
}

function lockOf(path: string, me: Holder): DirectoryLock {
  return {
    release: async () => {
      if ((await readHolder(path))?.nonce === me.nonce) await rm(path, { force: true })
    },
  }
}

interface Link {
  readonly path: string
  readonly holder: Holder
}

/** `.lock` and the take-overs that were begun and not finished, oldest first; empty when the file has just gone. */
async function readChain(path: string): Promise<Link[]> {
  const chain: Link[] = []
  let next = path
  for (;;) {
    const holder = await readHolder(next)
    if (holder === undefined) return chain
    chain.push({ path: next, holder })
    next = `${path}.${holder.nonce}`
  }
}

async function takeOver(path: string, chain: readonly Link[], me: Holder): Promise<boolean> {
  const [first, ...unfinished] = chain
  const claim = `${path}.${chain.at(-1)?.holder.nonce}`
  if (first === undefined || !(await place(claim, me))) return false
  if ((await readHolder(path))?.nonce !== first.holder.nonce) {
    await rm(claim, { force: true })
    return false
  }
  await rename(claim, path)
  for (const left of unfinished) await rm(left.path, { force: true })
  return true
}

/** Makes the file with the holder's words in it, or says that one is there already. */
async function place(path: string, holder: Holder): Promise<boolean> {
  const text = `${holder.pid} ${holder.nonce} ${holder.started}\n`
  const draft = `${path}.draft-${randomBytes(8).toString('hex')}`
  await writeFile(draft, text, { flag: 'wx' })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'EEXIST') return false
    if (!NO_HARD_LINKS.has(code)) throw error
    return await placeWithoutLink(path, text)
  } finally {
    await rm(draft, { force: true })
  }
}

/** File systems without hard links (exFAT, some network mounts): exclusive creation, whose content comes a moment later. */
async function placeWithoutLink(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [pid = '', nonce = '', started = ''] = text.trim().split(' ')
  if (/^\d+$/.test(pid) && /^[0-9a-f]+$/.test(nonce)) return { pid: Number(pid), nonce, started }
  // Not ours. Apache Kafka leaves an empty .lock and holds a POSIX lock on it while it runs.
  return { pid: await posixLockPid(path), nonce: 'foreign', started: '' }
}

/** The process that holds a POSIX lock on the file, 0 when there is none or the system does not tell (/proc/locks). */
async function posixLockPid(path: string): Promise<number> {
  try {
    const [locks, { ino }] = await Promise.all([readFile('/proc/locks', 'utf8'), stat(path)])
    const line = locks.split('\n').find((entry) => entry.includes(`:${ino} `) && !entry.includes('->'))
    return Number(line?.trim().split(/\s+/)[4] ?? 0)
  } catch {
    return 0
  }
}

async function livePidOf(link: Link): Promise<number | undefined> {
  const { pid, started } = link.holder
  if (pid <= 0) return undefined
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: there is such a process, it is another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  const now = await startOf(pid)
  if (now === 'dead') return undefined
  return started === '' || now === '' || now === started ? pid : undefined
}

/** When a process started, in words that no other process shares; '' where /proc does not tell, 'dead' for a zombie. */
async function startOf(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')])
    // proc_pid_stat(5): the name (field 2) may hold blanks and brackets; state is field 3, starttime field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : `${boot.trim()}/${fields[19]}`
  } catch {
    return ''
  }
}
