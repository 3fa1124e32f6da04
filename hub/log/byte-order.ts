/** @module log/byte-order — big-endian integers in the room's binary files, without BigInt. */

/** A big-endian int64 within ±2^53 as a number. */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x100000000 + buffer.readUInt32BE(at + 4)
}

/** Writes a safe integer as a big-endian int64. */
export function writeInt64(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 0x100000000)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * 0x100000000, at + 4)
}
