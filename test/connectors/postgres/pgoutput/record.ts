/**
 * Records `test/golden/pgoutput/messages.txt`: what a real server's pgoutput says of scenario.sql, a message a line in hexadecimal.
 * `node --conditions=millrace-source test/connectors/postgres/pgoutput/record.ts postgres://user:password@host:port/database` (an empty database).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createSlot, openStream } from '../../../../connectors/postgres/replication/index.ts'
import { addressOf } from '../replication/address-of.ts'

const golden = new URL('../../../golden/pgoutput/', import.meta.url)
const { signal } = new AbortController()
const address = addressOf(process.argv[2] ?? '')
const session = await connect(address, signal)
await session.query('create publication recorded for all tables')
const slot = await createSlot(address, { name: 'recorded', isFailover: false }, signal)
await slot.release()
for (const statement of readFileSync(new URL('scenario.sql', golden), 'utf8').trim().split('\n')) {
  for (const part of statement.split('; ')) await session.query(part)
}
const [{ lsn } = { lsn: '' }] = await session.query<{ lsn: string }>(`select pg_current_wal_lsn()::text as lsn`)
console.log(`recording to ${lsn}`)
const stream = await openStream(address, {
  slotName: 'recorded',
  publicationNames: ['recorded'],
  startLsn: slot.consistentPoint,
  statusIntervalMs: 200,
  bufferBytesMax: 1 << 20,
  streamParams: { messages: 'true' },
  signal,
})
const lines: string[] = []
for (let quietCount = 0; quietCount < 3; ) {
  for (const item of await stream.next()) {
    if (item.kind === 'data') lines.push(item.bytes.toString('hex'))
    quietCount = item.kind === 'data' ? 0 : quietCount + 1
  }
}
await stream.close()
await session.query(`select pg_drop_replication_slot('recorded')`)
await session.close()
writeFileSync(new URL('messages.txt', golden), `${lines.join('\n')}\n`)
console.log(`${lines.length} messages`)
