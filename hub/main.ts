/**
 * @module main — the process: `millrace start` and `millrace demo`, and the way to the client commands of `cli/`.
 *
 * Exit codes: 0 ok, 1 the operation failed, 2 wrong usage or configuration. stdout carries the ready line, stderr the log.
 */
import { readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { ConfigError, hideSecrets, isSecretKey, type LoadedConfig, loadHubConfig } from './config/index.ts'
import { createHub, type Hub, StartError } from './hub.ts'
import { nodeWorld } from './io/index.ts'
import { createLogger, type Logger, type LoggerOptions } from './observe/index.ts'

const START_USAGE = `Usage: millrace start [FILE] [--override key=value]... [--verbose]
FILE is a .properties, .yaml or .json configuration; without one the defaults hold.
`

/** Options of `start`. */
interface StartOptions {
  readonly file: string | undefined
  readonly overrides: readonly string[]
  /** Show the stack of an error that ends the start. */
  readonly verbose: boolean
}

/** The command line cannot be understood. */
class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Runs one command to its end; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === undefined || command === '--help' || command === '-h') {
    const { overviewText } = await import('./cli/index.ts')
    const out = command === undefined ? process.stderr : process.stdout
    out.write(overviewText())
    return command === undefined ? 2 : 0
  }
  if (command === '--version') {
    const { version } = JSON.parse(await readFile(packageFile(), 'utf8')) as { version: string }
    process.stdout.write(`${version}\n`)
    return 0
  }
  if (command === 'start') return start(rest)
  if (command === 'demo') return demo(rest)
  // Client commands, their options parser and the client are loaded only when one of them is asked for.
  const { runCommand } = await import('./cli/index.ts')
  return runCommand(command, rest)
}

/** The package's own file: beside this source, or above dist/. */
function packageFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './package.json' : '../package.json', import.meta.url)
}

async function start(args: readonly string[]): Promise<number> {
  let options: StartOptions | undefined
  let secrets: readonly string[] = []
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(START_USAGE)
    return 0
  }
  try {
    options = startOptions(args)
    if (process.platform === 'win32') {
      throw new StartError(
        'start does not run on Windows; run it in WSL (https://learn.microsoft.com/windows/wsl), client commands work here',
      )
    }
    const loaded = await loadConfig(options)
    secrets = loaded.secrets
    const logger = await loggerOf(loaded)
    endOnUncaughtErrors(logger)
    for (const warning of loaded.warnings) logger.warn(warning)
    for (const notice of loaded.notices) logger.info(notice)
    const hub = await createHub(loaded, { ...nodeWorld(), logger })
    process.stdout.write(`${readyLine(hub)}\n`)
    return await untilStopped(hub, logger)
  } catch (error) {
    return explain(error, options?.verbose === true, secrets)
  }
}

async function demo(args: readonly string[]): Promise<number> {
  const { runDemo } = await import('./demo/index.ts')
  const startHub = async (settings: Readonly<Record<string, string>>, output: { write(text: string): unknown }): Promise<Hub> => {
    const loaded = await loadHubConfig({ overrides: Object.entries(settings).map(([key, value]) => `${key}=${value}`) })
    return createHub(loaded, { ...nodeWorld(), logger: await loggerOf(loaded, output) })
  }
  return runDemo(args, { startHub, stdout: process.stdout, stderr: process.stderr })
}

/** What design §2 promises on stdout once every listener serves. */
function readyLine({ bootstrap, connect, nodeId }: Hub): string {
  const worker = connect === undefined ? '' : ` connect=${connect.addresses[0]}`
  return `millrace ready broker=${bootstrap}${worker} node=${nodeId} in ${Math.round(performance.now())} ms`
}

function startOptions(args: readonly string[]): StartOptions {
  const overrides: string[] = []
  let file: string | undefined
  let verbose = false
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? ''
    if (argument === '--verbose') verbose = true
    else if (argument === '--override') {
      const override = args[++at]
      if (override === undefined) throw new UsageError('--override needs key=value')
      overrides.push(override)
    } else if (argument.startsWith('--override=')) overrides.push(argument.slice('--override='.length))
    else if (argument.startsWith('-')) throw new UsageError(`unknown option ${argument}`)
    else if (file !== undefined) throw new UsageError(`one configuration file, not ${file} and ${argument}`)
    else file = argument
  }
  return { file, overrides, verbose }
}

async function loadConfig({ file, overrides }: StartOptions): Promise<LoadedConfig> {
  const { disk } = nodeWorld()
  const sources = { environment: process.env, overrides, files: disk }
  if (file === undefined) return loadHubConfig(sources)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const cause = error.code === 'ENOENT' ? 'there is no such file' : error.message
    throw new ConfigError({ source: file, cause, remedy: 'name a configuration file that can be read' })
  })
  return loadHubConfig({ ...sources, file: { path: file, text } })
}

function loggerOf({ config, secrets }: LoadedConfig, output: LoggerOptions['output'] = process.stderr): Promise<Logger> {
  return createLogger({
    level: config.logLevel,
    output,
    nowMs: () => Date.now(),
    secrets: { isSecretName: isSecretKey, values: () => secrets },
  })
}

/** A programmer's error leaves the process in a state that nobody foresaw: what is durable is safe, so end and start anew. */
function endOnUncaughtErrors(logger: Logger): void {
  const end = (error: unknown): void => {
    logger.error('an error that nobody caught ends the process', { error })
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

/** The first SIGINT or SIGTERM stops in order, a second one at once. */
async function untilStopped(hub: Hub, logger: Logger): Promise<number> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    // A timer keeps the process alive although every port of the hub may be closed or idle.
    const keepAlive = setInterval(() => {}, 1 << 30)
    const stop = (received: NodeJS.Signals): void => {
      clearInterval(keepAlive)
      process.removeListener('SIGINT', stop)
      process.removeListener('SIGTERM', stop)
      for (const again of ['SIGINT', 'SIGTERM'] as const) process.on(again, () => process.exit(128 + constants.signals[again]))
      resolve(received)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
  logger.info(`stopping on ${signal}; again to stop at once`)
  await hub.close()
  return 0
}

function explain(error: unknown, verbose: boolean, secrets: readonly string[]): number {
  const known = error instanceof UsageError || error instanceof ConfigError || error instanceof StartError
  const text = known
    ? error.message
    : `${error instanceof Error ? `${error.name}: ${error.message}` : String(error)} (run with --verbose for the stack)`
  process.stderr.write(`millrace: ${hideSecrets(text, secrets)}\n`)
  if (verbose && error instanceof Error) process.stderr.write(`${hideSecrets(error.stack ?? '', secrets)}\n`)
  if (error instanceof UsageError) process.stderr.write(START_USAGE)
  return error instanceof UsageError || error instanceof ConfigError ? 2 : 1
}
