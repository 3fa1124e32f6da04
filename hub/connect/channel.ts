/**
 * @module connect/channel — requests with answers in both directions, and events, over a message port. Both ends name the calls that they
 * make; what they serve is an object of functions that take one plain value and promise another. Errors cross with name, message, Java
 * class, first line and trace (failure.ts).
 */
import { errorFrom, type FailureFacts, failureFacts } from './failure.ts'

/** What a channel needs of a MessagePort; worker_threads' ports have it. */
export interface MessageEnd {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  close(): void
}

/** Functions that can be asked for across a channel. */
export type Calls<T> = { readonly [K in keyof T]: (request: never) => Promise<unknown> }

/** One end of a channel. */
export interface Channel<Remote, Sent> {
  /** What the other end serves. Calls reject with what was thrown there, or with the reason of `close`. */
  readonly remote: Remote
  send(event: Sent): void
  /** Ends this side: open calls reject with the reason. */
  close(reason: Error): void
}

export interface ChannelOptions<Local, Remote, Sent, Received> {
  /** Makes what this end serves. */
  readonly local: (channel: { readonly remote: Remote; readonly send: (event: Sent) => void }) => Calls<Local>
  /** The calls of the other end, by name. */
  readonly remoteNames: readonly (keyof Remote & string)[]
  readonly onEvent?: (event: Received) => void
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly request: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: FailureFacts }
  | { readonly kind: 'event'; readonly event: unknown }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Opens one end. `Sent` and `Received` are the events of the two directions. */
export function openChannel<Local, Remote, Sent = never, Received = never>(
  port: MessageEnd,
  { local, remoteNames, onEvent }: ChannelOptions<Local, Remote, Sent, Received>,
): Channel<Remote, Sent> {
  const open = new Map<number, Waiting>()
  let nextId = 0
  let closed: Error | undefined

  const post = (message: Message): void => {
    if (closed === undefined) port.postMessage(message)
  }
  const call = (name: string, request: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (closed !== undefined) {
        reject(closed)
        return
      }
      const id = nextId++
      open.set(id, { resolve, reject })
      try {
        post({ kind: 'call', id, name, request })
      } catch (error) {
        open.delete(id)
        reject(error as Error)
      }
    })
  const serve = async (id: number, name: string, request: unknown): Promise<void> => {
    try {
      const call = Object.hasOwn(served, name) ? served[name] : undefined
      if (call === undefined) throw new Error(`nobody serves ${name}`)
      post({ kind: 'answer', id, value: await call(request) })
    } catch (error) {
      post({ kind: 'failure', id, failure: failureFacts(error) })
    }
  }
  const settle = (id: number): Waiting | undefined => {
    const waiting = open.get(id)
    open.delete(id)
    return waiting
  }

  const remote = Object.fromEntries(remoteNames.map((name) => [name, (request: unknown) => call(name, request)])) as Remote
  const send = (event: Sent): void => post({ kind: 'event', event })
  const served = local({ remote, send }) as Readonly<Record<string, (request: unknown) => Promise<unknown>>>
  port.on('message', (raw) => {
    if (closed !== undefined) return
    const message = raw as Message
    if (message.kind === 'call') void serve(message.id, message.name, message.request)
    else if (message.kind === 'answer') settle(message.id)?.resolve(message.value)
    else if (message.kind === 'failure') settle(message.id)?.reject(errorFrom(message.failure))
    else onEvent?.(message.event as Received)
  })

  return {
    remote,
    send,
    close(reason) {
      if (closed !== undefined) return
      closed = reason
      for (const { reject } of open.values()) reject(reason)
      open.clear()
      port.close()
    },
  }
}
