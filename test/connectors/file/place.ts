/** @module test/connectors/file/place — a directory of its own for a test, removed at its end. */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What this process holds open; nothing where the system does not say. */
function openFds(): readonly string[] {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd') : []
}

/** A directory; `using` removes it. */
export function directory(): { readonly path: string; file(name: string): string; readonly openCount: () => number } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  return {
    path,
    file: (name) => join(path, name),
    /** Files in it that this process holds open. */
    openCount: () =>
      openFds().filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
        } catch {
          return false
        }
      }).length,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}
