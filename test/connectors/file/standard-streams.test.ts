/**
 * @module test/connectors/file/standard-streams — no file given: the standard input and output of the process, from a connector's thread.
 * A shell makes the pipes: Node's own between processes are sockets, which nobody can open by their name.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { directory } from './place.ts'

const program = new URL('./standard-streams.ts', import.meta.url).pathname

/** What the program prints when it is fed by a shell command that reads `write`. */
async function copied(args: readonly string[], feed: string, write = ''): Promise<string> {
  const command = `${feed} "$0" --conditions=millrace-source "$@"`
  const child = spawn('sh', ['-c', command, process.execPath, program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(write)
  let output = ''
  for await (const part of child.stdout.setEncoding('utf8')) {
    output += String(part)
    // Only now does the input end: until then the program had to do without an end.
    if (output.includes('thread ended')) child.stdin.end()
  }
  return output
}

const nowhere = '[{"filename":null},{"position":null}]'

it('reads a pipe that stays open, and lets go of it', async () => {
  expect(await copied(['2'], 'cat |', 'one\nzwei ü\nhalf')).toBe(`one\nzwei ü\n[${nowhere},${nowhere}]\nthread ended with 0\n`)
})

it('reads a file to its end, the last line too; an empty name is none', async () => {
  using place = directory()
  writeFileSync(place.file('in'), 'one\nlast')
  expect(await copied(['3', ''], `<'${place.file('in')}'`)).toBe(`one\nlast\n[${nowhere},${nowhere}]\nthread ended with 0\n`)
})
