/**
 * @module connector-postgres/replication/wal-frames — what flows in CopyData once a stream is open (PostgreSQL documentation, "Streaming
 * Replication Protocol"). Pure.
 */
import type { Lsn } from '../model.ts'
import { FRAME_HEADER_BYTES, frameBytes } from './copy-tap.ts'
import { ConnectionError } from './errors.ts'

const XLOG_DATA = 0x77
const KEEPALIVE = 0x6b
const STATUS_UPDATE = 0x72

/** Letter, start, end and time in front of the output plugin's message. */
const XLOG_DATA_HEADER_BYTES = 25
const KEEPALIVE_BYTES = 18
const STATUS_UPDATE_BYTES = 34

/** Milliseconds between 1970 and 2000, from which the server counts. */
const SERVER_EPOCH_MS = 946_684_800_000

/** A message of the output plugin, or the server's word how far its log goes. */
export type StreamItem =
  | {
      readonly kind: 'data'
      /** Where in the log the change stands. */
      readonly walStart: Lsn
      /** The plugin's message, a view. */
      readonly bytes: Buffer
    }
  | {
      readonly kind: 'keepalive'
      /** Everything before it that concerns this stream has been sent. */
      readonly walEnd: Lsn
      /** Whether the server waits for an answer (it has had one): it is about to stop, or has heard nothing for long. */
      readonly isReplyRequested: boolean
    }

/** The item in the CopyData frame that stands in `bytes[at …]`. Throws ConnectionError for another frame. */
export function streamItem(bytes: Buffer, at: number): StreamItem {
  const start = at + FRAME_HEADER_BYTES
  const end = at + frameBytes(bytes, at)
  const letter = start < end ? bytes[start] : undefined
  if (letter === XLOG_DATA && end - start >= XLOG_DATA_HEADER_BYTES) {
    return { kind: 'data', walStart: lsnAt(bytes, start + 1), bytes: bytes.subarray(start + XLOG_DATA_HEADER_BYTES, end) }
  }
  if (letter === KEEPALIVE && end - start >= KEEPALIVE_BYTES) {
    return { kind: 'keepalive', walEnd: lsnAt(bytes, start + 1), isReplyRequested: bytes[start + KEEPALIVE_BYTES - 1] === 1 }
  }
  throw new ConnectionError(`a replication frame of kind ${letter} and ${end - start} bytes: out of step`)
}

/** How far the client is. */
export interface Status {
  /** Received. */
  readonly written: Lsn
  /** The server may forget what lies before; 0: it learns nothing of it. */
  readonly acknowledged: Lsn
  /** Whether the server shall answer with a keepalive at once. */
  readonly isReplyRequested: boolean
  readonly nowMs: number
}

/** A standby status update as a CopyData frame; what is acknowledged counts as flushed and applied. */
export function statusUpdate({ written, acknowledged, isReplyRequested, nowMs }: Status): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + STATUS_UPDATE_BYTES)
  frame[0] = 0x64
  frame.writeUInt32BE(4 + STATUS_UPDATE_BYTES, 1)
  frame[5] = STATUS_UPDATE
  writeLsn(frame, Math.max(written, acknowledged), 6)
  writeLsn(frame, acknowledged, 14)
  writeLsn(frame, acknowledged, 22)
  frame.writeBigInt64BE(BigInt(nowMs - SERVER_EPOCH_MS) * 1000n, 30)
  frame[38] = isReplyRequested ? 1 : 0
  return frame
}

/** Ends a copy from the client's side. */
export function copyDone(): Buffer {
  return Buffer.from([0x63, 0, 0, 0, 4])
}

function lsnAt(bytes: Buffer, at: number): Lsn {
  const lsn = bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
  if (!Number.isSafeInteger(lsn)) throw new ConnectionError('a log position beyond 2^53')
  return lsn
}

function writeLsn(bytes: Buffer, lsn: Lsn, at: number): void {
  bytes.writeUInt32BE(Math.floor(lsn / 0x1_0000_0000), at)
  bytes.writeUInt32BE(lsn % 0x1_0000_0000, at + 4)
}
