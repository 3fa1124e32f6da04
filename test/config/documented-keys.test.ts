import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ConfigDefinition, ConfigKey } from '@millrace/sdk'
import { brokerConfigDefinition } from '../../hub/config/keys/broker.ts'
import { connectWorkerDefinition } from '../../hub/config/keys/connect-worker.ts'

const hub = new URL('../../hub/', import.meta.url).pathname
/** Where keys are defined, and where they are listed whether anybody acts on them or not. */
const LISTS = ['config/keys/', 'config/dynamic.ts', 'dist/', 'node_modules/']

/** The hub's own sources but for those lists. */
function sources(): string {
  const names = readdirSync(hub, { recursive: true, encoding: 'utf8' })
  const read = names.filter((name) => name.endsWith('.ts') && !LISTS.some((list) => name.startsWith(list)))
  return read.map((name) => readFileSync(join(hub, name), 'utf8')).join('\n')
}

describe('documented keys', () => {
  it.each([
    ['a broker', brokerConfigDefinition],
    ['a Connect worker', connectWorkerDefinition],
  ] as [string, ConfigDefinition][])(
    'of %s are read by somebody: a key that is set without effect is warned of only if it has no documentation',
    (_of, definition) => {
      const text = sources()
      const unread = Object.entries<ConfigKey>(definition)
        .filter(([name, { documentation }]) => documentation !== undefined && !text.includes(`'${name}'`) && !text.includes(`.${name}`))
        .map(([name]) => name)
      expect(unread).toEqual([])
    },
  )
})
