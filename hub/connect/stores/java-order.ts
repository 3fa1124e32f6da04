/**
 * @module connect/stores/java-order — the order in which Java's HashMap walks text keys, so that JSON made of a map has the bytes that
 * Kafka Connect's would have.
 *
 * The table has 16 places, and doubles whenever more than three quarters of them are taken; a key's place is its String.hashCode with the
 * upper half folded into the lower (Java SE API, java.util.HashMap and java.lang.String). Keys of one place stand in the order of their
 * arrival in Java; here in the order of their names, which depends on nothing.
 */

const PLACES_MIN = 16

/** The same entries in HashMap's order. */
export function inJavaOrder<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  const names = Object.keys(values)
  if (names.length < 2) return values
  let placeCount = PLACES_MIN
  while (names.length > placeCount * 0.75) placeCount *= 2
  const placeOf = (name: string): number => folded(hashCode(name)) & (placeCount - 1)
  const places = new Map(names.map((name) => [name, placeOf(name)]))
  names.sort((one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0) || (one < other ? -1 : 1))
  return Object.fromEntries(names.map((name) => [name, values[name] as T]))
}

/** Java's String.hashCode: UTF-16 code units, base 31, modulo 2^32. */
function hashCode(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

function folded(hash: number): number {
  return hash ^ (hash >>> 16)
}
