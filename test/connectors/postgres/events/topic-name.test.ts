import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { topicName } from '../../../../connectors/postgres/events/index.ts'

/** Any characters, also halves of pairs. */
const anyText = fc.array(fc.integer({ min: 1, max: 0x10ffff }), { maxLength: 200 }).map((points) => String.fromCodePoint(...points))

describe('the topic of a table', () => {
  const cases: readonly (readonly [name: readonly [string, string, string, string], topic: string])[] = [
    [['dbz', '.', 'public', 'orders'], 'dbz.public.orders'],
    [['dbz', '_', 'public', 'orders'], 'dbz_public_orders'],
    [['dbz', '.', 's.dot', 't.dot'], 'dbz.s.dot.t.dot'],
    [['dbz', '.', 'public', 'tab#hash/slash'], 'dbz.public.tab_hash_slash'],
    [['dbz', '.', 'public', 'Ünï ☃'], 'dbz.public._n___'],
    // A character beyond 16 bits is two.
    [['dbz', '.', 'public', '𝄞'], 'dbz.public.__'],
    [['dbz', '.', ' ', 't'], 'dbz.t'],
    [['dbz', '.', 'public', 'x'.repeat(300)], `dbz.public.${'x'.repeat(238)}`],
  ]
  for (const [name, topic] of cases) it(`${name.join(' ').slice(0, 40)}`, () => expect(topicName(...name)).toBe(topic))

  it('is always one that Kafka allows', () => {
    fc.assert(
      fc.property(anyText, anyText, (schema, table) => {
        expect(topicName('p', '.', schema, table)).toMatch(/^[A-Za-z0-9._-]{1,249}$/)
      }),
    )
  })
})
