import { type ConverterPlugin, DataError, defineConfig, defineConverter, type SinkRecord, sourceRecord } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { type ConvertedRecord, createConversion, RAW } from '../../../hub/connect/tasks/conversion.ts'
import type { Cursor } from '../../../hub/connect/tasks/step.ts'
import { loaderOf } from './workshop.ts'

/** Tells how it was made, and adds a header where it is asked to. */
const telling = defineConverter({
  class: 'test.Telling',
  version: '1.0.0',
  config: defineConfig({ mark: { type: 'STRING', default: 'none', importance: 'LOW' } }),
  create: ({ mark }, { isKey }) => ({
    fromConnectData: (topic, _schema, _value, headers) => {
      if (mark === 'header') headers.push({ key: 'added', value: Buffer.from(topic) })
      return new Uint8Array(Buffer.from(`${isKey ? 'key' : 'value'} ${mark}`))
    },
    toConnectData: (_topic, _bytes, headers) => ({ schema: null, value: `${isKey ? 'key' : 'value'} ${mark} ${headers.length}` }),
  }),
}) as unknown as ConverterPlugin

const plugins = loaderOf(telling)
const worker = { 'key.converter': 'test.Telling', 'value.converter': 'test.Telling', 'header.converter': 'test.TextHeaders' }
const newCursor = (): Cursor => ({ step: { stage: 'TASK_POLL', className: '', setting: '' } })

describe('converters', () => {
  it('are the worker’s with the worker’s settings, or the connector’s own with its own', async () => {
    const ofWorker = { ...worker, 'key.converter.mark': 'w', 'value.converter.mark': 'w' }
    const conversion = await createConversion({ 'value.converter': 'test.Telling', 'key.converter.mark': 'ignored' }, ofWorker, plugins)
    const sent = await conversion.toBytes(sourceRecord({ topic: 't', key: 'k', value: 'v' }), newCursor())
    expect([String(sent.key), String(sent.value)]).toEqual(['key w', 'value none'])
    expect(Buffer.isBuffer(sent.key)).toBe(true)
    const own = await createConversion({ 'value.converter': 'test.Telling', 'value.converter.mark': 'c' }, ofWorker, plugins)
    expect(String((await own.toBytes(sourceRecord({ topic: 't' }), newCursor())).value)).toBe('value c')
  })

  it('give a record for the producer: partition, headers in order, those that converters add last, timestamp', async () => {
    const conversion = await createConversion({}, { ...worker, 'value.converter.mark': 'header' }, plugins)
    const headers = [
      { key: 'a', value: 'one' },
      { key: 'a', value: null },
    ]
    const record = sourceRecord({ topic: 't', partition: 3, timestampMs: 17, headers })
    const sent = await conversion.toBytes(record, newCursor())
    expect(sent).toMatchObject({ topic: 't', partition: 3, timestampMs: 17 })
    expect(sent.headers?.map(({ key, value }) => [key, value === null ? null : String(value)])).toEqual([
      ['a', 'one'],
      ['a', null],
      ['added', 't'],
    ])
    const plain = await conversion.toBytes({ ...sourceRecord({ topic: 't' }), timestampMs: -1 }, newCursor())
    expect([plain.partition, plain.timestampMs]).toEqual([undefined, undefined])
    expect(() => conversion.toBytes({ ...sourceRecord({ topic: 't' }), timestampMs: -2 }, newCursor())).toThrow(DataError)
  })

  it('give a record for the sink with its original coordinates and its raw form', async () => {
    const conversion = await createConversion({}, worker, plugins)
    const raw = { offset: 9, timestampMs: -1, key: null, value: Buffer.from('v'), headers: [{ key: 'h', value: Buffer.from('x') }] }
    const record = conversion.toRecord(raw, { topic: 't', partition: 2, timestampType: 'create' }, newCursor()) as SinkRecord
    expect(record).toMatchObject({
      topic: 't',
      partition: 2,
      offset: 9,
      key: 'key none 1',
      value: 'value none 1',
      timestampMs: null,
      timestampType: 'none',
      originalTopic: 't',
      originalPartition: 2,
      originalOffset: 9,
      headers: [{ key: 'h', schema: null, value: 'x' }],
    })
    // A transform's copy keeps the raw form.
    const copy = { ...(record as ConvertedRecord), topic: 'u' }
    expect(copy[RAW]).toBe(raw)
  })

  it('that answer at once make no promise, those that promise are waited for one after the other', async () => {
    const atOnce = await createConversion({}, worker, plugins)
    expect(atOnce.toBytes(sourceRecord({ topic: 't', value: 'v' }), newCursor())).not.toBeInstanceOf(Promise)
    const slow = await createConversion({ 'key.converter': 'test.SlowText', 'value.converter': 'test.SlowText' }, worker, plugins)
    const sent = slow.toBytes(sourceRecord({ topic: 't', key: 'k', value: 'v' }), newCursor())
    expect(sent).toBeInstanceOf(Promise)
    expect(await sent).toMatchObject({ key: Buffer.from('k'), value: Buffer.from('v') })
  })

  it.each([
    ['key', 'KEY_CONVERTER', 'key.converter'],
    ['value', 'VALUE_CONVERTER', 'value.converter'],
  ])('that refuse a %s say who they are', async (part, stage, setting) => {
    for (const name of ['test.Text', 'test.SlowText']) {
      const conversion = await createConversion({ 'key.converter': name, 'value.converter': name }, worker, plugins)
      const cursor = newCursor()
      await expect((async () => conversion.toBytes(sourceRecord({ topic: 't', [part]: 'poison' }), cursor))()).rejects.toThrow(DataError)
      expect(cursor.step).toEqual({ stage, className: name, setting })
    }
  })

  it('that nobody has named are missed by their key', async () => {
    await expect(createConversion({}, { 'value.converter': 'test.Text' }, plugins)).rejects.toThrow('"key.converter"')
  })
})
