/**
 * @module test/connectors/postgres/debezium-offsets — a position that Debezium stored, without the keys that are ours, is gone on from: whichever record was
 * the last, all after it come, in their order, and of those before it at most what the same row's change had made.
 */
import { postgresSource } from '@millrace/connector-postgres'
import { type SourceOffset, type SourcePlugin, type SourceRecord, toPlain } from '@millrace/sdk'
import { MemoryOffsets, runSource } from '@millrace/sdk/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { service } from '../../services.ts'
import { createDatabase, type Database } from './golden/server.ts'

const postgres = await service('postgres')
const server = { server: 'p' }

afterAll(async () => {
  await postgres.value?.stop()
})

/** Transactions of every shape; all rows of the second have one place in the log. */
const statements = [
  `insert into t values (1, 'a')`,
  `insert into t select g, 'many' from generate_series(10, 16) g`,
  `begin; insert into t values (2, 'b'); insert into t values (3, 'c'); update t set v = 'bb' where id = 2; commit`,
  `update t set id = 20 where id = 2`,
  `begin; delete from t where id = 3; insert into unseen values (1, null); insert into t values (4, 'd'); commit`,
  `insert into unseen values (2, null)`,
  `begin; truncate t, u; insert into u values (1, 'u'); commit`,
  `insert into t values (5, 'e')`,
]

function identity({ topic, key, value }: SourceRecord): string {
  const plain = toPlain(value) as { readonly op?: unknown; readonly before?: unknown; readonly after?: unknown } | null
  return JSON.stringify([topic, toPlain(key), plain && [plain.op, plain.before, plain.after]])
}

/** All that comes from a stored position on. */
async function recordsFrom(
  { connection, slotName }: Database,
  offset: SourceOffset | null,
  count: number,
): Promise<readonly SourceRecord[]> {
  const config = {
    ...connection,
    'topic.prefix': 'p',
    'slot.name': slotName,
    'snapshot.mode': 'no_data',
    'table.exclude.list': 'public.unseen',
    'skipped.operations': 'none',
    'status.update.interval.ms': '50',
  }
  const offsets = new MemoryOffsets(offset === null ? [] : [{ partition: server, offset }])
  const run = await runSource(postgresSource as unknown as SourcePlugin, { config, offsets })
  try {
    const records = await run.take(count)
    return [...records, ...(await run.takeFor(100))]
  } finally {
    await run.stop()
  }
}

describe.skipIf(postgres.value === undefined)(
  `a position of Debezium's${postgres.reason === undefined ? '' : ` (${postgres.reason})`}`,
  () => {
    it('is gone on from, without loss', async () => {
      const database = await createDatabase(postgres.value?.url ?? '')
      try {
        const { client, slotName } = database
        for (const table of ['t', 'u', 'unseen']) await client.query(`create table ${table}(id int primary key, v text)`)
        await client.query(`create publication dbz_publication for all tables`)
        await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName])
        for (const statement of statements) await client.query(statement)
        const whole = await recordsFrom(database, null, 21)
        const texts = whole.map(identity)
        expect(texts).toHaveLength(21)
        for (const [at, { sourceOffset }] of whole.entries()) {
          const debezium = Object.fromEntries(Object.entries(sourceOffset ?? {}).filter(([key]) => !key.startsWith('millrace_')))
          const came = (await recordsFrom(database, debezium, texts.length - at - 1)).map(identity)
          const repeatCount = came.length - (texts.length - at - 1)
          const place = `after record ${at + 1}, ${JSON.stringify(debezium)}`
          expect(repeatCount, place).toBeGreaterThanOrEqual(0)
          // A delete and its tombstone, and what a change of the key is made of, have one position.
          expect(repeatCount, place).toBeLessThanOrEqual(3)
          expect(came, place).toEqual(texts.slice(at + 1 - repeatCount))
        }
      } finally {
        await database.drop()
      }
    })
  },
)
