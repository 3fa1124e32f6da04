/** A broker by script on a net in memory, for faults that a real one cannot be made to show. */
import type { Connection, Net } from '../../hub/io/index.ts'
import {
  type Api,
  apis,
  ApiVersions,
  decodeRequestHeader,
  encodeResponse,
  FrameSplitter,
  InitProducerId,
  Metadata,
} from '../../hub/wire/index.ts'

/** What happens to a request: an answer, a cut connection, half an answer and then a cut, or nothing at all. */
export type Reply<P> = P | 'cut' | 'half' | 'silence'
type AnyApi = Api<unknown, unknown, unknown, unknown>
type Handler = (body: unknown, version: number, connection: number) => unknown

export interface ScriptedPeer {
  readonly bootstrap: string
  /** Names of the APIs asked for, in order, without ApiVersions. */
  readonly asked: string[]
  readonly connectionCount: number
  on<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, handler: (body: Q, version: number, connection: number) => Reply<PI> | Promise<Reply<PI>>): void
  /** Versions that it claims to speak; default: all that the codec knows. */
  limit(api: { readonly key: number }, min: number, max: number): void
  cutAll(): void
}

export async function scriptedPeer(net: Net): Promise<ScriptedPeer> {
  const handlers = new Map<number, Handler>()
  const ranges = new Map<number, { min: number; max: number }>()
  const connections = new Set<Connection>()
  const asked: string[] = []
  let connectionCount = 0
  const listener = await net.listen('127.0.0.1', 0, (connection) => {
    connections.add(connection)
    serve(connection, ++connectionCount)
  })

  function serve(connection: Connection, number: number): void {
    const splitter = new FrameSplitter(1 << 24)
    let order = Promise.resolve()
    connection.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) order = order.then(() => answer(connection, number, Buffer.from(frame)))
    })
  }

  async function answer(connection: Connection, number: number, frame: Buffer): Promise<void> {
    const { apiKey, apiVersion, correlationId, reader } = decodeRequestHeader(frame)
    const api = apis.get(apiKey) as AnyApi
    if (api.key !== ApiVersions.key) asked.push(api.name)
    const body = api.request.decode(reader, apiVersion)
    const handler = handlers.get(apiKey)
    const reply = handler === undefined ? fail(api) : await handler(body, apiVersion, number)
    if (connection.destroyed || reply === 'silence') return
    if (reply === 'cut') return void connection.destroy()
    if (reply === 'half') {
      // A size that promises more than comes.
      connection.write(Buffer.from([0, 0, 1, 0, 0, 0]))
      return void connection.end()
    }
    // An ApiVersions error is answered in v0, whatever was asked for.
    const refused = api.key === ApiVersions.key && (reply as { errorCode: number }).errorCode === 35
    const bytes = Buffer.concat(encodeResponse(api, refused ? 0 : apiVersion, correlationId, reply))
    connection.write(bytes)
  }

  function fail(api: AnyApi): never {
    throw new Error(`the script has no answer to ${api.name}`)
  }

  const peer: ScriptedPeer = {
    bootstrap: `127.0.0.1:${listener.port}`,
    asked,
    get connectionCount() {
      return connectionCount
    },
    on: (api, handler) => void handlers.set(api.key, handler as Handler),
    limit: (api, min, max) => void ranges.set(api.key, { min, max }),
    cutAll: () => {
      for (const connection of connections) connection.destroy()
    },
  }
  peer.on(ApiVersions, () => ({
    errorCode: 0,
    apiKeys: [...apis.values()].map(({ key, versions }) => ({
      apiKey: key,
      minVersion: ranges.get(key)?.min ?? versions.min,
      maxVersion: ranges.get(key)?.max ?? versions.max,
    })),
  }))
  peer.on(Metadata, ({ topics }) =>
    metadataOf(
      listener.port,
      (topics ?? []).map(({ name }) => name ?? ''),
    ),
  )
  let producerId = 4000
  peer.on(InitProducerId, () => ({
    throttleTimeMs: 0,
    errorCode: 0,
    producerId: producerId++,
    producerEpoch: 0,
  }))
  return peer
}

/** One broker, and every topic that is asked for with two partitions. */
export function metadataOf(port: number, names: readonly string[], leaderEpoch = 5) {
  return {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port, rack: null }],
    clusterId: 'scripted',
    controllerId: 1,
    topics: names.map((name) => ({
      errorCode: 0,
      name,
      topicId: topicIdOf(name),
      isInternal: false,
      partitions: [0, 1].map((partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        leaderEpoch,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      })),
    })),
    errorCode: 0,
  }
}

/** An id that tells the topic's name. */
export function topicIdOf(name: string): string {
  return Buffer.from(name.padEnd(16, '_')).toString('base64url').slice(0, 22)
}

export function topicNameOf(topicId: string): string {
  return Buffer.from(topicId, 'base64url').toString().replace(/_+$/, '')
}
