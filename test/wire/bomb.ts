/**
 * @module test/wire/bomb — frames that cost far more memory than bytes: arrays of small elements whose every field is as
 * expensive in memory as it can be.
 */
import { Reader, Writer } from '../../hub/wire/index.ts'
import type { FieldFacts, Shape } from '../../hub/wire/schema.ts'
import { isPresent } from '../../hub/wire/schema.ts'
import type { AnyMessage } from './catalogue.ts'

/** Names of the fields that lead to an array; the inner arrays hold one element. */
export type Path = readonly string[]

/** Every path to an array in this version. */
export function arrayPaths(shape: Shape, version: number): Path[] {
  return Object.entries(shape).flatMap(([name, { facts }]) => {
    if (!isPresent(facts, version)) return []
    const inner = facts.element?.facts.fields ?? facts.fields
    const deeper = inner === undefined ? [] : arrayPaths(inner, version).map((path) => [name, ...path])
    return facts.kind === 'array' ? [[name], ...deeper] : deeper
  })
}

/** Bytes of a message whose outermost array on `path` has `count` elements. */
export function bomb(message: AnyMessage, version: number, path: Path, count: number): Buffer {
  const writer = new Writer()
  message.encode(fat(message.fields, version, path, count), version, writer)
  return writer.toBuffer()
}

/** The largest count whose estimated heap is within `heapBytesMax`, at most 1,000,000 and within `frameBytesMax`. */
export function fittingCount(message: AnyMessage, version: number, path: Path, heapBytesMax: number, frameBytesMax: number): number {
  const [one, two] = [1, 2].map((count) => {
    const bytes = bomb(message, version, path, count)
    const reader = new Reader(bytes)
    message.decode(reader, version)
    return { heap: reader.heapBytes, size: bytes.length }
  })
  const elementHeap = two!.heap - one!.heap
  const byHeap = 1 + Math.floor((heapBytesMax - one!.heap) / elementHeap)
  const bySize = 1 + Math.floor((frameBytesMax - one!.size - 8) / (two!.size - one!.size))
  return Math.min(byHeap, bySize, 1_000_000)
}

function fat(shape: Shape, version: number, path: Path, count: number): Record<string, unknown> {
  const fields = Object.entries(shape).filter(([, { facts }]) => isPresent(facts, version))
  return Object.fromEntries(
    fields.map(([name, { facts }]) => [name, fatValue(facts, version, path[0] === name ? path.slice(1) : null, count)]),
  )
}

/** `path` is null off the path. */
function fatValue(facts: FieldFacts, version: number, path: Path | null, count: number): unknown {
  switch (facts.kind) {
    case 'array': {
      if (path === null) return []
      const element = facts.element!.facts
      return new Array(count).fill(element.kind === 'struct' ? fat(element.fields!, version, path, 1) : fatValue(element, version, null, 1))
    }
    case 'struct':
      return fat(facts.fields!, version, path ?? [], count)
    case 'string':
      return 'ab'
    case 'bytes':
    case 'records':
      return Buffer.from('x')
    case 'uuid':
      return 'ASNFZ4mrze_-3LqYdlQyEA'
    case 'bool':
      return true
    case 'int64':
      return 2n ** 60n
    case 'offset':
      return 2 ** 40
    case 'float64':
      return 0.5
    case 'uint32':
      return 2 ** 32 - 1
    default:
      return 5
  }
}
