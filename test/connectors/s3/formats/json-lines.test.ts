import { readFileSync } from 'node:fs'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { FormatSettings } from '../../../../connectors/s3/format.ts'
import { recordFormat } from '../../../../connectors/s3/formats/index.ts'
import { DataError, Decimal, decimal, int32, int64, string, struct, structOf } from '../../../../sdk/index.ts'
import { schemaFromGolden, valueFromGolden } from '../../../golden/connect-values.ts'
import { defaults, objectOf, openObject, sinkRecord } from './sink-records.ts'

interface GoldenCase {
  readonly converter: string
  readonly config: Readonly<Record<string, string>>
  readonly op: string
  readonly schema?: unknown
  readonly value?: unknown
  readonly bytesHex?: string | null
  readonly error?: unknown
}

/** The recordings of JsonConverter that write values without an envelope, with the settings that the format has as well. */
const cases = readFileSync(new URL('../../../golden/connect/converters.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as GoldenCase)
  .filter(({ converter, op, config, value, schema }) => {
    const isPlain = config['schemas.enable'] === 'false' && config['replace.null.with.default'] === undefined
    return converter.endsWith('.JsonConverter') && op === 'fromConnectData' && isPlain && (value !== null || schema !== null)
  })

/** The notation sorts the entries of a map, and the bytes were recorded in another order (golden/connect/differences-converters.json). */
const sorted = new Map([['[["s",1],[2,"i"]]', '[[2,"i"],["s",1]]']])

describe('JSON lines beside Kafka’s own JsonConverter', () => {
  it('has all the cases', () => {
    expect(cases.filter(({ error }) => error === undefined)).toHaveLength(78)
    expect(cases.filter(({ error }) => error !== undefined)).toHaveLength(10)
  })

  for (const [index, golden] of cases.entries()) {
    const schema = schemaFromGolden(golden.schema)
    const record = sinkRecord(schema, valueFromGolden(schema, golden.value ?? null))
    const isNumeric = golden.config['decimal.format']?.toUpperCase() === 'NUMERIC'
    const settings: Partial<FormatSettings> = { decimalFormat: isNumeric ? 'numeric' : 'base64' }
    it(`${index} ${golden.error === undefined ? 'prints' : 'refuses'} the same`, async () => {
      if (golden.error === undefined) {
        const recorded = Buffer.from(golden.bytesHex ?? '', 'hex').toString()
        expect(String(await objectOf([record], settings))).toBe(`${sorted.get(recorded) ?? recorded}\n`)
        return
      }
      const writer = openObject(record, settings)
      expect(() => writer.write(record)).toThrow(DataError)
      expect(await writer.finish()).toEqual([])
    })
  }
})

const user = struct({ id: int64(), name: string({ optional: true }), rate: decimal(2) })
const users = Array.from({ length: 5000 }, (_, at) => {
  return sinkRecord(user, structOf({ id: BigInt(at), name: at % 7 === 0 ? null : `Ünï ${at}`, rate: new Decimal(BigInt(at), 2) }), at)
})

describe('an object of JSON lines', () => {
  it('takes records of any schema, and none, side by side', async () => {
    const mixed = [sinkRecord(int32(), 7), sinkRecord(null, new Map([['a', 1n]])), sinkRecord(user, users[1]!.value), sinkRecord(null, 'x')]
    expect(String(await objectOf(mixed))).toBe('7\n{"a":1}\n{"id":1,"name":"Ünï 1","rate":"AQ=="}\n"x"\n')
  })

  it('stays as it was when a record is refused', async () => {
    const writer = openObject(users[0]!)
    writer.write(users[1]!)
    expect(() => writer.write(sinkRecord(user, structOf({ id: 1n, name: null, rate: 'no decimal' })))).toThrow(DataError)
    writer.write(users[2]!)
    const lines = String(Buffer.concat(await writer.finish()))
    expect(lines).toBe(String(await objectOf([users[1]!, users[2]!])))
    expect(lines.split('\n')).toHaveLength(3)
  })

  it('says by name and type how it is compressed', () => {
    const formats = (['none', 'gzip', 'zstd'] as const).map((compression) => recordFormat({ ...defaults, compression }))
    expect(formats.map(({ extension, contentType }) => [extension, contentType])).toEqual([
      ['json', 'application/x-ndjson'],
      ['json.gz', 'application/gzip'],
      ['json.zst', 'application/zstd'],
    ])
  })

  const decompress = { gzip: gunzipSync, zstd: zstdDecompressSync } as const
  for (const compression of ['gzip', 'zstd'] as const) {
    for (const compressionLevel of [-1, 1, 9]) {
      it(`is the same text through ${compression} ${compressionLevel}, and the same bytes whenever they are asked for`, async () => {
        const settings = { compression, compressionLevel }
        const plain = await objectOf(users)
        const compressed = await objectOf(users, settings)
        expect(compressed.length).toBeLessThan(plain.length / 3)
        expect(decompress[compression](compressed).equals(plain)).toBe(true)

        const writer = openObject(users[0]!, settings)
        const pieces: Uint8Array[] = []
        for (const [at, record] of users.entries()) {
          writer.write(record)
          if (at % 1000 === 0) await writer.settle()
          if (at % 300 === 0) pieces.push(...writer.takeBytes())
        }
        pieces.push(...(await writer.finish()))
        expect(Buffer.concat(pieces).equals(compressed)).toBe(true)
      })
    }
  }

  it('has another size at another level', async () => {
    const sizes = await Promise.all(
      [1, 9].map(async (level) => (await objectOf(users, { compression: 'gzip', compressionLevel: level })).length),
    )
    expect(sizes[0]).toBeGreaterThan(sizes[1]!)
  })

  it('hands out bytes long before the end, and holds few then', async () => {
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const writer = openObject(users[0]!, { compression })
      const idleBytes = writer.bufferedBytes
      let taken = 0
      for (let round = 0; round < 20; round++) {
        for (const record of users) writer.write(record)
        expect(writer.bufferedBytes).toBeGreaterThan(idleBytes + 100_000)
        await writer.settle()
        for (const piece of writer.takeBytes()) taken += piece.byteLength
        expect(writer.bufferedBytes).toBeLessThan(idleBytes + 2 * 65_536)
      }
      // To zstd the rounds after the first are repetitions.
      expect(taken).toBeGreaterThan(20_000)
      writer.abandon()
    }
  })

  it('lets go when it is given up', async () => {
    const writer = openObject(users[0]!, { compression: 'zstd' })
    for (const record of users) writer.write(record)
    writer.abandon()
    // A compressor that was let go of takes nothing in any more: that would show as an error that nobody handles.
    await new Promise((resolve) => setImmediate(resolve))
  })
})
