/** @module test/connectors/s3/config — what configurations are taken, what they mean, and what is said about the others. */
import { s3Sink } from '@millrace/connector-s3'
import { parseConfig, validateConfig } from '@millrace/sdk'
import { runSink } from '@millrace/sdk/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { s3SinkConfig } from '../../../connectors/s3/config.ts'
import { settingsOf } from '../../../connectors/s3/settings.ts'
import { makeBucket, type StoreAddress, startStore } from './bucket.ts'

const base = { 's3.bucket.name': 'b', 'flush.size': '1000', 'format.class': 'json' }
const time = { 'partitioner.class': 'time', 'partition.duration.ms': '3600000', 'path.format': 'YYYY/MM' }
const confluent = 'io.confluent.connect'

/** `key: message` of everything that is wrong. */
async function issues(config: Readonly<Record<string, string>>): Promise<string[]> {
  const single = validateConfig(s3SinkConfig, config).flatMap(({ name, errors }) => errors.map((error) => `${name}: ${error}`))
  if (single.length > 0) return single
  const call = { properties: config, signal: new AbortController().signal }
  const found = await s3Sink.validate?.(parseConfig(s3SinkConfig, config), call)
  return (found ?? []).map(({ key, message }) => `${key}: ${message}`)
}

describe('a configuration', () => {
  it.each([
    [{}],
    [time],
    [{ ...time, timezone: 'America/New_York', locale: 'en-US', 'timestamp.extractor': 'RecordField' }],
    [{ 'partitioner.class': 'field', 'partition.field.name': 'a,b.c' }],
    [{ 's3.compression.type': 'zstd', 's3.compression.level': '19' }],
    [{ 'store.url': 'http://127.0.0.1:9000', 'aws.access.key.id': 'a', 'aws.secret.access.key': 's' }],
    // As they stand in Confluent's documentation.
    [
      {
        'format.class': `${confluent}.s3.format.json.JsonFormat`,
        'storage.class': `${confluent}.s3.storage.S3Storage`,
        'partitioner.class': `${confluent}.storage.partitioner.TimeBasedPartitioner`,
        'partition.duration.ms': '3600000',
        'path.format': "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH/",
        'timestamp.extractor': `${confluent}.storage.partitioner.TimeBasedPartitioner$RecordTimestampExtractor`,
        'schema.compatibility': 'NONE',
        'behavior.on.null.values': 'IGNORE',
        's3.credentials.provider.class': 'com.amazonaws.auth.DefaultAWSCredentialsProviderChain',
        'store.kafka.keys': 'false',
        'schema.generator.class': `${confluent}.storage.hive.schema.DefaultSchemaGenerator`,
      },
    ],
    [{ 'format.class': `${confluent}.s3.format.parquet.ParquetFormat`, 'parquet.codec': 'zstd' }],
  ])('is taken: %o', async (more) => {
    expect(await issues({ ...base, ...more })).toEqual([])
  })

  it.each([
    [
      { 'format.class': `${confluent}.s3.format.avro.AvroFormat` },
      /^format\.class: .*Avro and byte array objects are not written; known are json and parquet/,
    ],
    [{ 'format.class': 'csv' }, /^format\.class: .*no such format/],
    [{ 'partitioner.class': 'com.example.Mine' }, /^partitioner\.class: .*known are default, field, time, daily and hourly/],
    [{ 'flush.size': '0' }, /^flush\.size: .*at least 1/],
    [{ 's3.part.size': '1000' }, /^s3\.part\.size: .*at least 5242880/],
    [{ 'parquet.codec': 'lzo' }, /^parquet\.codec: .*none, snappy, gzip, zstd/],
    [{ 'schema.compatibility': 'BACKWARD' }, /^schema\.compatibility: .*a new schema begins a new object/],
    [{ 'behavior.on.null.values': 'write' }, /^behavior\.on\.null\.values: .*known are ignore and fail/],
    [{ 'store.kafka.keys': 'true' }, /^store\.kafka\.keys: .*keys are not written/],
    [{ 's3.sse.customer.key': 'secret' }, /^s3\.sse\.customer\.key: .*\[hidden\].*not done/],
    [{ 's3.credentials.provider.class': 'com.example.Provider' }, /^s3\.credentials\.provider\.class: .*Java classes are not run/],
    [{ 'partitioner.class': 'field' }, /^partition\.field\.name: partition\.field\.name is missing/],
    [{ 'partitioner.class': 'time', 'path.format': 'YYYY' }, /^partition\.duration\.ms: .*above 0/],
    [{ ...time, 'path.format': '/' }, /^path\.format: path\.format is missing/],
    [{ ...time, 'path.format': 'year=YYYY' }, /^path\.format: .*"r" is no letter of a time pattern/],
    [{ ...time, locale: '!' }, /^locale: .*no locale/],
    [{ timezone: 'Europe/Nowhere' }, /^timezone: .*no time zone "Europe\/Nowhere"/],
    [{ 'timestamp.extractor': 'RecordField', 'timestamp.field': '' }, /^timestamp\.field: timestamp\.field is missing/],
    [{ 'store.url': 'localhost:9000' }, /^store\.url: .*http or https/],
    [{ 'aws.access.key.id': 'a' }, /^aws\.secret\.access\.key: .*missing/],
    [{ 'aws.secret.access.key': 'a' }, /^aws\.access\.key\.id: .*missing/],
    [{ 's3.wan.mode': 'true' }, /^s3\.wan\.mode: .*exclude each other/],
    [{ 's3.sse.kms.key.id': 'k' }, /^s3\.sse\.kms\.key\.id: .*s3\.ssea\.name=aws:kms/],
    [{ 'format.class': 'parquet', 's3.compression.type': 'gzip' }, /^s3\.compression\.type: .*parquet\.codec/],
    [{ 's3.compression.type': 'gzip', 's3.compression.level': '10' }, /^s3\.compression\.level: .*gzip is −1 to 9/],
  ])('is refused: %o', async (more, message) => {
    const [first] = await issues({ ...base, ...more })
    expect(first).toMatch(message)
  })

  it('says whether records alone decide about the ends of objects', () => {
    const isRepeatable = (more: Readonly<Record<string, string>>): boolean =>
      settingsOf(parseConfig(s3SinkConfig, { ...base, ...more })).isRepeatable
    expect(isRepeatable({})).toBe(true)
    expect(isRepeatable({ 'rotate.schedule.interval.ms': '1000' })).toBe(false)
    expect(isRepeatable({ 'rotate.interval.ms': '1000' })).toBe(false)
    expect(isRepeatable({ 'rotate.interval.ms': '1000', 'timestamp.extractor': 'Record' })).toBe(true)
    expect(isRepeatable(time)).toBe(false)
    expect(isRepeatable({ ...time, 'timestamp.extractor': 'RecordField' })).toBe(true)
  })

  it('sends checksums to Amazon’s own endpoints', () => {
    const hasChecksums = (more: Readonly<Record<string, string>>): boolean =>
      settingsOf(parseConfig(s3SinkConfig, { ...base, ...more })).store.hasChecksums
    expect(hasChecksums({})).toBe(true)
    expect(hasChecksums({ 'store.url': 'https://s3.eu-central-1.amazonaws.com' })).toBe(true)
    expect(hasChecksums({ 'store.url': 'https://storage.googleapis.com' })).toBe(false)
  })
})

describe('the start of a task', () => {
  let store: StoreAddress & AsyncDisposable

  beforeAll(async () => {
    store = await startStore()
  })

  afterAll(async () => {
    await store[Symbol.asyncDispose]()
  })

  it('fails for a bucket that is not there, and waits for a store that is not', async () => {
    await using bucket = await makeBucket(store)
    const config = bucket.config({ 's3.bucket.name': 'elsewhere' })
    await expect(runSink(s3Sink, { config })).rejects.toMatchObject({ next: 'fail', code: 'not-found' })
    await expect(runSink(s3Sink, { config: { ...config, 'store.url': 'http://127.0.0.1:9' } })).rejects.toMatchObject({ next: 'retry' })
  })

  it('writes what the keys say', async () => {
    await using bucket = await makeBucket(store)
    const config = bucket.config({
      'flush.size': '2',
      'topics.dir': 'in',
      'file.delim': '_',
      'filename.offset.zero.pad.width': '3',
      's3.compression.type': 'gzip',
      'behavior.on.null.values': 'ignore',
    })
    const run = await runSink(s3Sink, { config })
    await run.open([{ topic: 't', partition: 7 }])
    const [first, second, third] = ['a', null, 'b'].map((value, offset) => recordAt(offset, value))
    if (first === undefined || second === undefined || third === undefined) throw new Error('no records')
    await run.deliver([first, second, third])
    expect((await run.flush()).safe).toEqual([{ topic: 't', partition: 7, offset: 3 }])
    await run.close()
    await run.stop()
    expect(await bucket.names()).toEqual(['in/t/partition=7/t_7_000.json.gz'])
    expect(await bucket.lines()).toEqual(['"a"', '"b"'])
  })
})

function recordAt(offset: number, value: string | null) {
  const origin = { originalTopic: 't', originalPartition: 7, originalOffset: offset }
  const data = { keySchema: null, key: null, valueSchema: null, value, headers: [] }
  return { topic: 't', partition: 7, offset, timestampMs: 1, timestampType: 'create' as const, ...data, ...origin }
}
