/**
 * Golden conversations (style rule 14): a text file of blocks, each a command with its arguments, `----`, and what it answered.
 * `UPDATE_GOLDEN=1` rewrites the answers; the diff is then what is reviewed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

export interface Command {
  readonly name: string
  readonly arguments: ReadonlyMap<string, string>
  /** The number behind a name. Throws when there is none. */
  number(name: string): number
  /** Numbers separated by commas; empty when absent. */
  numbers(name: string): number[]
}

/** Answers a command with lines. */
export type Execute = (command: Command) => string | Promise<string>

/** One test per file of `directory`; `begin` makes a fresh interpreter for each. */
export function runScenarios(directory: string, begin: () => Execute): void {
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.txt'))) {
    it(file.slice(0, -'.txt'.length).replaceAll('-', ' '), async () => {
      const path = join(directory, file)
      const before = readFileSync(path, 'utf8')
      const after = await replay(before, begin())
      if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, after)
      else expect(after).toBe(before)
    })
  }
}

async function replay(text: string, execute: Execute): Promise<string> {
  const blocks: string[] = []
  for (const block of text.trimEnd().split('\n\n')) {
    const lines = block.split('\n')
    const end = lines.indexOf('----')
    const given = end === -1 ? lines : lines.slice(0, end)
    const command = given.findLast((line) => !line.startsWith('#'))
    if (command === undefined) {
      blocks.push(block)
      continue
    }
    blocks.push([...given, '----', (await execute(parse(command))).trimEnd()].join('\n'))
  }
  return `${blocks.join('\n\n')}\n`
}

function parse(line: string): Command {
  const [name = '', ...words] = line.split(' ')
  const values = new Map(words.map((word) => word.split(/=(.*)/s, 2) as [string, string]))
  const get = (key: string): string => {
    const value = values.get(key)
    if (value === undefined) throw new Error(`${line}: ${key}= is missing`)
    return value
  }
  return {
    name,
    arguments: values,
    number: (key) => Number(get(key)),
    numbers: (key) =>
      (values.get(key) ?? '')
        .split(',')
        .filter((text) => text !== '')
        .map(Number),
  }
}
