/** @module test/cli/replay — runs recorded invocations of Kafka's scripts with our commands, and compares what comes out. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commands } from '../../hub/cli/index.ts'
import { memoryIo } from './memory-io.ts'

/** As in `test/golden/cli/invocations.json`; `number` is its place in the recording. */
export interface Invocation {
  readonly number: number
  readonly tool: string
  readonly args: readonly string[]
  readonly stdin?: string
  readonly files?: Readonly<Record<string, string>>
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** A deliberate difference, or a freedom in comparing, as in `test/golden/cli/differences.json`. */
export interface Difference {
  readonly numbers: readonly number[]
  readonly field: 'stdout' | 'stderr'
  /** What Kafka printed; given with `ours`, which stands in its place. */
  readonly recorded?: string
  readonly ours?: string
  /** `lines`: in any order. `objects`: so are the objects of JSON lists. `spaces`: any number from two on where Kafka has two or more. */
  readonly free?: readonly ('lines' | 'objects' | 'spaces')[]
  readonly reason: string
}

export interface Outcome {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** The broker that was recorded. */
const RECORDED_BOOTSTRAP = '127.0.0.1:9092'

/** Ports stand alone in a column of this width. */
const PORT_COLUMN_WIDTH = 10

/** Runs one invocation against `bootstrap`. The broker's address is printed as the recorded one. */
export async function replay(invocation: Invocation, bootstrap: string): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
  try {
    const paths = new Map<string, string>()
    for (const [name, content] of Object.entries(invocation.files ?? {})) {
      paths.set(name, join(directory, name))
      await writeFile(join(directory, name), content)
    }
    const args = invocation.args.map((arg) => (arg === RECORDED_BOOTSTRAP ? bootstrap : (paths.get(arg) ?? arg)))
    const command = await commands[invocation.tool.replace(/^kafka-/, '')]?.()
    if (command === undefined) throw new Error(`there is no command for ${invocation.tool}`)
    const io = memoryIo(invocation.stdin)
    const exit = await command.run(args, io)
    const [port = '', recordedPort = ''] = [bootstrap, RECORDED_BOOTSTRAP].map((address) =>
      address.split(':')[1]?.padEnd(PORT_COLUMN_WIDTH),
    )
    const asRecorded = (text: string): string => text.replaceAll(bootstrap, RECORDED_BOOTSTRAP).replaceAll(port, recordedPort)
    return { exit, stdout: asRecorded(io.stdoutText()), stderr: asRecorded(io.stderrText()) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What a field should be: the recorded text, or ours where a difference says so. Throws when the difference speaks of another recording. */
export function expectedText(invocation: Invocation, field: 'stdout' | 'stderr', difference: Difference | undefined): string {
  if (difference?.ours === undefined) return invocation[field]
  if (difference.recorded !== invocation[field]) {
    throw new Error(`the difference for ${field} of invocation ${invocation.number} quotes ${JSON.stringify(difference.recorded)}`)
  }
  return difference.ours
}

/** Why the texts don't match; undefined when they do. */
export function mismatch(expected: string, actual: string, free: Difference['free'] = []): string | undefined {
  const told = `expected ${JSON.stringify(expected)}\n     got ${JSON.stringify(actual)}`
  if (free.includes('objects')) return mismatch(objectPerLine(expected), objectPerLine(actual), ['lines'])
  if (!free.includes('lines')) return textPattern(expected, free).test(actual) ? undefined : told
  const left = actual.split('\n').map(withoutOrder)
  for (const line of expected.split('\n').map(withoutOrder)) {
    const pattern = textPattern(line, free)
    const at = left.findIndex((one) => pattern.test(one))
    if (at === -1) return `no line like ${JSON.stringify(line)}; ${told}`
    left.splice(at, 1)
  }
  return left.length === 0 ? undefined : `too many lines: ${JSON.stringify(left)}; ${told}`
}

function objectPerLine(json: string): string {
  return json.replaceAll('},{', '}\n{').replaceAll('[{', '[\n{').replaceAll('}]', '}\n]')
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  id: '[A-Za-z0-9_-]{22}',
  ms: '\\d{13}',
  n: '\\d+',
  any: '[\\s\\S]*',
  usage: '[\\s\\S]*--help[\\s\\S]*',
  clusterId: '[A-Za-z0-9_-]{22}',
  dir: '[^"]+',
}

function textPattern(text: string, free: Difference['free'] = []): RegExp {
  const source = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/<(\w+)>/g, (whole, name: string) => PLACEHOLDERS[name] ?? whole)
  return new RegExp(`^${free.includes('spaces') ? source.replace(/ {2,}/g, ' {2,}') : source}$`)
}

/** The settings of a topic's line sorted: Kafka prints them in the order of a hash map. */
function withoutOrder(line: string): string {
  return line.replace(/(?<=\tConfigs: )\S+/, (configs) => configs.split(',').sort().join(','))
}
