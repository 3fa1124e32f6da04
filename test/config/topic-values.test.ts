/** What Apache Kafka 4.3.1 says to values of topic keys, good and bad (golden/configs/topic-values.jsonl, recorded from a broker). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type AlterOutcome, checkTopicConfig, incrementalAlter, isRefusal } from '../../hub/config/index.ts'

type Told = readonly [errorCode: number, message: string | null]

interface Recorded {
  readonly name?: string
  readonly value?: string
  /** Several at once, in place of one. */
  readonly configs?: Readonly<Record<string, string>>
  /** Answer to IncrementalAlterConfigs of the topic `cfg`, and to CreateTopics of `cfg2`. */
  readonly alter: Told
  readonly create: Told
}

const recorded = readFileSync(new URL('../golden/configs/topic-values.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded)
const codeOf = { INVALID_CONFIG: 40, INVALID_REQUEST: 42 } as const
const told = (outcome: AlterOutcome | undefined): Told =>
  outcome !== undefined && isRefusal(outcome) ? [codeOf[outcome.error], outcome.message] : [0, null]
/** The recording client named the resource behind the message. */
const bare = ([code, message]: Told): Told => [code, message?.replace(/ \(topic cfg2\)$/, '') ?? null]

describe('a topic’s settings', () => {
  it.each(recorded.map((each) => [JSON.stringify(each.configs ?? { [each.name ?? '']: each.value }), each] as const))(
    '%s',
    (_, { name = '', value = '', configs = { [name]: value }, alter, create }) => {
      const operations = Object.entries(configs).map(([key, text]) => ({ name: key, operation: 'set' as const, value: text }))
      expect(told(incrementalAlter(new Map(), operations, { scope: 'topic' }))).toEqual(bare(alter))
      expect(told(checkTopicConfig(Object.entries(configs).map(([key, text]) => ({ name: key, value: text }))))).toEqual(bare(create))
    },
  )

  it('were recorded for every key', () => {
    const golden = JSON.parse(readFileSync(new URL('../golden/configs/topic.json', import.meta.url), 'utf8')) as { readonly name: string }[]
    const seen = new Set(recorded.map(({ name }) => name))
    expect(golden.filter(({ name }) => !seen.has(name))).toEqual([])
  })
})
