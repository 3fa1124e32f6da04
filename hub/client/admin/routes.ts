/** @module client/admin/routes — who is to be asked, and asking until the one that answers is in charge. */
import { type Api, ErrorCode } from '../../wire/index.ts'
import type { Cluster } from '../cluster.ts'
import type { RequestOptions } from '../connection.ts'
import type { Coordinators } from '../coordinators.ts'
import { type ErrorPlace, KafkaError } from '../errors.ts'

/** What the parts of an admin share. */
export interface AdminContext {
  readonly cluster: Cluster
  readonly coordinators: Coordinators
  /** Of transactional ids. */
  readonly transactionCoordinators: Coordinators
}

/** One item's outcome: the other fields hold only when `error` is null. */
export interface ItemResult {
  readonly error: KafkaError | null
}

/** Whom to ask: one broker, the controller (in KRaft any broker passes on what is for it), or anybody. */
export type Target = { readonly nodeId: number } | 'controller' | 'any'

/** Codes that say that another one is in charge; the whole request is asked again. */
const MISDIRECTED: ReadonlySet<number> = new Set([
  ErrorCode.NOT_CONTROLLER,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
])

/** The code as an error, or null for none. */
export function itemError(code: number, message?: string | null, place: ErrorPlace = {}): KafkaError | null {
  return code === ErrorCode.NONE ? null : new KafkaError(code, message, place)
}

/** Throws when an item says that the request went to the wrong place, so that it is asked again. */
export function throwIfMisdirected(codes: Iterable<number>): void {
  for (const code of codes) if (MISDIRECTED.has(code)) throw new KafkaError(code)
}

/** One request to the target, tried again over lost connections and moved controllers for apiTimeoutMs. */
export function ask<Q, QI, P, PI, T>(
  { cluster }: AdminContext,
  target: Target,
  api: Api<Q, QI, P, PI>,
  build: (version: number) => QI,
  judge: (response: P) => T,
  options: RequestOptions = {},
): Promise<T> {
  return cluster.retry(
    api.name,
    options.signal,
    async (signal) => {
      const bounded = { ...options, signal }
      if (target === 'any') return judge(await cluster.askAny(api, build, bounded))
      if (target !== 'controller') return judge(await cluster.ask(target.nodeId, 'control', api, build, bounded))
      if (cluster.image.brokers.size === 0) await cluster.refresh(signal)
      const { controllerId, brokers } = cluster.image
      const known = brokers.has(controllerId)
      return judge(known ? await cluster.ask(controllerId, 'control', api, build, bounded) : await cluster.askAny(api, build, bounded))
    },
    () => cluster.invalidate(),
  )
}
