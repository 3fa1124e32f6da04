/**
 * @module demo/unprivileged — PostgreSQL refuses to run as root. Where the demo is root, its server runs as a user that is there already: `nobody`, or
 * the first other one that is not root; no user is created.
 */
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DemoError } from './packages.ts'

/** Who a child process runs as; given to spawn. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** The identity for a server that must not be root; undefined: this process is not root, so it runs as itself. Throws {@link DemoError}. */
export async function unprivilegedIdentity(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const identity = pickIdentity(text)
  if (identity === undefined) {
    throw new DemoError('PostgreSQL refuses to run as root and /etc/passwd names no other user; run the demo as another user')
  }
  return identity
}

/** Of a passwd file: `nobody`, else the first user that is not root. initdb asks for the name of its uid, so it must stand there. */
export function pickIdentity(passwd: string): Identity | undefined {
  const users = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => /^\d+$/.test(fields[2] ?? '') && /^\d+$/.test(fields[3] ?? '') && Number(fields[2]) !== 0)
    .map((fields) => ({ name: fields[0], uid: Number(fields[2]), gid: Number(fields[3]) }))
  const user = users.find(({ name }) => name === 'nobody') ?? users[0]
  return user === undefined ? undefined : { uid: user.uid, gid: user.gid }
}

/** Whether the identity may go through every folder above `path`: a private home (mode 0700) lets nobody else in. */
export async function mayReach(path: string, { uid, gid }: Identity): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = await stat(folder)
    const execute = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001
    if ((found.mode & execute) === 0) return false
    if (folder === dirname(folder)) return true
  }
}
