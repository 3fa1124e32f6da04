/**
 * @module test/wire/heap-estimate — run as a child process with `--expose-gc`: decodes arrays of the costliest elements
 * and prints, as JSON, how what they took compares with what the decoder was charged for them.
 */
import { Reader } from '../../hub/wire/index.ts'
import { arrayPaths, bomb, fittingCount } from './bomb.ts'
import { catalogue } from './catalogue.ts'

const HEAP_BYTES = 4 * 1024 * 1024
const FRAME_BYTES = 100 * 1024 * 1024
const every = Number(process.argv[2])
const kept: unknown[] = []

function usedBytes(): number {
  globalThis.gc!()
  return process.memoryUsage().heapUsed
}

let index = 0
const rows: { readonly array: string; readonly ratio: number; readonly expansion: number }[] = []
for (const [name, message] of catalogue) {
  const version = message.versions.max
  for (const path of arrayPaths(message.fields, version)) {
    if (index++ % every !== 0) continue
    const bytes = bomb(message, version, path, fittingCount(message, version, path, HEAP_BYTES, FRAME_BYTES))
    kept.length = 0
    const before = usedBytes()
    const reader = new Reader(bytes)
    kept.push(message.decode(reader, version))
    const used = usedBytes() - before
    rows.push({ array: `${name}.v${version}.${path.join('.')}`, ratio: used / reader.heapBytes, expansion: used / bytes.length })
  }
}
console.log(JSON.stringify(rows))
