/**
 * @module cli/command — what a client command is, what it is given, and how it fails.
 *
 * The commands equal Kafka 4.3.1's scripts in options, output and exit code (design §2): wrong usage prints its cause and the
 * option table on stderr and ends with 1, as theirs does. Where Java prints a stack trace, one line with the cause stands here;
 * `--verbose` adds the stack.
 */
import { OptionError, type OptionTable, type ParsedOptions, parseOptions } from './options.ts'
import { usageText } from './usage.ts'

/** The Kafka release whose scripts these commands equal; what `--version` of a command prints, as the scripts do. */
export const KAFKA_VERSION = '4.3.1'

/** Where text goes. A promise as result means that the reader is slow: await it before the next write. */
export interface TextSink {
  write(chunk: string | Buffer): unknown
}

/** What a command has of the process that it runs in. */
export interface CommandIo {
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly stdin: AsyncIterable<Buffer>
  /** Aborted by Ctrl-C, by SIGTERM, and when nobody reads stdout any more. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  /** A person types at stdin and reads stdout: prompts are welcome. */
  readonly isInteractive?: boolean
}

/** A client command. */
export interface Command {
  /** One line for the overview. */
  readonly summary: string
  /** Runs with the arguments after the command's name; resolves with the exit code. It reports its own failures and never rejects. */
  run(args: readonly string[], io: CommandIo): Promise<number>
}

/** Wrong usage: the message goes to stderr, with the option table below it. Exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A failure that the command words itself: the message goes to stderr as it stands. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** What makes a command; see {@link defineCommand}. */
export interface CommandDefinition<Table extends OptionTable> {
  /** As typed after `millrace`. */
  readonly name: string
  /** One sentence: heads the help and stands in the overview. */
  readonly summary: string
  readonly options: Table
  /** Does the work. Rejects with a {@link UsageError}, a {@link CommandError}, or anything that {@link reportFailure} words. */
  run(options: ParsedOptions<Table>, io: CommandIo): Promise<number>
  /** Words what went wrong; returns the exit code. */
  reportFailure(error: Error, io: CommandIo, args: readonly string[]): number
  /** How an unknown option, or one without its argument, is reported. Default: as wrong usage, with the option table. */
  readonly wordParseError?: (message: string) => Error
}

/** The options that every command has. `verbose` is ours (design §2). */
export const commonOptions = {
  help: { help: 'Print usage information.' },
  version: { help: 'Display Kafka version.' },
} as const satisfies OptionTable

/** `--verbose` of the commands whose Kafka twin has no option of that name. */
export const verboseOption = {
  verbose: { help: 'When something fails, print the stack below the message.', isOurs: true },
} as const satisfies OptionTable

/** Makes a {@link Command}: options are parsed, help and version printed, failures reported. */
export function defineCommand<Table extends OptionTable>(definition: CommandDefinition<Table>): Command {
  return {
    summary: definition.summary,
    async run(args, io) {
      const isVerbose = args.includes('--verbose')
      try {
        return await runParsed(definition, args, io)
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown))
        const exitCode = report(definition, error, io, args)
        if (isVerbose && !(error instanceof UsageError)) io.stderr.write(`${stackText(error)}\n`)
        return exitCode
      }
    },
  }
}

async function runParsed<Table extends OptionTable>(
  definition: CommandDefinition<Table>,
  args: readonly string[],
  io: CommandIo,
): Promise<number> {
  if (args.length === 0) throw new UsageError(definition.summary)
  const options = parsed(definition, args)
  if (options.given.has('help')) {
    // Kafka prints its help on stderr and ends with 1; who asks for help gets it on stdout with 0 (test/golden/cli/differences.json).
    io.stdout.write(`${definition.summary}\n${usageText(definition)}`)
    return 0
  }
  if (options.given.has('version')) {
    io.stdout.write(`${KAFKA_VERSION}\n`)
    return 0
  }
  return definition.run(options, io)
}

function parsed<Table extends OptionTable>(definition: CommandDefinition<Table>, args: readonly string[]): ParsedOptions<Table> {
  try {
    return parseOptions(definition.options, args)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    throw definition.wordParseError?.(error.message) ?? new UsageError(error.message)
  }
}

function report<Table extends OptionTable>(
  definition: CommandDefinition<Table>,
  error: Error,
  io: CommandIo,
  args: readonly string[],
): number {
  if (error instanceof UsageError) {
    io.stderr.write(`${error.message}\n${usageText(definition)}`)
    return 1
  }
  if (error instanceof CommandError) {
    io.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  return definition.reportFailure(error, io, args)
}

/** The stack and those of its causes. */
function stackText(error: Error): string {
  const own = error.stack ?? error.message
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackText(error.cause)}` : own
}
