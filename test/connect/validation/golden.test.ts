/**
 * What Kafka Connect 4.3.1 answered to descriptions and validations of plugins, put to an inspection over the plugins of a default install.
 * Steps whose answer is the HTTP layer's, or whose plugins do not exist here, stand in differences-validation.json with their reason.
 */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { createInspection } from '../../../hub/connect/validation/inspection.ts'
import { invalidConfigMessage } from '../../../hub/connect/validation/refusal.ts'
import type { ConfigInfos, ConfigKeyInfo, ConfigText, PluginInfo } from '../../../hub/connect/types.ts'
import { nodeClock, nodeDisk } from '../../../hub/io/index.ts'
import { nativeImport } from '../plugins/plugin-folder.ts'

interface Step {
  readonly method: string
  readonly path: string
  readonly body?: ConfigText
  readonly bodyText?: string
  readonly status: number
  readonly responseBody?: unknown
}

interface CreateStep extends Omit<Step, 'body'> {
  readonly body?: { readonly name?: string; readonly config?: ConfigText | null }
}

interface Difference {
  readonly case: string
  /** What is given instead: an error, parts of the answer, or the answer of another step; absent: nothing to ask an inspection for. */
  readonly ours?: {
    readonly error?: { readonly status: number; readonly message: string }
    readonly groups?: readonly string[]
    readonly as?: string
  }
  /** The plugin that the step is about: the step is held once there is such a plugin. */
  readonly plugin?: string
  readonly reason: string
}

function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../golden/connect/${name}`, import.meta.url), 'utf8')) as T
}

const differences = golden<readonly Difference[]>('differences-validation.json')
const json = 'org.apache.kafka.connect.json.JsonConverter'
const inspection = createInspection({
  pluginPaths: [],
  disk: nodeDisk(),
  clock: nodeClock(),
  workerDefaults: {
    'key.converter': json,
    'value.converter': json,
    'header.converter': 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
  },
  importModule: nativeImport,
})
const { plugins, problems } = await inspection.catalog()
const ourClasses = new Set(plugins.map((plugin) => plugin.class))
afterAll(() => inspection.close())

function differenceOf(title: string): Difference | undefined {
  return differences.find(({ case: name, plugin }) => name === title && (plugin === undefined || !ourClasses.has(plugin)))
}

function stepsOf(
  name: 'plugins' | 'validate',
): readonly { readonly title: string; readonly step: Step; readonly difference: Difference | undefined }[] {
  return golden<{ readonly steps: readonly Step[] }>(`rest/${name}.json`).steps.map((step, index) => {
    const title = `${name} ${index}`
    return { title, step, difference: differenceOf(title) }
  })
}

const createSteps = golden<{ readonly steps: readonly CreateStep[] }>('rest/create.json').steps.flatMap((step, index) => {
  const title = `create ${index}`
  const config = judgedConfig(step)
  return config === undefined ? [] : [{ title, step, config, difference: differenceOf(title) }]
})

/** Texts of documentation are ours; lists of plugins are compared as far as both sides have them. */
function comparableKey(info: ConfigKeyInfo): ConfigKeyInfo {
  return { ...info, documentation: '' }
}

function byName<T extends { readonly name: string }>(items: readonly T[]): Record<string, T> {
  const named = Object.fromEntries(items.map((item) => [item.name, item]))
  expect(Object.keys(named)).toHaveLength(items.length)
  return named
}

function comparableInfos(infos: ConfigInfos, sharedClasses: (value: string | null) => boolean) {
  return {
    name: infos.name,
    error_count: infos.error_count,
    groups: infos.groups,
    configs: byName(
      infos.configs.map(({ definition, value }) => ({
        name: value.name,
        definition: definition === null ? null : comparableKey(definition),
        value: { ...value, recommended_values: value.recommended_values.filter(sharedClasses) },
      })),
    ),
  }
}

async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    const { status, message } = error as { status: number; message: string }
    return { status, message }
  }
}

/** `<any>` in a recorded message stands for what differs between runs. */
function expectError(outcome: unknown, expected: { readonly status: number; readonly message: string }): void {
  const parts = expected.message.split('<any>').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  expect(outcome).toEqual({ status: expected.status, message: expect.stringMatching(new RegExp(`^${parts.join('.*')}$`, 's')) })
}

it('the default plugins are found without a problem', () => {
  expect(problems).toEqual([])
})

it('every difference is one of a step that exists', () => {
  const titles = new Set([...stepsOf('plugins'), ...stepsOf('validate'), ...createSteps].map(({ title }) => title))
  expect(differences.filter((difference) => !titles.has(difference.case))).toEqual([])
})

it('the catalog holds the recorded plugins that exist here: class, kind and version, in the recorded order', () => {
  const recorded = golden<{ readonly steps: readonly Step[] }>('rest/plugins.json').steps[2]?.responseBody as readonly PluginInfo[]
  const isOurs = (line: string): boolean => plugins.some((plugin) => line === `${plugin.kind} ${plugin.class} ${plugin.version}`)
  const lines = recorded.map((info) => `${info.type} ${info.class} ${info.version}`)
  const ours = plugins.map((plugin) => `${plugin.kind} ${plugin.class} ${plugin.version}`)
  expect(ours.filter((line) => lines.includes(line))).toEqual(lines.filter(isOurs))
  // Nothing under one of Kafka's names that Kafka does not have.
  expect(ours.filter((line) => line.includes(' org.apache.kafka.') && !lines.includes(line))).toEqual([])
  expect(lines.filter(isOurs).length).toBeGreaterThan(15)
})

describe('PUT /connector-plugins/{p}/config/validate', () => {
  const asked = stepsOf('validate').filter(({ difference }) => difference === undefined || difference.ours !== undefined)

  it.each(asked)('$title: $step.body', async ({ step, difference }) => {
    const config = step.body
    if (config === undefined) throw new Error('the step has no configuration')
    const outcome = await outcomeOf(() => inspection.validate({ config, written: config }))
    if (difference?.ours?.error !== undefined) return expectError(outcome, difference.ours.error)
    const recorded = step.responseBody as ConfigInfos
    const theirs = new Set(recorded.configs.flatMap(({ value }) => value.recommended_values))
    const isShared = (value: string | null): boolean =>
      value === null || !value.includes('.kafka.connect.') || (ourClasses.has(value) && theirs.has(value))
    const expected = { ...recorded, ...(difference?.ours?.groups === undefined ? {} : { groups: difference.ours.groups }) }
    expect(comparableInfos(outcome as ConfigInfos, isShared)).toEqual(comparableInfos(expected, isShared))
  })
})

describe('GET /connector-plugins/{p}/config', () => {
  const asked = stepsOf('plugins').filter(({ difference }) => difference === undefined || difference.ours !== undefined)

  it.each(asked)('$title: $step.path', async ({ step, difference }) => {
    const name = decodeURIComponent(/^\/connector-plugins\/([^/]+)\/config/.exec(step.path)?.[1] ?? '')
    const outcome = await outcomeOf(() => inspection.describe(name))
    if (difference?.ours?.error !== undefined) return expectError(outcome, difference.ours.error)
    const { status, responseBody } = stepsOf('plugins').find(({ title }) => title === difference?.ours?.as)?.step ?? step
    if (status !== 200) return expectError(outcome, { status, message: (responseBody as { message: string }).message })
    const recorded = (responseBody as readonly ConfigKeyInfo[]).map(comparableKey)
    expect((outcome as readonly ConfigKeyInfo[]).map(comparableKey)).toEqual(recorded)
  })
})

describe('POST /connectors', () => {
  it('has both refusals and what is accepted', () => {
    const statuses = createSteps.map(({ step }) => step.status)
    expect(statuses.filter((status) => status === 400).length).toBeGreaterThan(30)
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(10)
  })

  it.each(createSteps)('$title: $config', async ({ step, difference, config }) => {
    const outcome = await outcomeOf(() => inspection.validate({ config, written: config }))
    const infos = outcome as ConfigInfos
    if (step.status === 201 && difference === undefined) return expect(infos.configs.flatMap(({ value }) => value.errors)).toEqual([])
    const { message } = difference?.ours?.error ?? (step.responseBody as { readonly message: string })
    if (infos.configs === undefined) return expectError(outcome, { status: 400, message })
    expect(infos.error_count).toBeGreaterThan(0)
    expect(invalidConfigMessage(infos)).toBe(message)
  })
})

/** The configuration that an inspection is asked for; undefined where the request is answered before. */
function judgedConfig({ method, path, status, body }: CreateStep): ConfigText | undefined {
  if (method !== 'POST' || path !== '/connectors' || (status !== 201 && status !== 400)) return undefined
  const { name, config } = body ?? {}
  if (typeof name !== 'string' || config === undefined || config === null) return undefined
  if (!Object.values(config).every((value) => typeof value === 'string')) return undefined
  if (config['name'] !== undefined && config['name'] !== name) return undefined
  return { name: javaTrimmed(name), ...config }
}

/** Java's `trim`, by which a name is read. */
function javaTrimmed(text: string): string {
  return text.replaceAll(/^[\0- ]+|[\0- ]+$/g, '')
}
