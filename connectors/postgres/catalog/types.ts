/** @module connector-postgres/catalog/types — the types of a database. */
import type { PgType, Types } from '../model.ts'
import type { Session } from '../replication/index.ts'

const kinds: Readonly<Record<string, PgType['kind']>> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'multirange',
  p: 'pseudo',
  r: 'range',
}

// A true array is what some type names as its array: int2vector has elements too, and is none.
const TYPES = `
  SELECT t.oid, t.typname::text AS name, n.nspname::text AS schema, t.typtype::text AS kind,
    coalesce(e.oid, 0)::oid AS "elementOid", t.typbasetype AS "baseOid", t.typtypmod AS "baseTypeModifier",
    coalesce(e.typdelim, t.typdelim)::text AS delimiter, l.labels
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
  LEFT JOIN (
    SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels FROM pg_catalog.pg_enum GROUP BY enumtypid
  ) l ON l.enumtypid = t.oid`

interface TypeRow extends Readonly<Record<string, unknown>> {
  readonly oid: number
  readonly name: string
  readonly schema: string
  readonly kind: string
  readonly elementOid: number
  readonly baseOid: number
  readonly baseTypeModifier: number
  readonly delimiter: string
  readonly labels: readonly string[] | null
}

/** All types that there are now. Rejects with an error of the sdk. */
export async function readTypes(session: Session): Promise<Types> {
  const rows = await session.query<TypeRow>(TYPES, [], 'reading the types')
  return new Map(rows.map((row) => [row.oid, typeOf(row)]))
}

function typeOf({ kind, elementOid, baseOid, baseTypeModifier, labels, ...facts }: TypeRow): PgType {
  const isDomain = kind === 'd'
  return {
    ...facts,
    kind: elementOid === 0 ? (kinds[kind] ?? 'base') : 'array',
    elementOid,
    baseOid: isDomain ? baseOid : 0,
    baseTypeModifier: isDomain ? baseTypeModifier : -1,
    labels: labels ?? [],
  }
}
