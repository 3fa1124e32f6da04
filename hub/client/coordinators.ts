/** @module client/coordinators — which broker coordinates a group or a transactional id, and asking it until it answers for good. */
import { type Api, CoordinatorType, ErrorCode, FindCoordinator } from '../wire/index.ts'
import type { Cluster } from './cluster.ts'
import type { BrokerConnection, RequestOptions } from './connection.ts'
import { ClientError, type ErrorPlace, KafkaError, throwIfError } from './errors.ts'
import type { Lane } from './links.ts'

/** Codes that say: this broker no longer coordinates the group, or can't now. */
const LOST_COORDINATOR: ReadonlySet<number> = new Set([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE])

/** Coordinators by group, or by transactional id. */
export class Coordinators {
  readonly #cluster: Cluster
  readonly #kind: 'group' | 'transaction'
  readonly #known = new Map<string, number>()

  /** `kind`: what the ids name. */
  constructor(cluster: Cluster, kind: 'group' | 'transaction' = 'group') {
    this.#cluster = cluster
    this.#kind = kind
  }

  /** Node id of the coordinator of the group (or transactional id), looked up when unknown. One attempt. */
  async find(groupId: string, signal?: AbortSignal): Promise<number> {
    const known = this.#known.get(groupId)
    if (known !== undefined) return known
    const isGroup = this.#kind === 'group'
    const keyType = isGroup ? CoordinatorType.GROUP : CoordinatorType.TRANSACTION
    const response = await this.#cluster.askAny(
      FindCoordinator,
      // v4 asks for many keys at once (KIP-699).
      (version) => (version >= 4 ? { key: '', keyType, coordinatorKeys: [groupId] } : { key: groupId, keyType, coordinatorKeys: [] }),
      { signal, versionMin: isGroup ? 0 : 1 },
    )
    const found = response.coordinators.find(({ key }) => key === groupId) ?? {
      ...response,
      key: groupId,
    }
    throwIfError(found.errorCode, found.errorMessage, this.#place(groupId))
    if (!this.#cluster.image.brokers.has(found.nodeId)) await this.#cluster.refresh(signal)
    this.#known.set(groupId, found.nodeId)
    return found.nodeId
  }

  /** Forgets it when the error shows that it moved or died. */
  noteError(groupId: string, error: unknown): void {
    const lost =
      (error instanceof KafkaError && LOST_COORDINATOR.has(error.code)) || (error instanceof ClientError && error.kind === 'disconnected')
    if (lost) this.forget(groupId)
  }

  forget(groupId: string): void {
    this.#known.delete(groupId)
  }

  /** The connection to the coordinator. */
  async connect(groupId: string, lane: Lane, signal?: AbortSignal): Promise<BrokerConnection> {
    try {
      return await this.#cluster.connect(await this.find(groupId, signal), lane, signal)
    } catch (error) {
      this.noteError(groupId, error)
      throw error
    }
  }

  /** Asks the coordinator once; the caller judges the answer's code. */
  async ask<Q, QI, P, PI>(
    groupId: string,
    lane: Lane,
    api: Api<Q, QI, P, PI>,
    build: (version: number) => QI,
    options: RequestOptions = {},
  ): Promise<P> {
    try {
      return await this.#cluster.ask(await this.find(groupId, options.signal), lane, api, build, options)
    } catch (error) {
      this.noteError(groupId, error)
      throw error
    }
  }

  /** Asks the coordinator until `judge` accepts the answer (it throws the answer's error) or the error is final. */
  retry<Q, QI, P, PI, T>(
    groupId: string,
    api: Api<Q, QI, P, PI>,
    build: (version: number) => QI,
    judge: (response: P) => T,
    options: RequestOptions = {},
  ): Promise<T> {
    return this.#cluster.retry(
      `${api.name} for ${this.#kind === 'group' ? 'group' : 'transactional id'} ${groupId}`,
      options.signal,
      async (bounded) =>
        judge(
          await this.ask(groupId, 'control', api, build, {
            ...options,
            signal: bounded,
          }),
        ),
      (error) => this.noteError(groupId, error),
    )
  }

  #place(id: string): ErrorPlace {
    return this.#kind === 'group' ? { groupId: id } : { transactionalId: id }
  }
}
