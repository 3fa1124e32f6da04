/**
 * The conversations that were recorded with a Connect worker of Apache Kafka 4.3.1, held again over HTTP with a hub, in the recorded order: every
 * answer must be the recorded one but for what test/golden/connect/differences-rest.json lists, case by case, with a reason. A difference that is
 * listed and does not occur fails as well. Steps of what is not served, and those that follow from them, are listed there as skipped.
 */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeClock } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { type Answer, ask, compare, type Json, type Leniency, mismatches, type Step, stepsOf } from './replay.ts'

/** In the order of the recording; what follows builds on what went before. */
const CONVERSATIONS = ['root', 'create', 'config', 'tasks', 'lifecycle', 'topics', 'offsets', 'plugins', 'validate', 'delete'] as const
type Conversation = (typeof CONVERSATIONS)[number]

type Cases = readonly {
  readonly reason: string
  readonly cases: Readonly<Record<string, { readonly status: number; readonly body: Json }>>
}[]

interface Differences {
  readonly absentPlugins: { readonly reason: string; readonly classes: readonly string[] }
  readonly additionalPlugins: { readonly reason: string; readonly classes: readonly string[] }
  /** Cases that are answered otherwise, with what is answered. */
  readonly different: Cases
  /** Cases whose recorded answer holds something that time decides. */
  readonly volatile: Cases
  /** Cases that are not asked. */
  readonly skipped: readonly { readonly reason: string; readonly cases: readonly string[] }[]
}

const differences = JSON.parse(readFileSync(new URL('../golden/connect/differences-rest.json', import.meta.url), 'utf8')) as Differences
const casesOf = (list: Cases) => new Map(list.flatMap(({ cases }) => Object.entries(cases)))
const [different, volatile] = [casesOf(differences.different), casesOf(differences.volatile)]
const skipped = new Set(differences.skipped.flatMap(({ cases }) => cases))
const leniency: Leniency = {
  absentClasses: new Set(differences.absentPlugins.classes),
  additionalClasses: new Set(differences.additionalPlugins.classes),
}

/** What was found at one case: nothing where all is as it should be. */
const breaches = new Map<Conversation, string[]>()
let [directory, home] = ['', '']
let hub: TestHub
let port = 0

const EVENTUALLY_MS = 20_000
const LOOK_AGAIN_MS = 20

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-rest-'))
  await writeFile(join(directory, 'input.txt'), 'one\ntwo\nthree\n')
  // The recorded configurations name their files as the worker's working directory has them.
  home = process.cwd()
  process.chdir(directory)
  hub = await startHub({
    connect: true,
    overrides: {
      // A thread for each of the many short-lived connectors costs time; the long run pays it.
      'connect.millrace.tasks.isolation': process.env['MILLRACE_LONG'] === undefined ? 'shared' : 'thread',
      'connect.offset.flush.interval.ms': '1000',
      'connect.offset.storage.partitions': '1',
      'connect.status.storage.partitions': '1',
    },
  })
  port = Number(new URL(hub.connect?.addresses[0] ?? '').port)
  for (const name of CONVERSATIONS) breaches.set(name, await replay(name))
}, 300_000)

afterAll(async () => {
  await hub.close()
  process.chdir(home)
  await rm(directory, { recursive: true, force: true })
})

async function replay(name: Conversation): Promise<string[]> {
  const found: string[] = []
  for (const [at, step] of stepsOf(name, `127.0.0.1:${port}`).entries()) {
    const title = `${name} ${at}`
    // As recorded: more lines before the topics that were reset are asked for again.
    if (title === 'topics 10') await appendFile(join(directory, 'input.txt'), 'four\nfive\n')
    if (skipped.has(title)) continue
    const wrong = await settle(title, step)
    if (wrong.length > 0) found.push(`${title} (${step.method} ${step.path}): ${wrong.join('; ')}`)
  }
  return found
}

/** Asks; what takes its time, until the answer is right. */
async function settle(title: string, step: Step): Promise<readonly string[]> {
  const clock = nodeClock()
  const endMs = clock.monotonicMs() + EVENTUALLY_MS
  for (;;) {
    const answer = await ask(port, step)
    const wrong = judge(title, step, answer)
    if (wrong.length === 0 || !isPatient(step) || clock.monotonicMs() > endMs) return wrong
    await clock.sleep(LOOK_AGAIN_MS)
  }
}

/** The recorder waited for connectors to run before it went on; states and tasks are asked for again, everything else must be right at once. */
function isPatient({ eventually, method, path }: Step): boolean {
  return eventually === true || (method === 'GET' && /^\/connectors(\/[^/]+(\/(status|tasks))?|\?.*)$/.test(path))
}

function judge(title: string, step: Step, answer: Answer): readonly string[] {
  const wrong = mismatches(step, answer, leniency)
  if (different.has(title) && wrong.length === 0) return ['is answered as recorded; the difference that is listed does not occur']
  const ours = different.get(title) ?? volatile.get(title)
  if (ours === undefined || answer.status !== ours.status) return wrong
  return compare(ours.body, JSON.parse(answer.text) as Json, '', leniency)
}

describe.each(CONVERSATIONS)('the conversation about %s', (name) => {
  it('is answered as recorded', () => {
    expect(breaches.get(name)).toEqual([])
  })
})

it('every case that is listed exists, and once', () => {
  const titles = new Set(CONVERSATIONS.flatMap((name) => stepsOf(name, '').map((_step, at) => `${name} ${at}`)))
  const listed = [...different.keys(), ...volatile.keys(), ...differences.skipped.flatMap(({ cases }) => cases)]
  expect(listed.filter((title) => !titles.has(title))).toEqual([])
  expect(listed).toHaveLength(new Set(listed).size)
})
