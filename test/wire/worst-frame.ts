/**
 * @module test/wire/worst-frame — run as a child process: decodes one frame of 100 MiB that is as expensive as the limits
 * allow, or more than they allow, and prints what came of it and the peak of resident memory, as JSON.
 */
import { AlterClientQuotas, DecodeError, decodeRequestHeader, encodeRequest, Reader, Writer } from '../../hub/wire/index.ts'

const FRAME_BYTES = 100 * 1024 * 1024
const VERSION = 1
/** 32,767 bytes that take twice as much in memory: one character of two bytes makes all of them wide. */
const wide = `Ā${'x'.repeat(32_765)}`
const small = { entity: [{ entityType: '', entityName: null }], ops: [{ key: '', value: 0.5, remove: false }] }

/** Entries whose estimated heap is just within the limit, then names that fill the frame. */
function costlyFrame(entryCount: number): Buffer {
  const entries = new Array(entryCount).fill(small)
  const chunks = encodeRequest(AlterClientQuotas, VERSION, 1, 'c', { entries, validateOnly: false })
  const rest = FRAME_BYTES - chunks.reduce((total, chunk) => total + chunk.length, 0)
  const names = Math.floor(rest / 32_780)
  entries.push({ entity: new Array(names).fill({ entityType: '', entityName: wide }), ops: [] })
  return Buffer.concat(encodeRequest(AlterClientQuotas, VERSION, 1, 'c', { entries, validateOnly: false })).subarray(4)
}

/** Estimated heap of one entry. */
function entryHeapBytes(): number {
  const writer = new Writer()
  AlterClientQuotas.request.encode({ entries: [small], validateOnly: false }, VERSION, writer)
  const reader = new Reader(writer.toBuffer())
  AlterClientQuotas.request.decode(reader, VERSION)
  return reader.heapBytes
}

const isWithin = process.argv[2] === 'within'
const mebibytes = isWithin ? 254 : 300
const frame = costlyFrame(Math.floor((mebibytes * 1024 * 1024) / entryHeapBytes()))
// Under the bounds of any message; a broker's for requests are tighter (REQUEST_LIMITS).
const reader = new Reader(frame, decodeRequestHeader(frame).reader.position)
const report = { frameBytes: frame.length, entries: 0, names: 0, error: '', builtRssBytes: process.memoryUsage.rss(), peakRssBytes: 0 }
try {
  const { entries } = AlterClientQuotas.request.decode(reader, VERSION)
  report.entries = entries.length
  report.names = entries[entries.length - 1]!.entity.length
} catch (error) {
  if (!(error instanceof DecodeError)) throw error
  report.error = error.message
}
report.peakRssBytes = process.resourceUsage().maxRSS * 1024
console.log(JSON.stringify(report))
