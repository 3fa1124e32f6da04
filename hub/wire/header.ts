/**
 * @module wire/header — what stands before the body of a request and of a response.
 *
 * A request header is version 1, or 2 in flexible versions; the client id keeps its old length prefix in both, so that a
 * broker can read the first fields of any request. A response header is version 0 or 1; for ApiVersions always 0.
 */
import { apis } from './apis.ts'
import { data } from './message.ts'
import { Reader, REQUEST_LIMITS } from './reader.ts'
import { int16, int32, string } from './schema.ts'

export const RequestHeader = data('RequestHeader', {
  versions: '1-2',
  flexible: 2,
  fields: {
    requestApiKey: int16,
    requestApiVersion: int16,
    correlationId: int32,
    clientId: string.orNull().notCompact(),
  },
})

export const ResponseHeader = data('ResponseHeader', {
  versions: '0-1',
  flexible: 1,
  fields: {
    correlationId: int32,
  },
})

/** A request's header, and the reader that stands at its body. */
export interface RequestFrame {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Null also where the API key is unknown: nobody can tell how its header goes on. */
  readonly clientId: string | null
  readonly reader: Reader
}

/**
 * Reads the header of a request frame (without its size prefix) in the version that its API key and version call for.
 * The API version may lie outside what we know. The body is read within REQUEST_LIMITS. Throws DecodeError.
 */
export function decodeRequestHeader(frame: Buffer): RequestFrame {
  const reader = new Reader(frame, 0, REQUEST_LIMITS)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const api = apis.get(apiKey)
  if (api === undefined) return { apiKey, apiVersion, correlationId: reader.int32(), clientId: null, reader }
  reader.rewind(0)
  const { correlationId, clientId } = RequestHeader.decode(reader, api.requestHeaderVersion(apiVersion))
  return { apiKey, apiVersion, correlationId, clientId, reader }
}

/** Reads the header of a response frame: the correlation id, and the reader at the body. Throws DecodeError. */
export function decodeResponseHeader(frame: Buffer, headerVersion: number): { readonly correlationId: number; readonly reader: Reader } {
  const reader = new Reader(frame)
  return { correlationId: ResponseHeader.decode(reader, headerVersion).correlationId, reader }
}
