/** @module cli/reach — is anybody there? Asked before a command begins, so that a wrong address is told soon and plainly. */
import { type Net, nodeClock, nodeNet } from '../io/index.ts'
import { CommandError } from './command.ts'

/** How long is tried, in all and per connection, and the pause between rounds. */
export interface ReachLimits {
  readonly waitMs: number
  readonly attemptMs: number
  readonly pauseMs: number
}

/** A broker that is just starting gets its chance. */
export const REACH_LIMITS: ReachLimits = { waitMs: 5_000, attemptMs: 3_000, pauseMs: 250 }

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
}

/** A broker's address. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Reads `host:port,…`, IPv6 hosts in brackets, a protocol prefix allowed; undefined when one of them is no address. */
export function hostPorts(servers: string): readonly HostPort[] | undefined {
  const found = servers.split(',').map((text): HostPort | undefined => {
    const match = /^(?:[A-Za-z0-9_]+:\/\/)?(\[[0-9a-fA-F:.%]+\]|[^:/\s[\]]+):(\d{1,5})$/.exec(text.trim())
    const port = Number(match?.[2])
    return match?.[1] === undefined || port < 1 || port > 65_535 ? undefined : { host: match[1].replace(/^\[|\]$/g, ''), port }
  })
  return found.every((one) => one !== undefined) ? found : undefined
}

/** Resolves when one of the servers takes a connection. @throws CommandError with one line, after {@link REACH_LIMITS} */
export async function reachAny(
  servers: readonly HostPort[],
  signal: AbortSignal,
  limits = REACH_LIMITS,
  net: Net = nodeNet(),
): Promise<void> {
  const clock = nodeClock()
  const endMs = clock.monotonicMs() + limits.waitMs
  for (;;) {
    const failures = await Promise.all(servers.map((server) => failureOf(server, signal, limits.attemptMs, net)))
    if (failures.includes(undefined)) return
    signal.throwIfAborted()
    if (clock.monotonicMs() + limits.pauseMs >= endMs) {
      const list = servers.map(({ host, port }, index) => `${host}:${port} (${failures[index]})`).join(', ')
      throw new CommandError(`cannot connect to ${list}; start the broker there, or name another with --bootstrap-server`)
    }
    await clock.sleep(limits.pauseMs, signal)
  }
}

/** Why the server can't be reached; undefined when it can. */
async function failureOf({ host, port }: HostPort, signal: AbortSignal, attemptMs: number, net: Net): Promise<string | undefined> {
  const controller = new AbortController()
  const abort = (): void => controller.abort(new Error('interrupted'))
  signal.addEventListener('abort', abort, { once: true })
  const timer = nodeClock().timer(attemptMs, () => controller.abort(new Error(`no answer within ${attemptMs} ms`)))
  try {
    const connection = await net.connect(host, port, controller.signal)
    connection.destroy()
    return undefined
  } catch (error) {
    if (controller.signal.aborted) return (controller.signal.reason as Error).message
    const { code, message } = error as NodeJS.ErrnoException
    return REASONS[code ?? ''] ?? message
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', abort)
  }
}
