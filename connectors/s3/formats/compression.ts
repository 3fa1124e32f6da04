/**
 * @module connector-s3/formats/compression — bytes of an object on their way through gzip or zstd, or as they are.
 *
 * The same pieces in the same order always give the same bytes: no time of writing in the header of gzip (Node leaves it zero), and
 * nothing is flushed before the end. Node's threads do the work, one piece of an object after the other.
 */
import { constants, createGzip, createZstdCompress, type Gzip, type ZstdCompress } from 'node:zlib'
import type { FormatSettings } from '../format.ts'

/** Takes pieces and gives compressed ones, as an {@link ../format.ObjectWriter} does with records. */
export interface Compressor {
  /** Adds a piece, which is the compressor's from then on. */
  write(piece: Uint8Array): void
  takeBytes(): readonly Uint8Array[]
  readonly bufferedBytes: number
  /** Resolves when the compressor has taken in all that was written. */
  settle(): Promise<void>
  finish(): Promise<readonly Uint8Array[]>
  abandon(): void
}

/** Makes the compressor of one object. */
export function openCompressor({ compression, compressionLevel }: FormatSettings): Compressor {
  switch (compression) {
    case 'none':
      return passThrough()
    case 'gzip':
      return throughStream(createGzip({ level: compressionLevel }), gzipBytes)
    case 'zstd': {
      const level = compressionLevel < 0 ? constants.ZSTD_CLEVEL_DEFAULT : compressionLevel
      return throughStream(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }), zstdBytes(level))
    }
  }
}

/** Memory of deflate's window and tables, by the formula in zlib's documentation for 15 bits and memory level 8 or 9. */
const gzipBytes = 512 * 1024

/** Memory of one zstd stream by level, as measured; a level's windows and tables do not depend on what is written. */
function zstdBytes(level: number): number {
  const [, mebibytes] = zstdMebibytes.find(([upTo]) => level <= upTo)!
  return mebibytes * 1024 * 1024
}

const zstdMebibytes: readonly (readonly [level: number, mebibytes: number])[] = [
  [2, 3],
  [3, 4],
  [6, 7],
  [9, 20],
  [12, 48],
  [15, 72],
  [19, 96],
  [Number.POSITIVE_INFINITY, 700],
]

function passThrough(): Compressor {
  let pieces: Uint8Array[] = []
  let byteCount = 0
  const takeBytes = (): readonly Uint8Array[] => {
    const taken = pieces
    pieces = []
    byteCount = 0
    return taken
  }
  return {
    write(piece) {
      pieces.push(piece)
      byteCount += piece.byteLength
    },
    takeBytes,
    get bufferedBytes() {
      return byteCount
    },
    settle: () => Promise.resolve(),
    finish: () => Promise.resolve(takeBytes()),
    abandon: takeBytes,
  }
}

function throughStream(stream: Gzip | ZstdCompress, ownBytes: number): Compressor {
  const ready: Uint8Array[] = []
  let readyBytes = 0
  let pendingBytes = 0
  let failure: Error | undefined
  let wakeAll: (() => void)[] = []
  let hasEnded = false
  const wake = (): void => {
    const waiting = wakeAll
    wakeAll = []
    for (const resolve of waiting) resolve()
  }
  stream.on('data', (piece: Buffer) => {
    ready.push(piece)
    readyBytes += piece.byteLength
  })
  stream.on('end', () => {
    hasEnded = true
    wake()
  })
  stream.on('error', (error) => {
    failure = error
    wake()
  })
  const until = async (isThere: () => boolean): Promise<void> => {
    while (failure === undefined && !isThere()) await new Promise<void>((resolve) => wakeAll.push(resolve))
    if (failure !== undefined) throw failure
  }
  const takeBytes = (): readonly Uint8Array[] => {
    readyBytes = 0
    return ready.splice(0)
  }
  return {
    write(piece) {
      pendingBytes += piece.byteLength
      stream.write(piece, () => {
        pendingBytes -= piece.byteLength
        if (pendingBytes === 0) wake()
      })
    },
    takeBytes,
    get bufferedBytes() {
      return ownBytes + pendingBytes + readyBytes
    },
    settle: () => until(() => pendingBytes === 0),
    async finish() {
      stream.end()
      await until(() => hasEnded)
      return takeBytes()
    },
    abandon() {
      stream.destroy()
    },
  }
}
