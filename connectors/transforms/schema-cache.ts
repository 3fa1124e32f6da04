/**
 * @module transforms/schema-cache — a transform makes its new schema once per schema it meets: one object in, one object out, so that
 * converters behind it find theirs by identity, too.
 */
import { type Schema, schemasEqual } from '@millrace/sdk'

/** Schemas remembered by content, beside those known by identity; upstream's caches have this size. */
const RECENT_COUNT = 16

/** `derive`, remembered. A schema with the content of a recent one gives the same result, so sources may make their schemas anew. */
export function cachedBySchema<T>(derive: (schema: Schema) => T): (schema: Schema) => T {
  const known = new WeakMap<Schema, { readonly derived: T }>()
  const recent: { readonly schema: Schema; readonly derived: T }[] = []
  let lastSchema: Schema | undefined
  let last: T | undefined
  const lookUp = (schema: Schema): T => {
    const entry = known.get(schema)
    if (entry !== undefined) return entry.derived
    const equal = recent.find((candidate) => schemasEqual(candidate.schema, schema))
    const derived = equal === undefined ? derive(schema) : equal.derived
    known.set(schema, { derived })
    if (equal === undefined) {
      recent.unshift({ schema, derived })
      if (recent.length > RECENT_COUNT) recent.pop()
    }
    return derived
  }
  return (schema) => {
    if (schema !== lastSchema) {
      last = lookUp(schema)
      lastSchema = schema
    }
    return last as T
  }
}
