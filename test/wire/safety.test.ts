/** Malformed and hostile bytes: a value or a DecodeError, in bounded time and memory. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apis, DECODE_LIMITS, DecodeError, decodeRequestHeader, Reader } from '../../hub/wire/index.ts'
import type { AnyMessage } from './catalogue.ts'
import { messageOf } from './catalogue.ts'
import type { Vector } from './golden.ts'
import { readLines, vectorsOf } from './golden.ts'

const long = process.env['MILLRACE_LONG'] !== undefined
/** Estimated heap per byte of input, at most: the costliest element has about 40 times its bytes, and four arrays may nest. */
const HEAP_PER_BYTE_MAX = 200

interface Sample {
  readonly message: AnyMessage
  readonly version: number
  readonly bytes: Buffer
}

const families = ['group', 'metadata', 'raft', 'share', 'storage', 'transaction'].map((family) => `vectors/_records_${family}.jsonl`)
const samples: readonly Sample[] = [
  ...[...apis.values()].flatMap((api) => vectorsOf(api.name).map((vector) => sample(api[vector.type as 'request'], vector))),
  ...[...families, 'vectors/_data.jsonl'].flatMap((path) => readLines<Vector>(path).map((vector) => sample(messageOf(vector.api), vector))),
]

function sample(message: AnyMessage, vector: Vector): Sample {
  return { message, version: vector.version, bytes: Buffer.from(vector.hex, 'hex') }
}

/** Decodes; undefined for a DecodeError. Anything else that is thrown fails the test. */
function attempt({ message, version, bytes }: Sample): { readonly value: unknown } | undefined {
  const reader = new Reader(bytes)
  try {
    const value = message.decode(reader, version)
    expect(reader.position).toBeLessThanOrEqual(bytes.length)
    return { value }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    expect(error.path.startsWith(`${message.name}.v${version}`)).toBe(true)
    return undefined
  } finally {
    expect(reader.heapBytes).toBeLessThanOrEqual(HEAP_PER_BYTE_MAX * bytes.length + 1000)
  }
}

describe('recorded messages', () => {
  it('cut anywhere are a DecodeError', () => {
    for (const [index, { message, version, bytes }] of samples.entries()) {
      if (attempt({ message, version, bytes }) === undefined) continue
      const step = long ? 1 : 1 + Math.floor(bytes.length / 12)
      for (let length = (index % step) + (bytes.length === 0 ? 1 : 0); length < bytes.length; length += step) {
        expect(
          attempt({ message, version, bytes: bytes.subarray(0, length) }),
          `${message.name} v${version}, ${length} bytes`,
        ).toBeUndefined()
      }
    }
  })

  it('with bytes behind them decode the same and leave those alone', () => {
    for (const { message, version, bytes } of samples) {
      const longer = new Reader(Buffer.concat([bytes, Buffer.from('rest')]))
      const whole = attempt({ message, version, bytes })
      if (whole === undefined) continue
      expect(message.decode(longer, version)).toEqual(whole.value)
      expect(longer.remaining).toBe(4)
    }
  })

  it('changed at random are a value or a DecodeError', () => {
    const edit = fc.record({
      at: fc.nat(),
      drop: fc.nat({ max: 3 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 5 }),
        fc
          .constantFrom('ffffffff', '7fffffff', 'ffffffff0f', '80808080', 'ffff', '000f4240', 'c0843d')
          .map((hex) => Buffer.from(hex, 'hex')),
      ),
    })
    const changed = fc.tuple(fc.nat({ max: samples.length - 1 }), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([index, edits]) => {
      const { message, version, bytes } = samples[index]!
      const apply = (from: Buffer, { at, drop, insert }: { at: number; drop: number; insert: Uint8Array }) => {
        const place = from.length === 0 ? 0 : at % from.length
        return Buffer.concat([from.subarray(0, place), insert, from.subarray(place + drop)])
      }
      return { message, version, bytes: edits.reduce(apply, bytes) }
    })
    fc.assert(
      fc.property(changed, (one) => void attempt(one)),
      { numRuns: long ? 500_000 : 5000 },
    )
  })

  it('are never mistaken: random bytes as headers and bodies', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 92 }), (random, key) => {
      const frame = Buffer.concat([Buffer.of(0, key, 0), random])
      try {
        const { apiKey, apiVersion, reader } = decodeRequestHeader(frame)
        const api = apis.get(apiKey)
        if (api !== undefined && apiVersion >= api.versions.min && apiVersion <= api.versions.max) api.request.decode(reader, apiVersion)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    })
    fc.assert(property, { numRuns: long ? 200_000 : 3000 })
  })
})

describe('memory', () => {
  function child<T>(script: string, nodeOptions: readonly string[], argument: string): T {
    const path = fileURLToPath(new URL(script, import.meta.url))
    return JSON.parse(execFileSync(process.execPath, [...process.execArgv, ...nodeOptions, path, argument], { encoding: 'utf8' })) as T
  }

  /** Since this holds for every array of every message, no message can take more than another under `heapBytesMax`. */
  it('of decoded arrays is what the decoder was charged for them', { timeout: 300_000 }, () => {
    type Row = { readonly array: string; readonly ratio: number; readonly expansion: number }
    const rows = child<Row[]>('./heap-estimate.ts', ['--expose-gc'], long ? '1' : '9')
    expect(rows.length).toBeGreaterThan(long ? 300 : 30)
    for (const { array, ratio } of rows) expect(ratio, array).toBeLessThan(1.15)
    expect(Math.max(...rows.map((row) => row.expansion))).toBeLessThan(60)
  })

  /**
   * 100 MiB (the default of `socket.request.max.bytes`): the limit's worth of array elements, and the rest in texts that
   * take two bytes a character. Old space is capped, resident memory (which includes building the frame) is looked at.
   */
  it.each(['within', 'beyond'] as const)('of the worst frame, %s the limit, stays under 1 GiB', { timeout: 120_000 }, (argument) => {
    type Report = { frameBytes: number; entries: number; names: number; error: string; peakRssBytes: number }
    const report = child<Report>('./worst-frame.ts', ['--max-old-space-size=512'], argument)
    expect(report.frameBytes).toBeGreaterThan(99 * 1024 * 1024)
    expect(report.peakRssBytes).toBeLessThan(1024 * 1024 * 1024)
    if (argument === 'within') {
      expect(report.entries).toBeGreaterThan(500_000)
      expect(report.names).toBeGreaterThan(2000)
    } else {
      expect(report.error).toMatch(new RegExp(`AlterClientQuotas\\.v1\\.entries.*more than ${DECODE_LIMITS.heapBytesMax} bytes of memory`))
    }
  })
})
