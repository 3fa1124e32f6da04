/**
 * @module api/handler — what a handler is and what it is given.
 *
 * A handler file is numbered as its API key, opens with the versions served and what they changed, and exports one definition. Handlers
 * answer Kafka error codes as values; a throw is a broken programmer and costs the connection, never the process.
 */
import type { Controller, MetadataImage } from '../cluster/index.ts'
import type { AnswerBudget } from './answer-budget.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { BrokerConfig, BrokerSources } from '../config/index.ts'
import type { Clock, Disk, Random } from '../io/index.ts'
import type { GroupCoordinator } from '../group/index.ts'
import type { LogDirectory } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Partitions, RisingMark } from '../replica/index.ts'
import type { MarkerWriter, TransactionCoordinator } from '../txn/index.ts'
import type { Api, RequestOf, ResponseInput } from '../wire/index.ts'

/** The connection a request came by. */
export interface ConnectionFacts {
  /** The peer as Kafka prints it: `/127.0.0.1`. */
  readonly clientHost: string
  /** Which listener's endpoints the peer can reach. */
  readonly listenerName: string
  /** Aborted when the connection closes. Made at the first use: most connections never need it. */
  readonly signal: AbortSignal
  /** Rises from 0 to 1 when the connection closes: what waits for it alone gives up. */
  readonly gone: RisingMark
}

/** One request's circumstances. */
export interface RequestContext {
  readonly apiVersion: number
  /** Empty when the client gave none. */
  readonly clientId: string
  readonly connection: ConnectionFacts
  /** Calls back (the last one given) once: when the answer's bytes are with the operating system, or (`isSent` false) when they never will be. */
  afterSent(callback: (isSent: boolean) => void): void
}

/** What the handlers work on; `hub.ts` puts it together. */
export interface Broker {
  readonly nodeId: number
  readonly clock: Clock
  readonly disk: Disk
  readonly random: Random
  readonly logger: Logger
  readonly controller: Controller
  readonly partitions: Partitions
  readonly directory: LogDirectory
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  /** Ends transactions in the partitions of this broker. */
  readonly markers: MarkerWriter
  /** Makes `__consumer_offsets` when it is absent; resolves with the error code. */
  readonly ensureOffsetsTopic: () => Promise<number>
  /** The configuration in force; the same object until something changes. */
  readonly config: () => ConfigInForce
  /** Bytes that fetches hold. */
  readonly answers: AnswerBudget
  readonly fetchSessions: FetchSessions
  /** Rises from 0 to 1 when the hub begins to stop: waiting fetches answer with what there is. */
  readonly stopping: RisingMark
}

/** A broker's settings: their values and where they come from. */
export interface ConfigInForce {
  readonly brokerConfig: BrokerConfig
  readonly sources: BrokerSources
}

/** No answer goes out and the connection stays (acks=0). */
export const NO_ANSWER = Symbol('no answer')
/** No answer goes out and the connection is closed. */
export const CLOSE_CONNECTION = Symbol('close connection')

type Answer<A extends Api> = ResponseInput<A> | typeof NO_ANSWER | typeof CLOSE_CONNECTION

export type Handle<A extends Api> = (request: RequestOf<A>, context: RequestContext) => Answer<A> | Promise<Answer<A>>

/** One API: its message, how it is served, and whether requests behind it may begin before it is answered. */
export interface HandlerDefinition<A extends Api = Api> {
  readonly api: A
  /**
   * True when all that has an order (appends) happens before the handler first waits, so that the next request of the connection may begin
   * meanwhile. All others run one after another, as in Kafka, where a connection has one request in work.
   */
  readonly overlaps: boolean
  /** True for appends by clients: they begin only while the log directory keeps up with its disk. */
  readonly heldByBacklog?: true
  create(broker: Broker): Handle<A>
}

/** Types a definition by its API. */
export function defineHandler<A extends Api>(definition: HandlerDefinition<A>): HandlerDefinition<A> {
  return definition
}

/** Brokers that a client of `listenerName` can reach. */
export function reachableBrokers(image: MetadataImage, listenerName: string) {
  const reachable = []
  for (const broker of image.brokers.values()) {
    const endpoint = broker.endpoints.find((candidate) => candidate.name === listenerName)
    if (endpoint === undefined || broker.fenced) continue
    reachable.push({ nodeId: broker.brokerId, host: endpoint.host, port: endpoint.port, rack: broker.rack })
  }
  return reachable
}

/** Bits of the operations that the caller may do (KIP-430), for everybody as long as there is no authorizer; −2^31 = not asked for. */
export const authorizedOperations = { notAsked: -2147483648, topic: 3576, cluster: 8096, group: 3400 } as const

const INTERNAL_TOPICS = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Topics that the broker keeps for itself: marked in Metadata and closed to produce and DeleteRecords. */
export function isInternalTopic(topic: string): boolean {
  return INTERNAL_TOPICS.has(topic)
}
