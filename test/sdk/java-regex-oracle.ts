/**
 * @module test/sdk/java-regex-oracle — real `java.util.regex` beside ours: the same pattern, text and replacement, the same words for the
 * outcome.
 */
import { spawnSync } from 'node:child_process'
import { DataError, isEngineError, type JavaRegexMatch, JavaRegexSyntaxError, javaRegex } from '@millrace/sdk'

/** What both engines are asked. */
export interface Question {
  readonly pattern: string
  readonly text: string
  readonly replacement: string
}

const source = new URL('JavaRegexOracle.java', import.meta.url).pathname

/** Version line of the machine's Java development kit; undefined where there is none that runs single files. */
export function javaVersion(): string | undefined {
  const { status, stderr } = spawnSync('javac', ['-version'], { encoding: 'utf8' })
  if (status !== 0) return undefined
  return spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr.split('\n')[0] ?? stderr
}

/** Java's answers, in the order of the questions. */
export function askJava(questions: readonly Question[]): readonly string[] {
  const input = questions.map(({ pattern, text, replacement }) => [pattern, text, replacement].map(hex).join(',')).join('\n')
  const options = { input: `${input}\n`, encoding: 'latin1', maxBuffer: 1 << 30 } as const
  const { status, stdout, stderr } = spawnSync('java', ['-XX:TieredStopAtLevel=1', source], options)
  if (status !== 0) throw new Error(stderr)
  return stdout.trimEnd().split('\n').map(readable)
}

/** Our answer. */
export function askOurs({ pattern, text, replacement }: Question): string {
  try {
    const regex = javaRegex(pattern)
    const [whole, part] = [regex.matchWhole(text), regex.search(text)]
    const found = part === null ? '-' : `${part.start}.${part.end}:${groupsOf(part)}`
    return readable(`M${whole === null ? '-' : groupsOf(whole)};${found};${replaced(() => regex.replaceFirst(text, replacement))}`)
  } catch (error) {
    if (error instanceof JavaRegexSyntaxError) return readable(`E${hex(error.message)}`)
    if (isEngineError(error)) return 'S'
    throw error
  }
}

function replaced(replace: () => string): string {
  try {
    return hex(replace())
  } catch (error) {
    if (error instanceof DataError && error.className.startsWith('java.lang.I')) return `!${error.className} ${error.message}`
    throw error
  }
}

function groupsOf(match: JavaRegexMatch): string {
  return match.groups.map((group) => (group === null ? '~' : hex(group))).join('|')
}

function hex(text: string): string {
  return text.replace(/[\s\S]/g, (unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'))
}

/** Hexadecimal runs as text in quotes, for people who read a difference. */
function readable(answer: string): string {
  if (answer.startsWith('S')) return 'S'
  return answer.replace(/(?<=^E|[M;:|])((?:[0-9a-f]{4})*)(?=$|[;|])/g, (run) =>
    JSON.stringify(run.replace(/[0-9a-f]{4}/g, (unit) => String.fromCharCode(Number.parseInt(unit, 16)))),
  )
}
