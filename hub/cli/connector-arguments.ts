/**
 * @module cli/connector-arguments — the command lines of `millrace connector` and `millrace plugin`: a verb, what it is about, options.
 * These commands are ours, not Kafka's: wrong usage ends with 2 (design §2).
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearestName } from '../config/index.ts'
import { type Command, CommandError, type CommandIo } from './command.ts'
import { openRest, type RestSession, wordRestFailure } from './connector-session.ts'

/** What a verb was given. */
export interface VerbArguments {
  /** The connector's name, or the file: what the verb's usage names in capitals; empty when it takes none. */
  readonly subject: string
  /** Whether an option without a value stands there. */
  flag(name: string): boolean
  /** An option's value. */
  text(name: string): string | undefined
}

/** One verb of a command. */
export interface Verb {
  /** As in the usage, such as `NAME`; undefined: nothing but options. */
  readonly subject?: string
  readonly summary: string
  /** Its own options with what the help says of them: `name` or `name VALUE`. */
  readonly options: Readonly<Record<string, string>>
  run(session: RestSession, given: VerbArguments, io: CommandIo): Promise<number>
}

/** Options of every verb. */
const COMMON: Readonly<Record<string, string>> = {
  'url ADDRESS': 'The worker; else MILLRACE_CONNECT_URL, else http://127.0.0.1:8083.',
  json: 'Print JSON.',
  verbose: 'When something fails, print the stack below the message.',
  help: 'Print this.',
}

/** Column at which the texts of a help begin. */
const TEXT_COLUMN = 27

/** A command line that cannot be understood. */
class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}

/** Makes a command of verbs. */
export function defineVerbs(name: string, summary: string, verbs: Readonly<Record<string, Verb>>): Command {
  return {
    summary,
    async run(args, io) {
      const [verbName, ...rest] = args
      if (verbName === undefined || verbName === '--help' || verbName === '-h') {
        const text = commandHelp(name, summary, verbs)
        if (verbName === undefined) io.stderr.write(text)
        else io.stdout.write(text)
        return verbName === undefined ? 2 : 0
      }
      const verb = Object.hasOwn(verbs, verbName) ? verbs[verbName] : undefined
      if (verb === undefined) {
        const near = nearestName(verbName, Object.keys(verbs))
        const guess = near === undefined ? '' : `, perhaps ${near}`
        io.stderr.write(`millrace ${name}: there is no ${verbName}${guess}; millrace ${name} --help lists what there is\n`)
        return 2
      }
      return runVerb(`${name} ${verbName}`, verb, rest, io)
    },
  }
}

async function runVerb(name: string, verb: Verb, args: readonly string[], io: CommandIo): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    io.stdout.write(verbHelp(name, verb))
    return 0
  }
  try {
    const given = parsed(verb, args)
    const session = openRest(given.text('url'), io, given.flag('json'))
    return await verb.run(session, given, io)
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    if (error instanceof WrongUsage) {
      io.stderr.write(`millrace ${name}: ${error.message}; ${usageLine(name, verb)}\n`)
      return 2
    }
    io.stderr.write(`${wordRestFailure(error)}\n`)
    if (args.includes('--verbose')) io.stderr.write(`${error.stack ?? error.message}\n`)
    return error instanceof CommandError ? error.exitCode : 1
  }
}

function parsed(verb: Verb, args: readonly string[]): VerbArguments {
  const options: ParseArgsOptionsConfig = {}
  for (const label of Object.keys({ ...COMMON, ...verb.options })) {
    const [option = '', value] = label.split(' ')
    options[option] = { type: value === undefined ? 'boolean' : 'string' }
  }
  let found: { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] }
  try {
    found = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    // What follows the first sentence explains `--`, at length.
    const [sentence = ''] = (error as Error).message.split('. ')
    throw new WrongUsage(sentence.replace(/^[A-Z]/, (first) => first.toLowerCase()))
  }
  const [subject, ...surplus] = found.positionals
  if (verb.subject === undefined && subject !== undefined) throw new WrongUsage(`unexpected ${subject}`)
  if (verb.subject !== undefined && (subject === undefined || subject === '')) throw new WrongUsage(`${verb.subject} is missing`)
  if (surplus[0] !== undefined) throw new WrongUsage(`unexpected ${surplus[0]}`)
  return {
    subject: subject ?? '',
    flag: (option) => found.values[option] === true,
    text: (option) => found.values[option] as string | undefined,
  }
}

/** For what options say together. */
export function wrongUsage(message: string): Error {
  return new WrongUsage(message)
}

function usageLine(name: string, verb: Verb): string {
  return `usage: millrace ${name}${verb.subject === undefined ? '' : ` ${verb.subject}`} [OPTION]…`
}

function commandHelp(name: string, summary: string, verbs: Readonly<Record<string, Verb>>): string {
  const lines = Object.entries(verbs).map(([verbName, verb]) => {
    const subject = verb.subject === undefined ? '' : ` ${verb.subject}`
    return `  ${`${verbName}${subject}`.padEnd(TEXT_COLUMN - 2)}${verb.summary}`
  })
  const more = `millrace ${name} VERB --help lists a verb's options.`
  return [summary, '', `Usage: millrace ${name} VERB [OPTION]…`, '', ...lines, '', more, ''].join('\n')
}

function verbHelp(name: string, verb: Verb): string {
  const lines = Object.entries({ ...verb.options, ...COMMON }).map(
    ([label, text]) => `  ${`--${label.replace(/ (.*)/, ' <$1>')}`.padEnd(TEXT_COLUMN - 2)}${text}`,
  )
  return [verb.summary, '', usageLine(name, verb).replace(/^usage/, 'Usage'), '', ...lines, ''].join('\n')
}
