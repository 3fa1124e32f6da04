/**
 * @module connect/hosts — where connectors live, by `millrace.tasks.isolation`.
 *
 * | isolation | a connector lives in | what it costs and saves (docs/adr/0006-connector-threads.md) |
 * |---|---|---|
 * | thread | a worker thread of its own | a crash, an endless loop or a full heap is its own; some MB per connector |
 * | shared | one worker thread, with all others | hundreds of small ones at little memory; a crash takes the neighbours along |
 * | inline | the main thread | nothing is kept apart: tests and debugging |
 *
 * With `thread`, one warm spare thread stands by, its modules loaded, so that a new connector need not wait for that.
 */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import type { ClientWorld } from '../client/index.ts'
import type { Logger } from '../observe/index.ts'
import { type Channel, openChannel } from './channel.ts'
import { serveConnector } from './serve-connector.ts'
import { startWorkerThread, THREAD_HEAP } from './thread-options.ts'
import {
  CONNECTOR_THREAD_CALLS,
  type ConnectorHost,
  type ConnectorThreadCalls,
  type ConnectorThreadData,
  type ControlCalls,
  type HostFactory,
  type ThreadEvent,
  ThreadLostError,
} from './worker-types.ts'

export type Isolation = 'thread' | 'shared' | 'inline'

export interface HostsOptions {
  readonly isolation: Isolation
  readonly world: ClientWorld
  readonly logger: Logger
  /** Megabytes of a thread's V8 heap; beyond it the thread ends with ERR_WORKER_OUT_OF_MEMORY and its tasks FAIL. */
  readonly heapMegabytesMax?: number
  /** Whether a warm spare thread is kept (isolation `thread`). */
  readonly hasSpare?: boolean
}

/** Defaults and limits of threads. */
export const HOST_DEFAULTS = {
  /** A spare is made so long after the last one was taken, so that it does not hinder what is starting. */
  spareDelayMs: 1000,
} as const

/** All hosts of a worker. */
export interface Hosts {
  readonly start: HostFactory
  /** Worker threads that stand, the spare among them. */
  readonly threadCount: number
  /** Makes the spare: call it when nothing more urgent is to be done. */
  warmUp(): void
  /** Ends every thread. */
  close(): Promise<void>
}

/** Makes the hosts of an isolation. */
export function createHosts(options: HostsOptions): Hosts {
  switch (options.isolation) {
    case 'thread':
      return threadHosts(options)
    case 'shared':
      return sharedHosts(options)
    case 'inline':
      return inlineHosts(options)
  }
}

/** A worker thread with what ended it. */
interface Thread {
  readonly worker: Worker
  /** Resolves when it is gone: undefined after `end`. */
  readonly ended: Promise<Error | undefined>
  end(): Promise<void>
}

function startThread(heapMegabytesMax: number): Thread {
  const worker = startWorkerThread('connectors', { oldMegabytesMax: heapMegabytesMax })
  // The hub's listeners keep the process alive, not its connectors.
  worker.unref()
  let isEnding = false
  let cause: Error | undefined
  worker.on('error', (error: unknown) => {
    cause = error instanceof Error ? error : new Error(`the connector's thread threw ${String(error)}`)
  })
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.on('exit', (code) => {
      resolve(isEnding ? undefined : (cause ?? new Error(`the connector's thread ended by process.exit(${code})`)))
    })
  })
  return {
    worker,
    ended,
    async end() {
      isEnding = true
      await worker.terminate()
      await ended
    },
  }
}

type ToConnector = Channel<ConnectorThreadCalls, never>

function openToConnector(port: MessagePort, handlers: { readonly control: ControlCalls; onEvent(event: ThreadEvent): void }): ToConnector {
  return openChannel<ControlCalls, ConnectorThreadCalls, never, ThreadEvent>(port, {
    local: () => handlers.control,
    remoteNames: CONNECTOR_THREAD_CALLS,
    onEvent: (event) => handlers.onEvent(event),
  })
}

/** Gives a connector to a thread. */
function send(thread: Thread, data: ConnectorThreadData, port: MessagePort): void {
  thread.worker.postMessage({ data, port }, [port])
}

function threadHosts(options: HostsOptions): Hosts {
  const { heapMegabytesMax = THREAD_HEAP.oldMegabytesMax, hasSpare = true, world } = options
  const threads = new Set<Thread>()
  let spare: Thread | undefined
  let isClosed = false

  const make = (): Thread => {
    const thread = startThread(heapMegabytesMax)
    threads.add(thread)
    void thread.ended.then(() => {
      threads.delete(thread)
      if (spare === thread) spare = undefined
    })
    return thread
  }
  const warmUp = (): void => {
    if (hasSpare && !isClosed) spare ??= make()
  }
  let spareTimer = { cancel: (): void => {} }
  const take = (): Thread => {
    const thread = spare ?? make()
    spare = undefined
    spareTimer.cancel()
    spareTimer = world.clock.timer(HOST_DEFAULTS.spareDelayMs, warmUp)
    return thread
  }

  return {
    start(data, handlers): ConnectorHost {
      const thread = take()
      const { port1, port2 } = new MessageChannel()
      const channel = openToConnector(port1, handlers)
      port1.unref()
      send(thread, data, port2)
      const ended = thread.ended.then((cause) => {
        channel.close(cause ?? new Error(`the thread of connector ${data.connector} was ended`))
        return cause
      })
      return { calls: channel.remote, ended, end: () => thread.end() }
    },
    get threadCount() {
      return threads.size
    },
    warmUp,
    async close() {
      isClosed = true
      spareTimer.cancel()
      await Promise.all([...threads].map((thread) => thread.end()))
    },
  }
}

function sharedHosts({ heapMegabytesMax = THREAD_HEAP.oldMegabytesMax, logger }: HostsOptions): Hosts {
  let shared: Thread | undefined

  const thread = (): Thread => {
    if (shared !== undefined) return shared
    const made = startThread(heapMegabytesMax)
    shared = made
    void made.ended.then(() => {
      if (shared === made) shared = undefined
    })
    return made
  }

  return {
    start(data, handlers): ConnectorHost {
      const home = thread()
      const { port1, port2 } = new MessageChannel()
      const channel = openToConnector(port1, handlers)
      port1.unref()
      send(home, data, port2)
      const leave = Promise.withResolvers<undefined>()
      let isClosed = false
      const gone = home.ended.then((cause) => cause ?? new ThreadLostError('the shared thread was ended for another connector'))
      const ended = Promise.race([leave.promise, gone]).then((cause) => {
        channel.close(cause ?? new Error(`connector ${data.connector} was ended`))
        return cause
      })
      const close: ConnectorThreadCalls['close'] = async (request) => {
        await channel.remote.close(request)
        isClosed = true
      }
      return {
        calls: { ...channel.remote, close },
        ended,
        async end() {
          leave.resolve(undefined)
          await ended
          if (isClosed) return
          // It does not answer: only the end of the thread ends it.
          logger.warn('a connector did not let go of the shared thread, which is ended', { connector: data.connector })
          await home.end()
        },
      }
    },
    get threadCount() {
      return shared === undefined ? 0 : 1
    },
    warmUp: () => {},
    close: async () => {
      await shared?.end()
    },
  }
}

function inlineHosts({ world }: HostsOptions): Hosts {
  const open = new Set<ConnectorHost>()
  return {
    start(data, handlers): ConnectorHost {
      const { port1, port2 } = new MessageChannel()
      const channel = openToConnector(port1, handlers)
      serveConnector({ data, port: port2 }, world)
      port1.unref()
      port2.unref()
      const leave = Promise.withResolvers<undefined>()
      const host: ConnectorHost = {
        calls: channel.remote,
        ended: leave.promise,
        async end() {
          open.delete(host)
          channel.close(new Error(`connector ${data.connector} was ended`))
          leave.resolve(undefined)
          await leave.promise
        },
      }
      open.add(host)
      return host
    },
    threadCount: 0,
    warmUp: () => {},
    close: async () => {
      await Promise.all([...open].map((host) => host.end()))
    },
  }
}
