/** @module test/server/raw-client — a Kafka client that sends exactly what it is told, over any net. */
import type { Connection, Net } from '../../hub/io/index.ts'
import { type Api, decodeResponse, encodeRequest, FrameSplitter, type RequestInput, type ResponseOf } from '../../hub/wire/index.ts'

const FRAME_BYTES_MAX = 1 << 30

/** A connection that speaks in frames. */
export class RawClient implements AsyncDisposable {
  readonly stream: Connection
  readonly #splitter = new FrameSplitter(FRAME_BYTES_MAX)
  readonly #frames: Buffer[] = []
  readonly #waiting: ((frame: Buffer | undefined) => void)[] = []
  #correlationId = 0
  #ended = false

  constructor(stream: Connection) {
    this.stream = stream
    stream.on('data', (chunk: Buffer) => {
      for (const frame of this.#splitter.push(chunk)) this.#arrive(frame)
    })
    stream.on('error', () => {})
    stream.on('end', () => this.#end())
    stream.on('close', () => this.#end())
  }

  static async connect(net: Net, bootstrap: string): Promise<RawClient> {
    const colon = bootstrap.lastIndexOf(':')
    return new RawClient(await net.connect(bootstrap.slice(0, colon), Number(bootstrap.slice(colon + 1))))
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    this.stream.write(bytes)
  }

  /** Sends a request and does not wait; returns its correlation id. */
  post<A extends Api>(api: A, version: number, request: RequestInput<A>): number {
    const correlationId = ++this.#correlationId
    this.write(Buffer.concat(encodeRequest(api, version, correlationId, 'golden', request)))
    return correlationId
  }

  /** The next answer frame, undefined when the connection ended instead. */
  nextFrame(): Promise<Buffer | undefined> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends a request and reads its answer; throws when the connection ends instead, or another request is answered. */
  async call<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    const expected = this.post(api, version, request)
    const frame = await this.nextFrame()
    if (frame === undefined) throw new Error(`the connection ended instead of an answer to ${api.name} v${version}`)
    const { correlationId, value } = decodeResponse(api, version, frame)
    if (correlationId !== expected) throw new Error(`answer ${correlationId} for request ${expected}`)
    return value as ResponseOf<A>
  }

  /** Resolves when the other side has ended the connection; fails when it answers instead. */
  async closed(): Promise<void> {
    const frame = await this.nextFrame()
    if (frame !== undefined) throw new Error(`${frame.length} bytes of an answer where the connection should end`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream.destroy()
    if (!this.stream.closed) await new Promise((resolve) => this.stream.once('close', resolve))
  }

  #arrive(frame: Buffer): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#frames.push(frame)
    else waiting(frame)
  }

  #end(): void {
    this.#ended = true
    for (const waiting of this.#waiting.splice(0)) waiting(undefined)
  }
}
