/**
 * @module connector-s3/class-names — classes that configurations of Confluent's connector name, and what they are here. Pure.
 */

const formats: Readonly<Record<string, 'json' | 'parquet'>> = {
  json: 'json',
  'io.confluent.connect.s3.format.json.JsonFormat': 'json',
  parquet: 'parquet',
  'io.confluent.connect.s3.format.parquet.ParquetFormat': 'parquet',
}

/** How records are spread over directories. Daily and hourly are time with a path of their own. */
export type PartitionerKind = 'default' | 'field' | 'time' | 'daily' | 'hourly'

const partitioners: Readonly<Record<string, PartitionerKind>> = {
  default: 'default',
  'io.confluent.connect.storage.partitioner.DefaultPartitioner': 'default',
  field: 'field',
  'io.confluent.connect.storage.partitioner.FieldPartitioner': 'field',
  time: 'time',
  'io.confluent.connect.storage.partitioner.TimeBasedPartitioner': 'time',
  daily: 'daily',
  'io.confluent.connect.storage.partitioner.DailyPartitioner': 'daily',
  hourly: 'hourly',
  'io.confluent.connect.storage.partitioner.HourlyPartitioner': 'hourly',
}

/** Where the time of a record comes from. */
export type ExtractorKind = 'Wallclock' | 'Record' | 'RecordField'

const extractorPrefix = 'io.confluent.connect.storage.partitioner.TimeBasedPartitioner$'
const extractors: Readonly<Record<string, ExtractorKind>> = {
  Wallclock: 'Wallclock',
  [`${extractorPrefix}WallclockTimestampExtractor`]: 'Wallclock',
  Record: 'Record',
  [`${extractorPrefix}RecordTimestampExtractor`]: 'Record',
  RecordField: 'RecordField',
  [`${extractorPrefix}RecordFieldTimestampExtractor`]: 'RecordField',
}

/** The format that a value of `format.class` names; undefined: none that is known here. */
export function formatOf(name: string): 'json' | 'parquet' | undefined {
  return own(formats, name)
}

/** The partitioner that a value of `partitioner.class` names. */
export function partitionerOf(name: string): PartitionerKind | undefined {
  return own(partitioners, name)
}

/** The extractor that a value of `timestamp.extractor` names. */
export function extractorOf(name: string): ExtractorKind | undefined {
  return own(extractors, name)
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
