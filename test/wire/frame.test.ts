/** Frames and headers: as recorded, cut anywhere, oversized, of unknown APIs. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ApiVersions,
  apiName,
  apis,
  DecodeError,
  decodeRequestHeader,
  decodeResponse,
  decodeResponseHeader,
  encodeRequest,
  encodeResponse,
  FrameSplitter,
  FrameTooLargeError,
  Metadata,
  Produce,
  Reader,
} from '../../hub/wire/index.ts'
import { readLines } from './golden.ts'

interface Frame {
  readonly api: string
  readonly apiKey: number
  readonly type: 'request' | 'response'
  readonly version: number
  readonly headerVersion: number
  readonly correlationId: number
  readonly clientId?: string
  readonly bodyOffset: number
  readonly hex: string
}

const frames = readLines<Frame>('vectors/_frames.jsonl')

describe('recorded frames', () => {
  it.each([...new Set(frames.map((frame) => frame.api))])('%s', (name) => {
    for (const frame of frames.filter((one) => one.api === name)) {
      const api = apis.get(frame.apiKey)!
      const bytes = Buffer.from(frame.hex, 'hex')
      const [whole, ...others] = new FrameSplitter(1 << 20).push(bytes)
      expect(others).toEqual([])
      if (frame.type === 'request') {
        const { reader, ...header } = decodeRequestHeader(whole!)
        expect(header).toEqual({
          apiKey: frame.apiKey,
          apiVersion: frame.version,
          correlationId: frame.correlationId,
          clientId: frame.clientId,
        })
        expect(reader.position + 4).toBe(frame.bodyOffset)
        const value = api.request.decode(reader, frame.version)
        const again = encodeRequest(api, frame.version, frame.correlationId, frame.clientId!, value)
        expect(Buffer.concat(again).toString('hex')).toBe(frame.hex)
      } else {
        const { correlationId, reader } = decodeResponseHeader(whole!, api.responseHeaderVersion(frame.version))
        expect([correlationId, reader.position + 4]).toEqual([frame.correlationId, frame.bodyOffset])
        const { value } = decodeResponse(api, frame.version, whole!)
        expect(Buffer.concat(encodeResponse(api, frame.version, correlationId, value)).toString('hex')).toBe(frame.hex)
      }
    }
  })
})

describe('FrameSplitter', () => {
  it('finds the same frames however the stream is cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 })
    const property = fc.property(bodies, fc.infiniteStream(fc.integer({ min: 1, max: 70 })), (list, cuts) => {
      const stream = Buffer.concat(list.flatMap((body) => [sizePrefix(body.length), body]))
      const splitter = new FrameSplitter(60)
      const found: Buffer[] = []
      for (let at = 0; at < stream.length; ) {
        const end = at + cuts.next().value
        found.push(...splitter.push(stream.subarray(at, end)))
        at = end
      }
      expect(found.map((frame) => frame.toString('hex'))).toEqual(list.map((body) => Buffer.from(body).toString('hex')))
      expect(splitter.bufferedBytes).toBe(0)
    })
    fc.assert(property, { numRuns: 200 })
  })

  it('cuts frames out of one chunk without a copy', () => {
    const chunk = Buffer.concat([sizePrefix(3), Buffer.from('abc'), sizePrefix(2), Buffer.from('de')])
    const [first, second] = new FrameSplitter(10).push(chunk)
    expect([first!.buffer, second!.buffer]).toEqual([chunk.buffer, chunk.buffer])
    expect([first!.toString(), second!.toString()]).toEqual(['abc', 'de'])
  })

  it('refuses a size above the limit before anything of the frame has come', () => {
    const splitter = new FrameSplitter(100)
    expect(splitter.push(sizePrefix(100))).toEqual([])
    expect(splitter.pendingFrameBytes).toBe(100)
    expect(() => new FrameSplitter(100).push(sizePrefix(101))).toThrow(FrameTooLargeError)
    expect(() => new FrameSplitter(100).push(sizePrefix(2 ** 31 - 1))).toThrow(
      expect.objectContaining({ sizeBytes: 2 ** 31 - 1, maxBytes: 100 }),
    )
  })

  it('refuses a negative size', () => {
    expect(() => new FrameSplitter(100).push(sizePrefix(-1))).toThrow(DecodeError)
  })
})

describe('request headers', () => {
  it('of an unknown API yield what every header begins with', () => {
    const { reader, ...header } = decodeRequestHeader(Buffer.from('7fff0009000000070001', 'hex'))
    expect(header).toEqual({ apiKey: 32_767, apiVersion: 9, correlationId: 7, clientId: null })
    expect(reader.remaining).toBe(2)
    expect([apiName(32_767), apiName(0)]).toEqual(['ApiKey(32767)', 'Produce'])
  })

  it('of a version beyond ours are read in the newest form, so that ApiVersions can answer', () => {
    const { reader, ...header } = decodeRequestHeader(Buffer.from('0012006300000007000163' + '00', 'hex'))
    expect(header).toEqual({ apiKey: 18, apiVersion: 99, correlationId: 7, clientId: 'c' })
    expect(reader.remaining).toBe(0)
  })

  it('of Produce 0 to 2, which is advertised and refused, can be read', () => {
    for (const apiVersion of [0, 1, 2]) {
      const frame = Buffer.from(`00000000${'00000007'}0001${'63'}`, 'hex')
      frame.writeInt16BE(apiVersion, 2)
      expect(decodeRequestHeader(frame)).toMatchObject({ apiVersion, correlationId: 7, clientId: 'c' })
    }
    expect([Produce.advertised, Produce.versions]).toEqual([
      { min: 0, max: 13 },
      { min: 3, max: 13 },
    ])
  })

  it('that are cut or malformed are a DecodeError', () => {
    const frame = Buffer.from('00030009000000070003616263' + '0101' + '0161', 'hex')
    expect(decodeRequestHeader(frame).clientId).toBe('abc')
    for (let length = 0; length < frame.length; length++) {
      expect(() => decodeRequestHeader(frame.subarray(0, length)), `${length} bytes`).toThrow(DecodeError)
    }
  })
})

describe('responses', () => {
  it('of ApiVersions have header 0 in every version', () => {
    for (let version = 0; version <= 4; version++) {
      const bytes = Buffer.concat(encodeResponse(ApiVersions, version, 7, { errorCode: 35, apiKeys: [] }))
      expect(new Reader(bytes, 8).int16()).toBe(35)
    }
  })

  it('pass large records on without a copy', () => {
    const records = [Buffer.alloc(100_000, 1), Buffer.alloc(10, 2), Buffer.alloc(5000, 3)]
    const request = { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
    for (const version of [8, 9]) {
      const chunks = encodeRequest(Produce, version, 1, null, request)
      expect(chunks).toContain(records[0])
      expect(chunks).toContain(records[2])
      const whole = Buffer.concat(chunks)
      expect(whole.readInt32BE(0)).toBe(whole.length - 4)
      const { reader, clientId } = decodeRequestHeader(whole.subarray(4))
      expect(clientId).toBeNull()
      const decoded = Produce.request.decode(reader, version)
      expect(decoded.topicData[0]!.partitionData[0]!.records).toEqual(Buffer.concat(records))
    }
  })

  it('are refused when they are cut', () => {
    const frame = Buffer.concat(encodeResponse(Metadata, 12, 7, { brokers: [], topics: [], clusterId: 'c' })).subarray(4)
    expect(decodeResponse(Metadata, 12, frame).value.clusterId).toBe('c')
    for (let length = 0; length < frame.length; length++) {
      expect(() => decodeResponse(Metadata, 12, frame.subarray(0, length))).toThrow(DecodeError)
    }
  })
})

function sizePrefix(size: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size)
  return bytes
}
