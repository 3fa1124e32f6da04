/**
 * @module sdk/struct-maker — structs by the hundred thousand: for sources that make many of one schema, and for what reads them.
 *
 * ```ts
 * const user = struct({ id: int64(), name: string({ optional: true }) })
 * const make = structMaker(user)
 * make([7n, 'Ada']) // the same as structOf({ id: 7n, name: 'Ada' })
 * ```
 * An object that is filled member by member without a prototype is a hash table to V8: slow to make and slow to read. What a maker makes
 * has a hidden class of its own, and knows its schema, so that nobody need look at its members to see that they fit.
 */
import type { Schema } from './schema.ts'
import { STRUCT_SCHEMA, type Struct, type Value } from './values.ts'

/** Takes the members in the order of the schema's fields, in the canonical form of the table in sdk/values; null for what is absent. */
export type StructMaker = (members: readonly Value[]) => Struct

/**
 * Makes a maker. The members of what it makes are taken as they are: that they fit their schemas is the caller's word (converters
 * still refuse what they cannot write), and its structs must not be changed once made.
 * @throws TypeError for a schema that is no struct's
 */
export function structMaker(schema: Schema): StructMaker {
  if (schema.type !== 'struct') throw new TypeError(`a schema of type ${schema.type} has no structs`)
  const stores = (schema.fields ?? []).map(({ name }, index) => `this[${JSON.stringify(name)}]=members[${index}]`)
  // A constructor of its own per schema, with the names as literals, gives each schema one hidden class. Names come as string literals only.
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  const Made = new Function('members', stores.join(';')) as unknown as new (members: readonly Value[]) => Struct
  Made.prototype = Object.freeze(Object.create(null, { [STRUCT_SCHEMA]: { value: schema } }))
  return (members) => new Made(members)
}
