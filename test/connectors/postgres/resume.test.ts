import type { SourceRecord } from '@millrace/sdk'
import { MemoryOffsets, runSource } from '@millrace/sdk/testing'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { postgresSource } from '../../../connectors/postgres/index.ts'
import { Database, startServer, told, until } from './database.ts'

const server = await startServer()
afterAll(() => server.service?.stop())

const isLong = process.env['MILLRACE_LONG'] !== undefined
const counts = isLong ? { transactions: 200, seeds: 5 } : { transactions: 40, seeds: 1 }

/** Numbers below `end` that look random and are the same for the same seed (mulberry32). */
function numbers(seed: number): (end: number) => number {
  let state = seed
  return (end) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end
  }
}

/** Statements of transactions over three tables, one of which is not captured. */
function workload(random: (end: number) => number, count: number): readonly string[] {
  const statement = (): string => {
    const id = random(20)
    const name = ['t', 'u', 'hidden'][random(3)] as string
    switch (random(6)) {
      case 0:
        return `DELETE FROM ${name} WHERE id = ${id}`
      case 1:
        return `UPDATE ${name} SET id = id + 100 WHERE id = ${id} AND NOT EXISTS (SELECT 1 FROM ${name} WHERE id = ${id} + 100)`
      case 2:
        return random(8) === 0 ? 'TRUNCATE t, hidden, u' : `UPDATE ${name} SET v = v || '+' WHERE id < ${id}`
      case 3:
        return `INSERT INTO ${name} SELECT g, 'm' FROM generate_series(${id}, ${id + 5}) g ON CONFLICT DO NOTHING`
      default:
        return `INSERT INTO ${name} VALUES (${id}, 'i') ON CONFLICT (id) DO UPDATE SET v = 'o'`
    }
  }
  return Array.from({ length: count }, () => `BEGIN; ${Array.from({ length: 1 + random(6) }, statement).join('; ')}; COMMIT`)
}

/** Everything that must be the same whoever reads, and however often. */
function facts(record: SourceRecord): unknown {
  const source = (record.value as unknown as { readonly source: { readonly sequence: string } } | null)?.source
  return [record.topic, told(record), source?.sequence, record.sourceOffset]
}

describe.skipIf(server.service === undefined)('a source that stops again and again', () => {
  it.each(Array.from({ length: counts.seeds }, (_, index) => index + 1))(
    'tells what one tells that never stops: seed %i',
    async (seed) => {
      const random = numbers(seed)
      const tables = ['t', 'u', 'hidden'].map((name) => `CREATE TABLE ${name} (id int PRIMARY KEY, v text)`)
      const db = await Database.create(server, `${tables.join(';')}; CREATE PUBLICATION dbz_publication FOR ALL TABLES`)
      onTestFinished(() => db.drop())
      const slots = [`${db.slotName}_a`, `${db.slotName}_b`] as const
      for (const slot of slots) await db.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`)
      for (const transaction of workload(random, counts.transactions)) await db.query(transaction)
      await db.query(`INSERT INTO t VALUES (9999, 'the end')`)

      const config = { ...db.config, 'snapshot.mode': 'no_data', 'table.exclude.list': 'public.hidden', 'skipped.operations': 'none' }
      const steady = await runSource(postgresSource, { config: { ...config, 'slot.name': slots[0] } })
      onTestFinished(() => steady.stop())
      const expected: unknown[] = []
      const isEnd = (record: SourceRecord | undefined) => record !== undefined && told(record) === 'c 9999=the end'
      for (let last: SourceRecord | undefined; !isEnd(last); ) {
        const batch = await steady.next()
        last = batch?.at(-1)
        expected.push(...(batch ?? []).map(facts))
      }

      const offsets = new MemoryOffsets()
      const actual: unknown[] = []
      for (let isDone = false; !isDone; ) {
        const size = String(1 + random(12))
        const run = await runSource(postgresSource, {
          config: { ...config, 'slot.name': slots[1], 'max.batch.size': size, 'slot.max.retries': '1000' },
          offsets,
        })
        onTestFinished(() => run.stop())
        const taken: SourceRecord[] = []
        for (let left = 1 + random(6); left > 0 && !isEnd(taken.at(-1)); left--) taken.push(...((await run.next()) ?? []))
        // One in three is a crash: nothing of what was taken is stored.
        if (random(3) > 0) {
          await run.commit()
          actual.push(...taken.map(facts))
          isDone = isEnd(taken.at(-1))
        }
        await run.stop()
      }
      expect(actual).toEqual(expected)
      await until(
        async () => (await db.query(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${slots[1]}' AND NOT active`)).length === 1,
      )
    },
    isLong ? 300_000 : 60_000,
  )
})
