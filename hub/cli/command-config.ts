/** @module cli/command-config — properties of Kafka's clients, from files and from `key=value` words on the command line. */
import { readFile } from 'node:fs/promises'
import { parseProperties } from '../config/index.ts'
import { CommandError } from './command.ts'

/** Properties by Kafka's names. */
export type Properties = ReadonlyMap<string, string>

/** The text of a file that the command line names. @throws CommandError when it can't be read */
export async function readNamedFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new CommandError(`cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : message}`, 1, { cause })
  }
}

/** The pairs of a properties file; none without a file. @throws CommandError when it can't be read */
export async function loadProperties(path: string | undefined): Promise<Map<string, string>> {
  return path === undefined ? new Map() : parseProperties(await readNamedFile(path))
}

/** `key=value` words; the value may contain `=`, and is empty when there is none. */
export function keyValues(words: readonly string[]): Map<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=')
      return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
