/**
 * @module wire/message — messages, APIs and persisted records: schemas with their compiled codecs.
 *
 * Codecs are compiled on first use, per version and direction. Whether a version is flexible is a fact of the message,
 * never a flag that travels through calls.
 */
import type { Decode, Encode, Trace } from './compile.ts'
import { compileDecoder, compileEncoder } from './compile.ts'
import { DecodeError } from './errors.ts'
import type { Reader } from './reader.ts'
import type { Decoded, Input, Shape, VersionRange } from './schema.ts'
import { parseVersions } from './schema.ts'
import type { Writer } from './writer.ts'

/** One message in all its versions: `D` is what decoding yields, `I` what encoding takes. */
export class Message<D, I> {
  declare readonly decoded: D
  declare readonly input: I
  /** As in a decode error's path: "Produce", "TopicRecord". */
  readonly name: string
  readonly versions: VersionRange
  /** First flexible version (KIP-482); Infinity where none is. */
  readonly flexible: number
  readonly fields: Shape
  readonly #source: string
  readonly #decoders: (Decode | undefined)[] = []
  readonly #encoders: (Encode | undefined)[] = []
  readonly #tracers: (Decode | undefined)[] = []

  /** `source` names the compiled text in stack traces. */
  constructor(name: string, versions: VersionRange, flexible: number, fields: Shape, source = name) {
    this.name = name
    this.versions = versions
    this.flexible = flexible
    this.fields = fields
    this.#source = source
  }

  /**
   * Reads one message at the reader's position; bytes behind it are left alone, as Kafka leaves them. Fields that the
   * version lacks have their default. Throws DecodeError, with the path of the field.
   */
  decode(reader: Reader, version: number): D {
    const decode = this.#decoders[version] ?? this.#compileDecoder(version)
    const start = reader.position
    try {
      return decode(reader) as D
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw this.#locate(reader, start, version, error)
    }
  }

  /**
   * Writes one message. Fields that the version lacks are not written, whatever their value: the caller picks a version
   * that can carry what it says. Throws TypeError or RangeError for values that no caller may pass.
   */
  encode(value: I, version: number, writer: Writer): void {
    const encode = this.#encoders[version] ?? this.#compileEncoder(version)
    encode(writer, value)
  }

  /** Whether this version uses compact lengths and tagged fields. */
  isFlexible(version: number): boolean {
    return version >= this.flexible
  }

  #compileDecoder(version: number): Decode {
    this.#assertVersion(version)
    const decode = compileDecoder(this.#plan(version))
    this.#decoders[version] = decode
    return decode
  }

  #compileEncoder(version: number): Encode {
    this.#assertVersion(version)
    const encode = compileEncoder(this.#plan(version))
    this.#encoders[version] = encode
    return encode
  }

  #plan(version: number) {
    return { name: this.#source, fields: this.fields, version, flexible: this.isFlexible(version) }
  }

  #assertVersion(version: number): void {
    const { min, max } = this.versions
    if (!(Number.isInteger(version) && version >= min && version <= max))
      throw new RangeError(`${this.name} has versions ${min}-${max}, not ${version}`)
  }

  /** Decodes once more with a decoder that keeps its place, to tell where the bytes went wrong. */
  #locate(reader: Reader, start: number, version: number, error: DecodeError): DecodeError {
    const steps: (string | number)[] = []
    const trace: Trace = { enter: (step) => void steps.push(step), leave: () => void steps.pop() }
    const tracer = (this.#tracers[version] ??= compileDecoder({ ...this.#plan(version), traced: true }))
    reader.rewind(start)
    try {
      tracer(reader, trace)
    } catch (again) {
      if (!(again instanceof DecodeError)) throw again
    }
    const path = steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
    return new DecodeError(error.reason, `${this.name}.v${version}${path}`)
  }
}

/** One API key: its request and response in all versions. */
export class Api<Q = unknown, QI = unknown, P = unknown, PI = unknown> {
  /** The key on the wire. */
  readonly key: number
  readonly name: string
  /** Versions that can be decoded and encoded. */
  readonly versions: VersionRange
  /** Versions that a broker lists in ApiVersions: Produce lists more than it accepts, unstable versions are not listed. */
  readonly advertised: VersionRange
  /** Kinds of listener on which Kafka serves the API. */
  readonly listeners: readonly Listener[]
  readonly request: Message<Q, QI>
  readonly response: Message<P, PI>

  constructor(facts: ApiFacts, request: Message<Q, QI>, response: Message<P, PI>) {
    this.key = facts.key
    this.name = facts.name
    this.versions = facts.versions
    this.advertised = facts.advertised
    this.listeners = facts.listeners
    this.request = request
    this.response = response
  }

  /** 2 (with tagged fields) in flexible versions, else 1. Header version 0 is gone with ControlledShutdown v0. */
  requestHeaderVersion(version: number): number {
    return this.request.isFlexible(version) ? 2 : 1
  }

  /** 1 in flexible versions, else 0; ApiVersions always answers with header 0, so that any client can read it (KIP-511). */
  responseHeaderVersion(version: number): number {
    return this.response.isFlexible(version) && this.key !== API_VERSIONS_KEY ? 1 : 0
  }
}

/** Kinds of listener of a node. */
export type Listener = 'broker' | 'controller'

interface ApiFacts {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly advertised: VersionRange
  readonly listeners: readonly Listener[]
}

const API_VERSIONS_KEY = 18

/** Decoded form of an API's request: `type HeartbeatRequest = RequestOf<typeof Heartbeat>`. */
export type RequestOf<A extends { request: { decoded: unknown } }> = A['request']['decoded']
/** Decoded form of an API's response. */
export type ResponseOf<A extends { response: { decoded: unknown } }> = A['response']['decoded']
/** What a request encoder takes. */
export type RequestInput<A extends { request: { input: unknown } }> = A['request']['input']
/** What a response encoder takes. */
export type ResponseInput<A extends { response: { input: unknown } }> = A['response']['input']
/** Decoded form of a persisted record or data message. */
export type DecodedOf<M extends { decoded: unknown }> = M['decoded']
/** What the encoder of a persisted record or data message takes. */
export type InputOf<M extends { input: unknown }> = M['input']

/** The literal of one API. `flexible` is the first flexible version, left out where there is none. */
interface ApiLiteral<Q extends Shape, P extends Shape> {
  readonly versions: string
  readonly flexible?: number
  /** Where it differs from `versions`. */
  readonly advertised?: string
  /** Left out: the broker's listeners only. */
  readonly listeners?: readonly Listener[]
  readonly request: Q
  readonly response: P
}

/** Declares an API. */
export function api<const Q extends Shape, const P extends Shape>(
  key: number,
  name: string,
  literal: ApiLiteral<Q, P>,
): Api<Decoded<Q>, Input<Q>, Decoded<P>, Input<P>> {
  const versions = parseVersions(literal.versions)
  const advertised = parseVersions(literal.advertised ?? literal.versions)
  const flexible = literal.flexible ?? Number.POSITIVE_INFINITY
  const source = name.replace(/\B[A-Z]/g, '-$&').toLowerCase()
  return new Api(
    { key, name, versions, advertised, listeners: literal.listeners ?? ['broker'] },
    new Message(name, versions, flexible, literal.request, source),
    new Message(name, versions, flexible, literal.response, `${source}.response`),
  )
}

/** A persisted record or another message that is no request; `name` and `apiKey` are literal types. */
export class DataMessage<N extends string, K extends number, D, I> extends Message<D, I> {
  declare readonly name: N
  /** Type of the record among its kind (coordinator records, metadata records); −1 where there is none. */
  readonly apiKey: K

  constructor(name: N, apiKey: K, versions: VersionRange, flexible: number, fields: Shape) {
    super(name, versions, flexible, fields)
    this.apiKey = apiKey
  }
}

/** A data message of whatever fields. */
export type AnyDataMessage = DataMessage<string, number, unknown, unknown>

/** The literal of one data message. */
interface DataLiteral<S extends Shape> {
  readonly versions: string
  readonly flexible?: number
  readonly fields: S
}

/** Declares a persisted record that has a type number among its kind. */
export function record<const N extends string, const K extends number, const S extends Shape>(
  apiKey: K,
  name: N,
  literal: DataLiteral<S>,
): DataMessage<N, K, Decoded<S>, Input<S>> {
  const flexible = literal.flexible ?? Number.POSITIVE_INFINITY
  return new DataMessage(name, apiKey, parseVersions(literal.versions), flexible, literal.fields)
}

/** Declares a data message without a type number. */
export function data<const N extends string, const S extends Shape>(
  name: N,
  literal: DataLiteral<S>,
): DataMessage<N, -1, Decoded<S>, Input<S>> {
  return record(-1, name, literal)
}
