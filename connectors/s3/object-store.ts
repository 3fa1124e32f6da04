/**
 * @module connector-s3/object-store — what the sink needs of a store of objects: whole objects, and uploads in parts that become one object
 * at their end or none.
 *
 * Every call tries again by itself for a while. It rejects with a RetriableError when the store is not there for now, with a FatalError when
 * only somebody who acts can help, and with the reason of its signal.
 */

/** An object that is to be. */
export interface NewObject {
  readonly name: string
  /** MIME type. */
  readonly contentType: string
}

/** An upload in parts. */
export interface PartedUpload extends NewObject {
  readonly id: string
}

/** A part that the store has. */
export interface StoredPart {
  readonly number: number
  readonly etag: string
  /** Its CRC-32 as the store told it, where checksums are in use. */
  readonly crc32: string | undefined
}

/** The store has forgotten an upload in parts: it was given up by somebody else, or it was completed and the answer got lost. */
export class LostUpload extends Error {
  override readonly name = 'LostUpload'
}

/** See the module. */
export interface ObjectStore {
  /** Rejects when the bucket is not there or what was given does not open it. */
  check(signal: AbortSignal): Promise<void>
  /** Stores a whole object, in place of one that has its name. */
  put(object: NewObject, body: Uint8Array, signal: AbortSignal): Promise<void>
  /** Begins an upload in parts. */
  begin(object: NewObject, signal: AbortSignal): Promise<PartedUpload>
  /** Stores a part; all but the last have at least 5 MiB. Numbers begin with 1. @throws LostUpload */
  putPart(upload: PartedUpload, number: number, body: Uint8Array, signal: AbortSignal): Promise<StoredPart>
  /** Makes an object of the parts, in place of one that has its name. @throws LostUpload */
  complete(upload: PartedUpload, parts: readonly StoredPart[], signal: AbortSignal): Promise<void>
  /** Gives an upload up with all its parts; one that the store knows no more is given up already. */
  abort(upload: PartedUpload, signal: AbortSignal): Promise<void>
  /** Lets go of connections. */
  close(): void
}
