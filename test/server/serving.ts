/** @module test/server/serving — a server in memory whose requests the test answers by hand; connections are closed after each test. */
import { afterEach } from 'vitest'
import type { Dispatcher, Prepared, Served } from '../../hub/api/index.ts'
import { memoryClock, memoryNet, type Net } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { defaultServerLimits, type RequestTimes, Server, type ServerLimits } from '../../hub/server/index.ts'
import { RawClient } from './raw-client.ts'

/** A request of these tests: what to do with it is told by its first byte. */
const KIND = { serial: 0, overlapping: 1, refused: 2, failing: 3, silent: 4 } as const
type Kind = keyof typeof KIND

interface Begun {
  readonly name: string
  answer(bytes?: Buffer): void
}

/** Takes requests and leaves the answering to the test. */
export class ManualDispatcher implements Dispatcher {
  readonly begun: Begun[] = []
  heldUp: Promise<void> | undefined
  readonly #arrivals: (() => void)[] = []

  prepare(frame: Buffer): Prepared | { reason: string } {
    const kind = frame[0]
    if (kind === KIND.refused) return { reason: 'not wanted' }
    return {
      apiName: frame.toString('latin1', 1, 3),
      overlaps: kind === KIND.overlapping,
      heldUp: () => this.heldUp,
      run: () => this.#run(frame),
    }
  }

  get names(): string[] {
    return this.begun.map(({ name }) => name)
  }

  /** Resolves when `count` requests have begun. */
  async whenBegun(count: number): Promise<void> {
    while (this.begun.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve))
  }

  #run(frame: Buffer): Served | Promise<Served> {
    const name = frame.toString('latin1', 1, 3)
    for (const arrived of this.#arrivals.splice(0)) queueMicrotask(arrived)
    if (frame[0] === KIND.failing) {
      this.begun.push({ name, answer: () => {} })
      return { reason: null }
    }
    if (frame[0] === KIND.silent) {
      this.begun.push({ name, answer: () => {} })
      return { chunks: [] }
    }
    return new Promise((resolve) => {
      this.begun.push({ name, answer: (bytes = Buffer.from(name)) => resolve({ chunks: [sized(bytes)] }) })
    })
  }
}

/** Bytes with their size before them. */
export function sized(bytes: Buffer): Buffer {
  const frame = Buffer.alloc(4 + bytes.length)
  frame.writeInt32BE(bytes.length)
  bytes.copy(frame, 4)
  return frame
}

/** A frame of `kind` with a two-letter name and, where asked, that many bytes more. */
export function request(kind: Kind, name: string, extraBytes = 0): Buffer {
  return sized(Buffer.concat([Buffer.from([KIND[kind]]), Buffer.from(name), Buffer.alloc(extraBytes)]))
}

/** Run in reverse order after each test. */
export const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server on a net in memory, unless another is given, and the way to open clients of it. */
export async function serve(limits: Partial<ServerLimits> = {}, net: Net = memoryNet()) {
  const clock = memoryClock()
  const logger = memoryLogger()
  const dispatcher = new ManualDispatcher()
  const answered: (RequestTimes & { readonly sentMs: number })[] = []
  const server = new Server({ net, clock, logger, limits: { ...defaultServerLimits, ...limits } })
  await server.bind([{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }])
  server.start(dispatcher, (times, sentMs) => answered.push({ ...times, sentMs }))
  const port = server.listeners[0]?.port ?? 0
  const open = async (): Promise<RawClient> => {
    const client = await RawClient.connect(net, `127.0.0.1:${port}`)
    cleanups.push(() => client[Symbol.asyncDispose]())
    return client
  }
  return { net, clock, logger, dispatcher, server, port, open, answered }
}

/** Lets everything that is ready happen: streams in memory need some turns of the event loop, never time. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The next answer as text; undefined when the connection ended instead. */
export const text = async (client: RawClient): Promise<string | undefined> => (await client.nextFrame())?.toString('latin1')
