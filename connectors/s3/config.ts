/**
 * @module connector-s3/config — the keys of the sink: names, types and defaults of Confluent's `S3SinkConnectorConfig`,
 * `StorageSinkConnectorConfig` and `PartitionerConfig`; ours begin with `millrace.`.
 */
import {
  atLeast,
  between,
  type ConfigOf,
  defineConfig,
  nonEmptyString,
  oneOf,
  oneOfIgnoringCase,
  rule,
  shownValue,
  type Validator,
} from '@millrace/sdk'
import { extractorOf, formatOf, partitionerOf } from './class-names.ts'
import { s3Limits } from './limits.ts'

const MIB = 1024 * 1024

const formatClass = rule('[json, parquet] or JsonFormat, ParquetFormat of io.confluent.connect.s3.format', (value) => {
  if (typeof value === 'string' && formatOf(value) !== undefined) return undefined
  const known = 'known are json and parquet (JsonFormat and ParquetFormat of io.confluent.connect.s3.format)'
  if (typeof value === 'string' && /avro|bytearray/i.test(value)) return `Avro and byte array objects are not written; ${known}`
  return `there is no such format; ${known}`
})

const partitionerClass = rule(
  '[default, field, time, daily, hourly] or the classes of io.confluent.connect.storage.partitioner',
  (value) =>
    typeof value === 'string' && partitionerOf(value) !== undefined
      ? undefined
      : 'known are default, field, time, daily and hourly (io.confluent.connect.storage.partitioner.DefaultPartitioner …)',
)

const extractorClass = rule('[Wallclock, Record, RecordField]', (value) =>
  typeof value === 'string' && extractorOf(value) !== undefined ? undefined : 'known are Wallclock, Record and RecordField',
)

const parquetCodec = rule('[none, snappy, gzip, zstd]', (value) =>
  ['none', 'snappy', 'gzip', 'zstd'].includes(String(value)) ? undefined : 'String must be one of: none, snappy, gzip, zstd',
)

/** A key that would change what is written and that this connector does not do: only the value that changes nothing is taken. */
function only(harmless: string, why: string): Validator {
  return rule(`[${harmless}]`, (value) => (shownValue(value).toLowerCase() === harmless.toLowerCase() ? undefined : why))
}

/** Partition 1 at offset 15 and partition 11 at offset 5 must not make one name. */
const fileDelim = rule('text that neither begins nor ends with a digit', (value) =>
  typeof value === 'string' && /^[^\d](.*[^\d])?$/su.test(value)
    ? undefined
    : 'it must not be empty, nor begin or end with a digit: names of objects would meet, and one would replace the other',
)

const cannedAcls = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
]

const storage = defineConfig({
  's3.bucket.name': { type: 'STRING', validator: nonEmptyString, importance: 'HIGH', documentation: 'The bucket; it must be there.' },
  's3.region': {
    type: 'STRING',
    default: 'us-west-2',
    validator: nonEmptyString,
    importance: 'MEDIUM',
    documentation: 'Region of the bucket.',
  },
  'store.url': {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation: 'Address of a store that speaks S3 and is not Amazon’s: http://127.0.0.1:9000. Left out: Amazon S3 in s3.region.',
  },
  's3.path.style.access.enabled': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether the bucket stands in the path of addresses; false: in the host name.',
  },
  's3.wan.mode': {
    type: 'BOOLEAN',
    default: false,
    importance: 'MEDIUM',
    documentation: 'Whether to use the accelerated endpoint of Amazon S3.',
  },
  'aws.access.key.id': {
    type: 'STRING',
    default: '',
    importance: 'HIGH',
    documentation: 'Access key. Left out: environment, shared files, container or instance role, in the order of the AWS SDK.',
  },
  'aws.secret.access.key': { type: 'PASSWORD', default: null, importance: 'HIGH', documentation: 'Secret of the access key.' },
  's3.part.size': {
    type: 'INT',
    default: 25 * MIB,
    validator: between(s3Limits.partBytesMin, 2_147_483_647),
    importance: 'HIGH',
    documentation: 'Bytes of the parts in which larger objects are uploaded; smaller ones go in one request.',
  },
  's3.part.retries': {
    type: 'INT',
    default: 3,
    validator: atLeast(0),
    importance: 'MEDIUM',
    documentation: 'Attempts of a request beyond the first, before the records are held back for retry.backoff.ms.',
  },
  's3.retry.backoff.ms': {
    type: 'LONG',
    default: 200,
    validator: atLeast(0),
    importance: 'LOW',
    documentation: 'Wait before the second attempt of a request; it doubles from one attempt to the next, a random part of it is left out.',
  },
  'retry.backoff.ms': {
    type: 'LONG',
    default: 5_000,
    validator: atLeast(0),
    importance: 'LOW',
    documentation: 'Wait before the store is tried again after the attempts of a request are used up; this goes on until it is back.',
  },
  's3.acl.canned': {
    type: 'STRING',
    default: null,
    validator: oneOf(null, ...cannedAcls),
    importance: 'LOW',
    documentation: 'Canned ACL of objects.',
  },
  's3.ssea.name': {
    type: 'STRING',
    default: '',
    validator: oneOf('', 'AES256', 'aws:kms', 'aws:kms:dsse'),
    importance: 'LOW',
    documentation: 'Server-side encryption of objects.',
  },
  's3.sse.kms.key.id': { type: 'STRING', default: '', importance: 'LOW', documentation: 'Key of the server-side encryption by aws:kms.' },
  'storage.class': {
    type: 'CLASS',
    default: 'io.confluent.connect.s3.storage.S3Storage',
    validator: only('io.confluent.connect.s3.storage.S3Storage', 'this connector writes to S3 only'),
    importance: 'HIGH',
    documentation: 'Taken for the sake of existing configurations.',
  },
  'millrace.s3.buffer.max.bytes': {
    type: 'LONG',
    default: 256 * MIB,
    validator: atLeast(16 * MIB),
    importance: 'MEDIUM',
    documentation:
      'Memory that a task spends on open objects. Beyond it parts are uploaded early and, where that does not help, objects end early.',
  },
})

const format = defineConfig({
  'format.class': {
    type: 'CLASS',
    validator: formatClass,
    importance: 'HIGH',
    documentation: 'Format of objects: json (lines) or parquet.',
  },
  's3.compression.type': {
    type: 'STRING',
    default: 'none',
    validator: oneOf('none', 'gzip', 'zstd'),
    importance: 'LOW',
    documentation: 'Compression of JSON objects. Parquet has its own: parquet.codec.',
  },
  's3.compression.level': {
    type: 'INT',
    default: -1,
    validator: between(-1, 19),
    importance: 'LOW',
    documentation: 'Level of the compression: 0 to 9 for gzip, 1 to 19 for zstd; −1 is the codec’s own.',
  },
  'json.decimal.format': {
    type: 'STRING',
    default: 'BASE64',
    validator: oneOfIgnoringCase('BASE64', 'NUMERIC'),
    importance: 'MEDIUM',
    documentation: 'Decimals in JSON: base64 of their bytes, or numbers.',
  },
  'parquet.codec': {
    type: 'STRING',
    default: 'snappy',
    validator: parquetCodec,
    importance: 'LOW',
    documentation: 'Compression within Parquet objects.',
  },
  'schema.compatibility': {
    type: 'STRING',
    default: 'NONE',
    validator: only('NONE', 'records are not made to fit another schema: a new schema begins a new object'),
    importance: 'HIGH',
    documentation: 'Only NONE: when the schema of values changes, a new object begins.',
  },
  'behavior.on.null.values': {
    type: 'STRING',
    default: 'fail',
    validator: rule('[ignore, fail]', (value) =>
      ['ignore', 'fail'].includes(String(value).toLowerCase())
        ? undefined
        : 'known are ignore and fail; tombstones are not written, since keys are not',
    ),
    importance: 'LOW',
    documentation: 'What becomes of records whose value is null (tombstones): the task fails, or they are left out.',
  },
  'report.null.values.to.dlq': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether null values that are ignored go to the dead letter queue, where there is one.',
  },
})

const rotation = defineConfig({
  'flush.size': {
    type: 'INT',
    validator: atLeast(1),
    importance: 'HIGH',
    documentation: 'Records of a topic partition after which its open objects are finished.',
  },
  'rotate.interval.ms': {
    type: 'LONG',
    default: -1,
    importance: 'HIGH',
    documentation:
      'Time, by timestamp.extractor, that the records of a topic partition’s open objects may span; −1: any. By the clock of records (Record, RecordField) it depends on records alone, and needs a later record to take effect.',
  },
  'rotate.schedule.interval.ms': {
    type: 'LONG',
    default: -1,
    importance: 'MEDIUM',
    documentation: 'Every so many milliseconds of the wall clock, counted from midnight in timezone, open objects are finished; −1: never.',
  },
  'rotate.file.on.partition.change': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation:
      'With rotate.interval.ms and a partitioner by time: whether open objects are finished when a record goes to another directory.',
  },
  'partitioner.max.open.files': {
    type: 'INT',
    default: -1,
    importance: 'LOW',
    documentation: `Objects that a topic partition may have open; the next one finishes them. −1: ${s3Limits.openObjectsMax}.`,
  },
})

const names = defineConfig({
  'topics.dir': { type: 'STRING', default: 'topics', importance: 'HIGH', documentation: 'Directory above those of topics; empty: none.' },
  'directory.delim': {
    type: 'STRING',
    default: '/',
    validator: nonEmptyString,
    importance: 'MEDIUM',
    documentation: 'What parts directories.',
  },
  'file.delim': {
    type: 'STRING',
    default: '+',
    validator: fileDelim,
    importance: 'MEDIUM',
    documentation: 'What parts topic, partition and offset in the names of objects.',
  },
  'filename.offset.zero.pad.width': {
    type: 'INT',
    default: 10,
    validator: between(0, 20),
    importance: 'LOW',
    documentation: 'Digits of offsets in the names of objects, filled with zeros.',
  },
  'partitioner.class': {
    type: 'CLASS',
    default: 'io.confluent.connect.storage.partitioner.DefaultPartitioner',
    validator: partitionerClass,
    importance: 'HIGH',
    documentation: 'How records are spread over directories: default (Kafka partition), field, time, daily or hourly.',
  },
  'partition.field.name': {
    type: 'LIST',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Fields of the value that the partitioner field makes directories of: region or user.country.',
  },
  'partition.duration.ms': {
    type: 'LONG',
    default: -1,
    importance: 'MEDIUM',
    documentation: 'Length of the spans of time that share a directory; for the partitioner time.',
  },
  'path.format': {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: "Directories of the partitioner time, by the letters of Joda-Time: 'year'=YYYY/'month'=MM/'day'=dd.",
  },
  locale: {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Language of names of months and days in path.format; empty: English.',
  },
  timezone: {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: 'Time zone of directories and of rotate.schedule.interval.ms: Europe/Berlin; empty: UTC.',
  },
  'timestamp.extractor': {
    type: 'STRING',
    default: 'Wallclock',
    validator: extractorClass,
    importance: 'MEDIUM',
    documentation: 'Time of a record: when it is written (Wallclock), its own (Record), that of a field (RecordField).',
  },
  'timestamp.field': { type: 'STRING', default: 'timestamp', importance: 'MEDIUM', documentation: 'The field that RecordField reads.' },
})

/** Keys of Confluent's connector that would change what is written. */
const refused = defineConfig({
  'store.kafka.keys': {
    type: 'BOOLEAN',
    default: false,
    validator: only('false', 'keys are not written'),
    importance: 'LOW',
    documentation: 'Only false: keys are not written.',
  },
  'store.kafka.headers': {
    type: 'BOOLEAN',
    default: false,
    validator: only('false', 'headers are not written'),
    importance: 'LOW',
    documentation: 'Only false: headers are not written.',
  },
  's3.object.tagging': {
    type: 'BOOLEAN',
    default: false,
    validator: only('false', 'objects are not tagged'),
    importance: 'LOW',
    documentation: 'Only false: objects are not tagged.',
  },
  's3.sse.customer.key': {
    type: 'PASSWORD',
    default: null,
    validator: rule('[null]', (value) => (value === null ? undefined : 'encryption by keys of the customer is not done; s3.ssea.name is')),
    importance: 'LOW',
    documentation: 'Not to be set: encryption by keys of the customer is not done.',
  },
  's3.proxy.url': {
    type: 'STRING',
    default: '',
    validator: only('', 'no proxy is used'),
    importance: 'LOW',
    documentation: 'Not to be set: no proxy is used.',
  },
  's3.credentials.provider.class': {
    type: 'CLASS',
    default: 'software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider',
    validator: rule('[DefaultCredentialsProvider]', (value) =>
      /\.Default(AWS)?CredentialsProvider(Chain)?$/.test(String(value))
        ? undefined
        : 'Java classes are not run; leave it out and give aws.access.key.id, or let environment, shared files or roles speak',
    ),
    importance: 'LOW',
    documentation: 'Only the default chain of providers.',
  },
  'schema.partition.affix.type': {
    type: 'STRING',
    default: 'NONE',
    validator: only('NONE', 'directories are not named by schemas'),
    importance: 'LOW',
    documentation: 'Only NONE: directories are not named by schemas.',
  },
})

/** Every key of the sink. */
export const s3SinkConfig = defineConfig({ ...storage, ...format, ...rotation, ...names, ...refused })

/** The parsed configuration. */
export type S3SinkConfig = ConfigOf<typeof s3SinkConfig>
