import { describe, expect, it } from 'vitest'
import { BatchError, checkBatch, encodeBatch, forEachBatch, setMaxTimestamp } from '../../hub/wire/batch.ts'
import { ErrorCode } from '../../hub/wire/errors.ts'
import { decodeRecords } from '../../hub/wire/record.ts'

describe('checkBatch', () => {
  const records = Array.from({ length: 5 }, (_, index) => ({
    key: Buffer.from('k'),
    value: Buffer.from(`${index}`),
    timestampMs: 1000 + index,
  }))
  const good = encodeBatch({ records })

  it('finds every flipped bit behind the prefix', () => {
    for (let at = 8; at < good.length; at += 1) {
      // The leader epoch is the broker's to write and not under the checksum.
      if (at >= 12 && at < 16) continue
      for (let bit = 0; bit < 8; bit += 1) {
        const damaged = Buffer.from(good)
        damaged[at]! ^= 1 << bit
        expect(checkBatch(damaged, 0), `byte ${at} bit ${bit}`).toHaveProperty('errorCode')
      }
    }
  })

  it('never reads behind the end', () => {
    for (let length = 0; length < good.length; length += 1) {
      expect(checkBatch(good.subarray(0, length), 0), `${length}`).toHaveProperty('errorCode')
      expect(checkBatch(good, 0, length), `${length}`).toHaveProperty('errorCode')
      expect(() => decodeRecords(good.subarray(0, length), 0)).toThrow(BatchError)
    }
  })

  /** The good batch with one field changed and the checksum renewed. */
  function changed(change: (batch: Buffer) => void): Buffer {
    const batch = Buffer.from(good)
    change(batch)
    setMaxTimestamp(batch, 0, 'create', 1004)
    return batch
  }

  it.each([
    ['negative count', 57, -1, ErrorCode.INVALID_RECORD],
    ['more records than offsets', 57, 6, ErrorCode.INVALID_RECORD],
    ['negative last offset', 23, -1, ErrorCode.INVALID_RECORD],
    ['base timestamp beyond 2^53', 27, 0x200000, ErrorCode.INVALID_RECORD],
    ['base timestamp below −2^53', 27, -0x200001, ErrorCode.INVALID_RECORD],
    ['base offset beyond 2^53', 0, 0x200000, ErrorCode.INVALID_RECORD],
    ['producer id beyond 2^53', 43, 0x7fffffff, ErrorCode.INVALID_RECORD],
  ])('refuses %s', (_name, at, value, errorCode) => {
    expect(
      checkBatch(
        changed((batch) => batch.writeInt32BE(value, at)),
        0,
      ),
    ).toMatchObject({ errorCode })
  })

  it('refuses more records than the bytes can hold, and a codec that nobody has', () => {
    const crowded = changed((batch) => {
      batch.writeInt32BE(1 << 30, 23)
      batch.writeInt32BE(1 << 30, 57)
    })
    expect(checkBatch(crowded, 0)).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD })
    const foreign = changed((batch) => {
      batch[22] = 5
    })
    expect(checkBatch(foreign, 0)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE })
  })

  it('ends a walk at an impossible length', () => {
    const broken = Buffer.concat([good, good])
    broken.writeInt32BE(13, good.length + 8)
    let visited = 0
    expect(() => forEachBatch(broken, () => void (visited += 1))).toThrow(BatchError)
    expect(visited).toBe(1)
    broken.writeInt32BE(-12, good.length + 8)
    expect(() => forEachBatch(broken, () => {})).toThrow(BatchError)
  })
})
