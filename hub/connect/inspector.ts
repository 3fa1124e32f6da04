/**
 * @module connect/inspector — the control plane's side of the inspection thread. Plugins are imported and asked there, so that what they do
 * while they are imported, or how long their checks take, is no matter of the main thread.
 *
 * The thread is made with the first question, and again with the next one after it was idle for a while: then plugins are looked for anew.
 * It may die of a plugin, or stop answering. While it looks for plugins, the module that is to blame is left out from then on and the
 * question asked again; later, the question is answered with an error and the next one finds a new thread.
 */
import { MessageChannel } from 'node:worker_threads'
import type { Clock } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { type Channel, openChannel } from './channel.ts'
import { ImportWatch, isInspectionEvent } from './import-watch.ts'
import { INSPECTOR_CALLS, type InspectionMessage, type InspectionSettings } from './inspection-thread.ts'
import type { Inspector } from './plugins/types.ts'
import { startWorkerThread } from './thread-options.ts'
import { ConnectRequestError } from './types.ts'

/** Limits of the inspection thread. */
export const INSPECTOR_LIMITS = {
  /** Above what the inspection itself allows a plugin (validation/inspection.ts): a thread that is silent for longer hangs. */
  answerMsMax: 80_000,
  /**
   * A thread that was asked nothing for so long ends: it takes as much memory as a connector's, which a connector's thread then gets. Long
   * enough for somebody who tries one configuration after another: the first question to a new thread takes half a second.
   */
  idleMsMax: 600_000,
  /** Nothing flows through an inspection: it needs little room for what is short-lived. */
  youngMegabytesMax: 4,
} as const

interface InspectionThread {
  readonly channel: Channel<Inspector, never>
  /** A module that is to blame for the end of this thread was left out: what was asked may be asked again. */
  isReplaced: boolean
  readonly watch: ImportWatch
  end(reason: Error): Promise<void>
}

/** Starts a thread; `onLost` hears when it has ended by itself. */
function startThread(
  message: Omit<InspectionMessage, 'port'>,
  onLost: (thread: InspectionThread, cause: string, stack: string | undefined) => void,
): InspectionThread {
  const worker = startWorkerThread('inspection', { youngMegabytesMax: INSPECTOR_LIMITS.youngMegabytesMax })
  worker.unref()
  const { port1, port2 } = new MessageChannel()
  const channel = openChannel<never, Inspector>(port1, { local: () => ({}) as never, remoteNames: INSPECTOR_CALLS })
  port1.unref()
  worker.postMessage({ ...message, port: port2 }, [port2])
  const watch = new ImportWatch()
  let isEnding = false
  let thrown: Error | undefined
  const made: InspectionThread = {
    channel,
    isReplaced: false,
    watch,
    async end(reason) {
      isEnding = true
      channel.close(reason)
      await worker.terminate()
    },
  }
  worker.on('message', (message: unknown) => {
    if (isInspectionEvent(message)) watch.note(message)
  })
  worker.on('error', (error: unknown) => {
    thrown = error instanceof Error ? error : new Error(`a plugin threw ${String(error)}`)
  })
  // Node hands over what the thread has told before it says that the thread is gone.
  worker.on('exit', (code) => {
    if (isEnding) return
    onLost(made, thrown?.message ?? `process.exit(${code})`, thrown?.stack)
  })
  return made
}

/** An inspector in a thread of its own. */
export function createThreadInspector(settings: InspectionSettings, clock: Clock, logger: Logger): Inspector {
  /** Modules that are not to be imported until plugins are looked for anew, with what they did. */
  const shunned = new Map<string, string>()
  let thread: InspectionThread | undefined
  let isClosed = false
  let openCount = 0
  let idle = { cancel: (): void => {} }

  const leave = (gone: InspectionThread, cause: string, stack?: string): void => {
    if (thread === gone) thread = undefined
    const culprit = gone.watch.culprit(stack)
    if (culprit !== undefined && !shunned.has(culprit)) {
      shunned.set(culprit, cause)
      gone.isReplaced = true
    }
    logger.error('the inspection of plugins ended, a plugin brought it down', {
      cause,
      ...(culprit === undefined ? {} : { module: culprit }),
    })
  }
  const onLost = (gone: InspectionThread, cause: string, stack: string | undefined): void => {
    leave(gone, cause, stack)
    gone.channel.close(new ConnectRequestError(500, `The inspection of plugins ended: ${cause}`))
  }
  const onSilent = (silent: InspectionThread): void => {
    const cause = `a plugin keeps its thread busy for more than ${INSPECTOR_LIMITS.answerMsMax} ms`
    leave(silent, cause)
    void silent.end(new ConnectRequestError(500, `Request timed out: ${cause}`))
  }
  const onIdle = (): void => {
    shunned.clear()
    const ended = thread
    thread = undefined
    void ended?.end(new Error('the inspection is idle'))
  }

  const askThread = async <T>(asked: InspectionThread, question: (inspector: Inspector) => Promise<T>): Promise<T> => {
    const timer = clock.timer(INSPECTOR_LIMITS.answerMsMax, () => onSilent(asked))
    // The port does not keep the process alive, an open question does.
    const hold = clock.hold()
    idle.cancel()
    openCount++
    try {
      return await question(asked.channel.remote)
    } finally {
      timer.cancel()
      hold.release()
      openCount--
      if (openCount === 0) idle = clock.timer(INSPECTOR_LIMITS.idleMsMax, onIdle)
    }
  }
  const ask = async <T>(question: (inspector: Inspector) => Promise<T>): Promise<T> => {
    for (;;) {
      if (isClosed) throw new ConnectRequestError(500, 'The worker is shutting down')
      thread ??= startThread({ settings, shunned }, onLost)
      const asked = thread
      try {
        return await askThread(asked, question)
      } catch (error) {
        if (!asked.isReplaced) throw error
      }
    }
  }

  return {
    catalog: () => ask((inspector) => inspector.catalog()),
    describe: (pluginName) => ask((inspector) => inspector.describe(pluginName)),
    validate: (request) => ask((inspector) => inspector.validate(request)),
    async close() {
      isClosed = true
      idle.cancel()
      await thread?.end(new ConnectRequestError(500, 'The worker is shutting down'))
    },
  }
}
