import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { advertisedRanges } from '../../hub/api/index.ts'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub } from '../../hub/testing.ts'
import { ApiVersions, decodeResponse, encodeRequest, ErrorCode } from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

interface Range {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

const golden = JSON.parse(readFileSync(new URL('../golden/protocol/api-versions.json', import.meta.url), 'utf8')) as {
  client: { apiKeysV0: Range[] }
}

describe('advertised APIs', () => {
  it('have exactly the ranges of Apache Kafka 4.3.1', () => {
    const recorded = new Map(golden.client.apiKeysV0.map((range) => [range.apiKey, range]))
    const ranges = advertisedRanges()
    expect(ranges.length).toBeGreaterThan(20)
    for (const range of ranges) expect(range).toEqual(recorded.get(range.apiKey))
  })

  it('are those that have a handler file of their number', () => {
    const files = readdirSync(new URL('../../hub/api/', import.meta.url)).flatMap((name) => /^(\d+)-/.exec(name)?.[1] ?? [])
    expect(advertisedRanges().map(({ apiKey }) => apiKey)).toEqual(files.map(Number).sort((one, other) => one - other))
  })

  it('let librdkafka up to 2.11.0 find what it looks for by exact versions', () => {
    const wanted: [number, number[]][] = [
      [0, [0, 3, 7]],
      [1, [4, 10]],
      [2, [1]],
      [8, [2]],
      [9, [1]],
      [10, [0]],
      [11, [0]],
      [12, [0]],
      [13, [0]],
      [14, [0]],
      [18, [0]],
      [22, [0]],
    ]
    const ranges = new Map(advertisedRanges().map((range) => [range.apiKey, range]))
    for (const [apiKey, versions] of wanted) {
      for (const version of versions) {
        expect(ranges.get(apiKey)?.minVersion).toBeLessThanOrEqual(version)
        expect(ranges.get(apiKey)?.maxVersion).toBeGreaterThanOrEqual(version)
      }
    }
  })
})

describe('ApiVersions', () => {
  it('tells features whose minimum is 0 from version 4 on only (KAFKA-17011)', async () => {
    const net = memoryNet()
    await using hub = await startHub({ world: { net } })
    await using client = await RawClient.connect(net, hub.bootstrap)
    const request = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
    const v3 = await client.call(ApiVersions, 3, request)
    const v4 = await client.call(ApiVersions, 4, request)
    expect(v3.supportedFeatures.map(({ name }) => name)).toEqual(['metadata.version'])
    expect(v4.supportedFeatures.map(({ name }) => name).sort()).toEqual([
      'group.version',
      'kraft.version',
      'metadata.version',
      'transaction.version',
    ])
    expect(v4.finalizedFeatures.toSorted((one, other) => one.name.localeCompare(other.name))).toEqual([
      { name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 },
      { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 },
      { name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 },
    ])
    expect(v4.apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({ apiKey, minVersion, maxVersion }))).toEqual(advertisedRanges())
  })

  it('answers a version from the future in version 0, with its own range', async () => {
    const net = memoryNet()
    await using hub = await startHub({ world: { net } })
    await using client = await RawClient.connect(net, hub.bootstrap)
    const frame = Buffer.concat(encodeRequest(ApiVersions, 4, 7, 'test', { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }))
    frame.writeInt16BE(99, 6)
    client.write(frame)
    const answer = decodeResponse(ApiVersions, 0, (await client.nextFrame()) ?? Buffer.alloc(0))
    expect(answer.correlationId).toBe(7)
    expect(answer.value).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    })
    expect((await client.call(ApiVersions, 0, {})).errorCode).toBe(ErrorCode.NONE)
  })
})
