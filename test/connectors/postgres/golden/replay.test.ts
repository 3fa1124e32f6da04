/**
 * Debezium's recordings replayed: what our connector makes of the same statements on a real PostgreSQL must come out equal, but for what
 * test/golden/cdc/differences.json lists with a reason. In the long run on PostgreSQL 15 too, which the recordings were made on.
 */
import { afterAll, assert, describe, expect, it } from 'vitest'
import { postgresSource } from '../../../../connectors/postgres/index.ts'
import type { SourcePlugin } from '../../../../sdk/index.ts'
import { service } from '../../../services.ts'
import { compareRecordings, describeDifferences, withoutDeliberate } from './comparison.ts'
import { deliberateDifferences, recordingNames, recordingOf, scriptOf } from './library.ts'
import { positionFaults } from './positions.ts'
import { replay } from './replay.ts'
import { connected } from './server.ts'

const isLong = process.env['MILLRACE_LONG'] !== undefined
/** Heartbeats take seconds. */
const names = recordingNames.filter((name) => isLong || !name.startsWith('heartbeat.'))
/** What we ask for before we go on, where Debezium goes on with keys that name other rows; differences.json has what follows from it. */
const configs: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  ['replica-identity', { 'message.key.columns': 'public.idx:u' }],
])
const versions = isLong ? ['18', '15'] : ['18']
const servers = await Promise.all(
  versions.map(async (version) => ({ version, found: await service('postgres', version === '18' ? {} : { version }) })),
)

afterAll(async () => {
  for (const { found } of servers) await found.value?.stop()
})

for (const { version, found } of servers) {
  const title = `on PostgreSQL ${version}${found.reason === undefined ? '' : ` (${found.reason})`}`
  describe.skipIf(found.value === undefined)(title, () => {
    const used = new Set<unknown>()

    it('runs on the version that it says', async () => {
      const client = await connected(found.value?.url ?? '')
      const { rows } = await client.query<{ server_version: string }>('show server_version')
      await client.end()
      expect(rows[0]?.server_version.split('.')[0]).toBe(version)
    })

    it.each(names)('%s', async (name) => {
      const [recording, script] = [recordingOf(name), scriptOf(name)]
      const config = configs.get(name) ?? {}
      const replayed = await replay(postgresSource as unknown as SourcePlugin, found.value?.url ?? '', script, recording, config)
      const differences = compareRecordings(recording, replayed, replayed.nowMs)
      const judged = withoutDeliberate(name, differences, deliberateDifferences)
      for (const one of judged.used) used.add(one)
      const failure = replayed.failure instanceof Error ? `\nit failed: ${replayed.failure.stack}` : ''
      if (judged.left.length > 0) assert.fail(`${describeDifferences(judged.left)}${failure}`)
      expect(positionFaults(replayed.offsets)).toEqual([])
    })

    it('differs in all that the list of differences says', () => {
      expect(deliberateDifferences.filter((difference) => !used.has(difference))).toEqual([])
    })
  })
}
