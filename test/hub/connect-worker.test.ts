import { expect, it } from 'vitest'
import { startHub } from '../../hub/testing.ts'
import { eventually, temporaryFolder } from '../connect/worker.ts'

it.each([
  ['debug', ['a detail', 'a fact']],
  ['info', ['a fact']],
])('millrace.log.level=%s holds for what plugins say as well', async (level, said) => {
  await using folder = await temporaryFolder()
  await folder.write(
    'talker.ts',
    `import { defineConfig, defineSource } from '@millrace/sdk'
export default defineSource({
  class: 'test.Talker', version: '1.0.0', config: defineConfig({}),
  async *run(_config, { log, sleep, signal }) {
    log.debug('a detail')
    log.info('a fact')
    while (!signal.aborted) await sleep(1000)
  },
})`,
  )
  await using hub = await startHub({ connect: true, overrides: { 'connect.plugin.path': folder.path, 'millrace.log.level': level } })
  const answer = await fetch(`${hub.connect?.addresses[0]}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'talker', config: { 'connector.class': 'test.Talker' } }),
  })
  expect(answer.status).toBe(201)
  const heard = (): readonly string[] =>
    hub.log.entries.map(({ message }) => message).filter((message) => /^a (detail|fact)$/.test(message))
  await eventually(heard, (messages) => messages.includes('a fact'))
  expect(heard()).toEqual(said)
})
