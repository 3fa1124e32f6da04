import {
  type ConfigDefinition,
  DataError,
  int32,
  parseConfig,
  type Schema,
  type SinkRecord,
  type SourceRecord,
  string,
  struct,
  structOf,
  type Transform,
  type TransformPlugin,
  type Value,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import {
  extractFieldValue,
  flattenValue,
  insertFieldValue,
  regexRouter,
  replaceFieldValue,
  topicNameMatches,
  valueToKey,
} from '../../../connectors/transforms/index.ts'

function made<D extends ConfigDefinition>(plugin: TransformPlugin<D>, config: Readonly<Record<string, string>>): Transform {
  return plugin.create(parseConfig(plugin.config, config))
}

function sourceRecord(valueSchema: Schema | null, value: Value): SourceRecord {
  const position = { sourcePartition: { file: 'a' }, sourceOffset: { position: 1 } }
  return { topic: 't', partition: null, keySchema: null, key: null, valueSchema, value, timestampMs: 5, headers: [], ...position }
}

const user = (): Schema => struct({ id: int32(), name: string() }, { name: 'User' })

describe('new schemas', () => {
  it('are one object for one schema, also when the source makes equal ones anew', () => {
    const transform = made(replaceFieldValue, { exclude: 'name' })
    const results = [user(), user()].map((schema) => transform(sourceRecord(schema, structOf({ id: 1, name: 'a' }))))
    expect(results[0]?.valueSchema).toEqual(struct([{ name: 'id', schema: int32() }], { name: 'User' }))
    expect(results[1]?.valueSchema).toBe(results[0]?.valueSchema)
  })

  it('follow a schema that changes back and forth, and forget no more than the oldest', () => {
    const transform = made(insertFieldValue, { 'topic.field': 'topic' })
    const schemas = Array.from({ length: 40 }, (_unused, at) => struct({ [`f${at}`]: int32() }))
    for (let round = 0; round < 3; round++) {
      for (const [at, schema] of schemas.entries()) {
        const result = transform(sourceRecord(schema, structOf({ [`f${at}`]: at })))
        expect(result?.value).toEqual(structOf({ [`f${at}`]: at, topic: 't' }))
        expect(result?.valueSchema?.fields?.map((field) => field.name)).toEqual([`f${at}`, 'topic'])
      }
    }
  })
})

describe('records', () => {
  it('keep what a transform does not touch: positions of sources, original coordinates of sinks', () => {
    const original = { originalTopic: 'a', originalPartition: 1, originalOffset: 7 }
    const sink: SinkRecord = { ...sourceRecord(null, 'v'), partition: 2, offset: 9, timestampType: 'create', ...original }
    expect(made(regexRouter, { regex: '.*', replacement: 'other' })(sink)).toEqual({ ...sink, topic: 'other' })
    const source = sourceRecord(user(), structOf({ id: 1, name: 'a' }))
    const keyed = made(valueToKey, { fields: 'name,name' })(source)
    expect(keyed).toEqual({ ...source, keySchema: struct({ name: string() }), key: structOf({ name: 'a' }) })
  })

  it('a nested field comes out by its path', () => {
    const outer = struct({ 'a.b': struct({ user: user() }, { optional: true }) })
    const extract = made(extractFieldValue, { field: '`a.b`.user.name', 'field.syntax.version': 'v2' })
    expect(extract(sourceRecord(outer, structOf({ 'a.b': structOf({ user: structOf({ id: 1, name: 'z' }) }) })))?.value).toBe('z')
    expect(extract(sourceRecord(outer, structOf({ 'a.b': null })))).toMatchObject({ value: null, valueSchema: string() })
  })

  it('maps with keys that are no texts are refused as upstream refuses them', () => {
    const apply = () => made(flattenValue, {})(sourceRecord(null, new Map([[1n, 'x']])))
    expect(apply).toThrow(expect.objectContaining({ className: 'java.lang.ClassCastException' }))
  })
})

describe('patterns', () => {
  it('are those of Java', () => {
    const route = made(regexRouter, { regex: '(?i)DB\\.(?<table>\\p{Alpha}++)', replacement: `lake.\${table}` })
    expect(route(sourceRecord(null, 'v'))?.topic).toBe('t')
    expect(route({ ...sourceRecord(null, 'v'), topic: 'db.orders' })?.topic).toBe('lake.orders')
    expect(topicNameMatches.create({ pattern: '\\Qdb.\\E[a-z&&[^x]]+' })({ ...sourceRecord(null, 'v'), topic: 'db.abc' })).toBe(true)
  })

  it('one that explodes costs its record, not the task', () => {
    const route = made(regexRouter, { regex: '(a+)+b', replacement: 'x' })
    const record = { ...sourceRecord(null, 'v'), topic: 'a'.repeat(100) }
    // Worked out once: 1,000 searches that are given up would take minutes.
    for (let count = 0; count < 1000; count++) expect(() => route(record)).toThrow(DataError)
    expect(route({ ...sourceRecord(null, 'v'), topic: 'aab' })?.topic).toBe('x')
  })

  it('a topic beyond the remembered ones is renamed all the same', () => {
    const route = made(regexRouter, { regex: 't(.*)', replacement: 'u$1' })
    for (let at = 0; at < 10_050; at++) expect(route({ ...sourceRecord(null, 'v'), topic: `t${at}` })?.topic).toBe(`u${at}`)
  })
})
