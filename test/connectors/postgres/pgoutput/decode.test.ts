import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PgOutputMessage, type RelationMessage, UNCHANGED_TEXT } from '../../../../connectors/postgres/model.ts'
import { decodeMessage, PgOutputError } from '../../../../connectors/postgres/pgoutput/index.ts'
import { Oracle, shownOurs } from './oracle.ts'

/** Messages of PostgreSQL 18.4 for test/golden/pgoutput/scenario.sql, recorded by record.ts. */
const recorded = readFileSync(new URL('../../../golden/pgoutput/messages.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Buffer.from(line, 'hex'))
const runCount = process.env['MILLRACE_LONG'] === undefined ? 300 : 100_000

function ofKind<K extends PgOutputMessage['kind']>(kind: K): Extract<PgOutputMessage, { readonly kind: K }>[] {
  return recorded.map(decodeMessage).filter((message) => message.kind === kind) as never
}

describe('decodeMessage', () => {
  it('agrees with pg-logical-replication on every recorded message', () => {
    const oracle = new Oracle()
    const relations = new Map<number, RelationMessage>()
    const kinds = new Set<string>()
    for (const bytes of recorded) {
      const message = decodeMessage(bytes)
      if (message.kind === 'relation') relations.set(message.oid, message)
      kinds.add(message.kind)
      expect(shownOurs(message, relations)).toEqual(oracle.read(bytes))
    }
    expect([...kinds].sort()).toEqual(
      ['begin', 'commit', 'delete', 'insert', 'message', 'origin', 'relation', 'truncate', 'type', 'update'].sort(),
    )
  })

  it('tells an unchanged value from null, which the oracle does not', () => {
    const [update] = ofKind('update')
    // item: id, name, price, mood, big (out of line, untouched), größe
    expect(update?.row.bounds[8]).toBe(UNCHANGED_TEXT)
    expect(update?.old).toBeNull()
  })

  it('tells an old row from its key', () => {
    expect(ofKind('update').map(({ oldKind }) => oldKind)).toEqual([null, 'key', 'full', null, 'key'])
    expect(ofKind('delete').map(({ oldKind }) => oldKind)).toEqual(['key', 'full', 'key'])
  })

  it('reads the numbers that the oracle reads with a sign', () => {
    const begin = Buffer.from('42 00000001 00000002 0000000000000000 ffffffff'.replaceAll(' ', ''), 'hex')
    expect(decodeMessage(begin)).toEqual({ kind: 'begin', commitLsn: 0x1_0000_0002, timeUs: 946_684_800_000_000n, xid: 0xffff_ffff })
    const type = Buffer.from('59 ffffffff 7000 7400'.replaceAll(' ', ''), 'hex')
    expect(decodeMessage(type)).toEqual({ kind: 'type', oid: 0xffff_ffff, schema: 'p', name: 't' })
  })

  it('gives rows that are views, and do not share their bounds', () => {
    const inserts = recorded.filter((bytes) => bytes[0] === 0x49)
    const rows = inserts.map((bytes) => decodeMessage(bytes) as Extract<PgOutputMessage, { readonly kind: 'insert' }>)
    const again = inserts.map((bytes) => decodeMessage(bytes) as Extract<PgOutputMessage, { readonly kind: 'insert' }>)
    rows.forEach(({ row }, index) => {
      expect(row.bytes).toBe(inserts[index])
      expect([...row.bounds]).toEqual([...(again[index]?.row.bounds ?? [])])
    })
  })

  it('refuses a message without its end, at every byte, and one with a byte too many', () => {
    for (const bytes of recorded) {
      for (let length = 0; length < bytes.length; length++) expect(() => decodeMessage(bytes.subarray(0, length))).toThrow(PgOutputError)
      expect(() => decodeMessage(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(/1 bytes too many/)
    }
  })

  it.each([
    ['a streamed transaction of version 2', '5300000001ff', /unknown kind of message, "S"/],
    ['a value in binary form', '49000040004e0001620000000101', /not a value in text form but "b"/],
    ['a log position beyond 2^53', '4200200000000000000000000000000000000000ff', /beyond 2\^53/],
    ['more columns than bytes', '49000040004effff6e', /65535 columns/],
    ['more tables than bytes', '547fffffff00', /2147483647 tables/],
    ['an unknown replica identity', '5200004000700074007a0000', /unknown replica identity, "z"/],
    ['a value longer than the message', '49000040004e00017480000000', /2147483648 bytes are missing at byte 13/],
  ])('refuses %s', (_, hex, message) => {
    expect(() => decodeMessage(Buffer.from(hex, 'hex'))).toThrow(message)
    expect(() => decodeMessage(Buffer.from(hex, 'hex'))).toThrow(PgOutputError)
  })

  it('makes a message or a PgOutputError of whatever bytes', () => {
    const mutated = fc
      .record({
        base: fc.constantFrom(...recorded.filter(({ length }) => length < 2_000)),
        changes: fc.array(fc.record({ at: fc.nat(2_000), value: fc.integer({ min: 0, max: 255 }) }), { maxLength: 6 }),
        cut: fc.nat(2_000),
      })
      .map(({ base, changes, cut }) => {
        const bytes = Buffer.from(cut < base.length && cut % 3 === 0 ? base.subarray(0, cut) : base)
        for (const { at, value } of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
        return bytes
      })
    const any = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(mutated, any), (bytes) => {
        try {
          expect(decodeMessage(bytes).kind).toBeTypeOf('string')
        } catch (error) {
          expect(error).toBeInstanceOf(PgOutputError)
        }
      }),
      { numRuns: runCount },
    )
  })
})
