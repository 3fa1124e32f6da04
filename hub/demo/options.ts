/** @module demo/options — the command line of `millrace demo`. Pure. */

export const DEMO_USAGE = `Usage: millrace demo [--once] [--rate N] [--changes N] [--verbose]
Starts a PostgreSQL with a small shop, an S3 server and a hub, all of them on loopback and in temporary folders, captures the
shop's changes into Kafka topics, and those into S3. Ctrl-C ends it and leaves nothing behind.
  --once       make some changes, check that each has arrived everywhere, exit 0 if so
  --changes N  with --once: how many changes (default 1000)
  --rate N     without --once: changes a second (default 4)
  --verbose    show the hub's log when something fails, and stacks of errors
`

export interface DemoOptions {
  readonly isOnce: boolean
  /** Rows to change, with `--once`. */
  readonly changeCount: number
  /** Rows to change each second, without. */
  readonly changesPerSecond: number
  readonly isVerbose: boolean
  readonly isHelp: boolean
}

/** The command line cannot be understood; the message says what of it. */
export class DemoUsageError extends Error {
  override readonly name = 'DemoUsageError'
}

const LIMITS = { changeCountMax: 100_000, changesPerSecondMax: 2_000 } as const

/** Throws {@link DemoUsageError}. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const options = { isOnce: false, changeCount: 1_000, changesPerSecond: 4, isVerbose: false, isHelp: false }
  const rest = args.flatMap((argument) =>
    /^--\w+=/.test(argument) ? [argument.replace(/=.*/s, ''), argument.replace(/^.*?=/s, '')] : [argument],
  )
  for (let at = 0; at < rest.length; at++) {
    const argument = rest[at] ?? ''
    if (argument === '--once') options.isOnce = true
    else if (argument === '--verbose') options.isVerbose = true
    else if (argument === '--help' || argument === '-h') options.isHelp = true
    else if (argument === '--changes') options.changeCount = countOf(argument, rest[++at], LIMITS.changeCountMax)
    else if (argument === '--rate') options.changesPerSecond = countOf(argument, rest[++at], LIMITS.changesPerSecondMax)
    else throw new DemoUsageError(argument.startsWith('-') ? `unknown option ${argument}` : `demo takes no ${argument}`)
  }
  return options
}

function countOf(name: string, text: string | undefined, max: number): number {
  const value = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || value < 1 || value > max)
    throw new DemoUsageError(`${name} needs a number from 1 to ${max}`)
  return value
}
