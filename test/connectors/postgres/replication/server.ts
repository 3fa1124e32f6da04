/** @module test/connectors/postgres/replication/server — a database of a test's own, seen through the connector's own sessions. */
import { onTestFinished } from 'vitest'
import { connect, type ServerAddress, type Session } from '../../../../connectors/postgres/replication/index.ts'
import { addressOf } from './address-of.ts'

let count = 0

/** A fresh database after `setup`, gone with its slots after the test. */
export async function freshDatabase(url: string, setup = ''): Promise<{ readonly address: ServerAddress; readonly session: Session }> {
  const name = `r${process.pid}_${++count}`
  const { signal } = new AbortController()
  const admin = await connect(addressOf(url), signal)
  await admin.query(`CREATE DATABASE ${name}`)
  const address = addressOf(url, { database: name })
  const session = await connect(address, signal)
  onTestFinished(async () => {
    await session.close()
    const cleaner = admin.isOpen ? admin : await connect(addressOf(url), signal)
    await cleaner.query(
      `SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE database = '${name}' AND active_pid IS NOT NULL`,
    )
    await cleaner.query(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}'`)
    await cleaner.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await cleaner.close()
  })
  if (setup !== '') await session.query(setup)
  return { address, session }
}

/** Asks until `question` is answered as hoped, at most five seconds long. */
export async function eventually(session: Session, question: string, hoped: string): Promise<void> {
  const deadlineMs = Date.now() + 5_000
  for (;;) {
    const [row] = await session.query<{ answer: string }>(`SELECT (${question})::text AS answer`)
    if (row?.answer === hoped) return
    if (Date.now() > deadlineMs) throw new Error(`${question}: ${row?.answer}, not ${hoped}`)
  }
}
