/** @module log/identity — `meta.properties`: which cluster and node a directory belongs to; an empty directory is given an identity. */
import type { Disk } from '../io/index.ts'
import { formatMetaProperties, parseMetaProperties } from './checkpoints.ts'
import { META_PROPERTIES } from './file-names.ts'
import { LogDirectoryError } from './log-error.ts'
import { readOrNothing } from './segment.ts'
import type { DirectoryIdentity } from './types.ts'

/** What an empty directory may hold. */
const NOT_DATA = /^(\.lock.*|lost\+found)$/

/** The directory's identity. Rejects with LogDirectoryError when there is none and none may be given. */
export async function identify(path: string, disk: Disk, formatIfEmpty: DirectoryIdentity | undefined): Promise<DirectoryIdentity> {
  const file = `${path}/${META_PROPERTIES}`
  const content = await readOrNothing(disk, file)
  if (content !== undefined) return parseMetaProperties(file, content)
  const strange = (await disk.list(path)).filter((name) => !NOT_DATA.test(name))
  if (strange.length > 0) {
    throw new LogDirectoryError(
      path,
      `it holds ${strange.length} entries (${strange[0]} …) but no ${META_PROPERTIES}`,
      'set log.dirs to an empty directory, or restore the file',
    )
  }
  if (formatIfEmpty === undefined) throw new LogDirectoryError(path, 'it is not formatted', 'run "millrace storage format"')
  await disk.writeFileAtomic(file, formatMetaProperties(formatIfEmpty))
  return formatIfEmpty
}

/** Identity of a directory that nobody needs to hold the lock for; undefined when it is not formatted. */
export async function readIdentity(path: string, disk: Disk): Promise<DirectoryIdentity | undefined> {
  const file = `${path}/${META_PROPERTIES}`
  const content = await readOrNothing(disk, file)
  return content === undefined ? undefined : parseMetaProperties(file, content)
}
