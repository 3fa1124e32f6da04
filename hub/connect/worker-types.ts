/**
 * @module connect/worker-types — between the control plane on the main thread and a connector's thread: requests with answers in both
 * directions, and events. Everything is plain data that can be cloned.
 */
import type { SourceOffset, SourcePartition } from '@millrace/sdk'
import type { PluginDescription } from './plugins/types.ts'
import type { TaskSettings } from './tasks/types.ts'
import type { ConfigText, State, TargetState } from './types.ts'

/** What a connector's thread is started with. */
export interface ConnectorThreadData {
  readonly connector: string
  readonly settings: TaskSettings
  readonly plugins: readonly PluginDescription[]
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug'
}

/** What the thread can be asked. Each rejects with the error's first line and trace. */
export interface ConnectorThreadCalls {
  /** Checks that the class can be loaded and its configuration parsed; answers with its facts. Then `plan` may be asked. */
  startConnector(request: { readonly config: ConfigText; readonly targetState: TargetState }): Promise<{
    readonly type: 'source' | 'sink'
    readonly version: string
    readonly taskClass: string
  }>
  /** The configurations of the tasks, `task.class` not yet in them. */
  plan(request: { readonly taskCountMax: number }): Promise<readonly ConfigText[]>
  /** Starts a task; answers once it runs (or is paused). A later failure comes as an event. */
  startTask(request: {
    readonly task: number
    readonly config: ConfigText
    readonly connectorConfig: ConfigText
    readonly targetState: 'STARTED' | 'PAUSED'
  }): Promise<{ readonly version: string }>
  /**
   * Ends a task within its grace; one that does not run is no error. `isClean` false: it was cut off, so that something of it may still
   * go on in the thread.
   */
  stopTask(request: { readonly task: number; readonly graceMs: number }): Promise<{ readonly isClean: boolean }>
  setTargetState(request: { readonly targetState: 'STARTED' | 'PAUSED' }): Promise<void>
  /** Answers at once: a thread that does not is kept busy by its plugin. */
  ping(): Promise<void>
  /** Lets go of everything; the thread may then be ended. */
  close(request: { readonly graceMs: number }): Promise<void>
}

/** The names of {@link ConnectorThreadCalls}. */
export const CONNECTOR_THREAD_CALLS = [
  'startConnector',
  'plan',
  'startTask',
  'stopTask',
  'setTargetState',
  'ping',
  'close',
] as const satisfies readonly (keyof ConnectorThreadCalls)[]

/** What the thread asks the control plane. */
export interface ControlCalls {
  readOffsets(request: { readonly partitions: readonly SourcePartition[] }): Promise<readonly (SourceOffset | null)[]>
}

/** The names of {@link ControlCalls}. */
export const CONTROL_CALLS = ['readOffsets'] as const satisfies readonly (keyof ControlCalls)[]

/** What the thread tells. */
export type ThreadEvent =
  /** A task ended by a failure, or was paused or resumed. */
  | { readonly kind: 'task'; readonly task: number; readonly state: State; readonly trace: string | null }
  /** The connector asks to be planned again. */
  | { readonly kind: 'replan' }
  | { readonly kind: 'topic'; readonly task: number; readonly topic: string }
  | {
      readonly kind: 'log'
      readonly level: 'error' | 'warn' | 'info' | 'debug'
      readonly message: string
      readonly facts: Readonly<Record<string, unknown>>
    }

/** A connector's thread as the control plane holds it. */
export interface ConnectorHost {
  readonly calls: ConnectorThreadCalls
  /**
   * Resolves when the thread is gone: undefined after `end`, else the error that ended it. A ThreadLostError says that it was no fault of
   * this connector's (another one of a shared thread had to be ended): it may simply be started again.
   */
  readonly ended: Promise<Error | undefined>
  /** Ends the thread at once. */
  end(): Promise<void>
}

/** The thread went away for another connector's sake. */
export class ThreadLostError extends Error {
  override readonly name = 'ThreadLostError'
}

/** Starts a connector's thread. */
export type HostFactory = (
  data: ConnectorThreadData,
  handlers: { readonly control: ControlCalls; readonly onEvent: (event: ThreadEvent) => void },
) => ConnectorHost
