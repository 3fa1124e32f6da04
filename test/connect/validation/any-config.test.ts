import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { createInspection } from '../../../hub/connect/validation/inspection.ts'
import { ConnectRequestError } from '../../../hub/connect/types.ts'
import { frameworkKeys } from '../../../hub/connect/validation/connector-keys.ts'
import { nodeClock, nodeDisk } from '../../../hub/io/index.ts'
import { nativeImport } from '../plugins/plugin-folder.ts'

const json = 'org.apache.kafka.connect.json.JsonConverter'
const inspection = createInspection({
  pluginPaths: [],
  disk: nodeDisk(),
  clock: nodeClock(),
  workerDefaults: { 'key.converter': json, 'value.converter': json },
  importModule: nativeImport,
})
afterAll(() => inspection.close())
const { plugins } = await inspection.catalog()
const runCount = process.env['MILLRACE_LONG'] === undefined ? 500 : 20_000

const names = fc.oneof(
  fc.constantFrom(...Object.keys(frameworkKeys.source), ...Object.keys(frameworkKeys.sink), 'file', 'topic', 'batch.size'),
  fc.constantFrom('transforms.a.type', 'transforms.b.type', 'transforms.a.field', 'transforms.a.predicate', 'predicates.a.type'),
  fc.constantFrom(
    'value.converter.schemas.enable',
    'producer.override.acks',
    'consumer.override.x',
    'producer.override.constructor',
    'topic.creation.a.include',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', ''),
  fc.string({ maxLength: 12 }),
)
const values = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a',
    'b',
    'a,b',
    'a,a',
    ',',
    '0',
    '-1',
    '1',
    '99999999999999999999',
    'true',
    'required',
    'connector',
    '[',
    '(?<',
    '*',
    '\\',
  ),
  fc.constantFrom(...plugins.flatMap((plugin) => [plugin.class, ...plugin.aliases]), 'FileStreamSink', 'Json', '__proto__', 'constructor'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const connectors = fc.constantFrom(
  'FileStreamSource',
  'FileStreamSink',
  'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'constructor',
)

it('whatever a configuration says, the answer is a judgement or a refusal', async () => {
  const configs = fc.tuple(connectors, fc.array(fc.tuple(names, values), { maxLength: 12 }))
  await fc.assert(
    fc.asyncProperty(configs, async ([connector, settings]) => {
      const config = Object.fromEntries([['connector.class', connector], ...settings])
      const outcome = await inspection.validate({ config, written: config }).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(ConnectRequestError)
        expect(outcome).toMatchObject({ status: 400 })
        return
      }
      const { configs: judged, error_count: errorCount } = outcome as Awaited<ReturnType<typeof inspection.validate>>
      const shown = judged.map(({ value }) => value.name)
      expect(new Set(shown).size).toBe(shown.length)
      expect(errorCount).toBe(judged.reduce((count, { value }) => count + value.errors.length, 0))
      expect(structuredClone(outcome)).toEqual(outcome)
    }),
    { numRuns: runCount },
  )
})

it('no pattern makes it break: too deep, too long, too many', async () => {
  for (const pattern of [
    '('.repeat(100_000),
    '(a'.repeat(5_000) + ')'.repeat(5_000),
    '['.repeat(50_000),
    'a{1,1000000}'.repeat(50),
    '(a+)+$',
  ]) {
    const config = {
      name: 's',
      'connector.class': 'FileStreamSink',
      'topics.regex': pattern,
      'errors.deadletterqueue.topic.name': `${'a'.repeat(60)}!`,
    }
    const outcome = await inspection.validate({ config, written: config }).catch((error: unknown) => error)
    expect(outcome).toHaveProperty('error_count')
  }
})
