/**
 * @module test/cli/golden — the recorded invocations of Kafka 4.3.1's scripts, one after another against one broker: our hub, and in the
 * long run a real Kafka, which shows that the commands do not lean on our own broker.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdmin } from '../../hub/client/index.ts'
import { startHub } from '../../hub/testing.ts'
import { type Found, type Service, service } from '../services.ts'
import { type Difference, expectedText, type Invocation, mismatch, type Outcome, replay } from './replay.ts'

const golden = (name: string): unknown => JSON.parse(readFileSync(new URL(`../golden/cli/${name}`, import.meta.url), 'utf8'))
const invocations = golden('invocations.json') as Invocation[]
const differences = golden('differences.json') as Difference[]

/** Left out, with the reason; `hub`: only there. */
const EXCLUDED: readonly {
  readonly numbers: readonly number[]
  readonly where: 'hub' | 'everywhere'
  readonly reason: string
}[] = [
  { numbers: [84], where: 'hub', reason: 'the broker does not serve OffsetDelete yet' },
  { numbers: [217], where: 'hub', reason: 'the broker serves fewer APIs than Kafka yet' },
  { numbers: [215], where: 'hub', reason: 'the broker does not serve UnregisterBroker yet' },
  { numbers: [198, 199], where: 'everywhere', reason: 'they read what transactional producers wrote' },
]

/** The invocation that produces records without keys, which land on a partition by chance; the recording had partition 0. */
const KEYLESS_PRODUCE = 43
const KEYLESS_TOPIC = 'assigned'
const KEYLESS_RECORD_COUNT = 4
const TRIES_MAX = 64

/** Makes the topic anew and produces again until the records lie where they lay in the recording. */
async function produceToPartitionZero(invocation: Invocation, bootstrap: string): Promise<void> {
  const admin = createAdmin({ bootstrapServers: bootstrap })
  try {
    for (let count = 0; count < TRIES_MAX; count++) {
      const [first] = await admin.listOffsets([{ topic: KEYLESS_TOPIC, partition: 0, at: 'latest' }])
      if (first?.offset === KEYLESS_RECORD_COUNT) return
      await admin.deleteTopics([KEYLESS_TOPIC])
      // A broker may still be at deleting the old one.
      while ((await admin.createTopics([{ name: KEYLESS_TOPIC, assignments: [[1], [1]] }]))[0]?.error);
      await replay(invocation, bootstrap)
    }
    throw new Error(`records without keys never chose partition 0 in ${TRIES_MAX} tries`)
  } finally {
    await admin.close()
  }
}

const LOOKS_MAX = 30

function isReadOnly({ args }: Invocation): boolean {
  return args.includes('--describe') || args.includes('--list')
}

function problemsOf(invocation: Invocation, outcome: Outcome): string[] {
  const problems = (['stdout', 'stderr'] as const).map((field) => {
    const difference = differences.find((one) => one.field === field && one.numbers.includes(invocation.number))
    const problem = mismatch(expectedText(invocation, field, difference), outcome[field], difference?.free)
    return problem === undefined ? undefined : `${field}: ${problem}`
  })
  const exit = outcome.exit === invocation.exit ? undefined : `exit ${outcome.exit} instead of ${invocation.exit}`
  return [exit, ...problems].filter((problem) => problem !== undefined)
}

function replayAll(where: 'hub' | 'kafka', bootstrap: () => string): void {
  for (const invocation of invocations) {
    const left = EXCLUDED.find((one) => one.numbers.includes(invocation.number) && (one.where === 'everywhere' || one.where === where))
    const name = `#${invocation.number} ${invocation.tool} ${invocation.args.join(' ').slice(0, 120)}`
    it.skipIf(left !== undefined)(left === undefined ? name : `${name} (${left.reason})`, async () => {
      let problems = problemsOf(invocation, await replay(invocation, bootstrap()))
      // Kafka answers before a change is in force everywhere; what only looks may look again.
      for (let count = 0; where === 'kafka' && isReadOnly(invocation) && problems.length > 0 && count < LOOKS_MAX; count++) {
        problems = problemsOf(invocation, await replay(invocation, bootstrap()))
      }
      expect(problems).toEqual([])
      if (invocation.number === KEYLESS_PRODUCE) await produceToPartitionZero(invocation, bootstrap())
    })
  }
}

describe('recorded invocations against the hub', () => {
  let hub: Awaited<ReturnType<typeof startHub>>
  beforeAll(async () => {
    hub = await startHub()
  })
  afterAll(async () => {
    await hub.close()
  })
  replayAll('hub', () => hub.bootstrap)
})

describe('recorded invocations against Apache Kafka', async () => {
  const { value, reason } = await freshKafka()
  afterAll(() => value?.stop())
  it.skipIf(value === undefined)(`is there${reason === undefined ? '' : ` (${reason})`}`, () => {
    expect(value?.url).toMatch(/:\d+$/)
  })
  if (value !== undefined) replayAll('kafka', () => value.url)
})

/** A Kafka with nothing in it, since the recording began with one: never one that others use. */
async function freshKafka(): Promise<Found<Service>> {
  if (process.env['MILLRACE_LONG'] === undefined) return { reason: 'only in the long run' }
  if (process.env['TEST_KAFKA_URL'] !== undefined) return { reason: 'TEST_KAFKA_URL may not be empty of topics' }
  return service('kafka')
}

describe('the list of differences', () => {
  it('names invocations that are there, each with a reason', () => {
    const numbers = new Set(invocations.map(({ number }) => number))
    for (const { numbers: named, reason } of [...differences, ...EXCLUDED]) {
      expect(named.filter((number) => !numbers.has(number))).toEqual([])
      expect(reason).not.toBe('')
    }
  })
})
