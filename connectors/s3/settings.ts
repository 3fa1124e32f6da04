/** @module connector-s3/settings — what a configuration means: parsed keys as the parts of the sink take them, and what is wrong between them. Pure. */
import type { ConfigIssue, Password } from '@millrace/sdk'
import { extractorOf, formatOf, type PartitionerKind, partitionerOf } from './class-names.ts'
import type { S3SinkConfig } from './config.ts'
import type { FormatSettings } from './format.ts'
import { s3Limits } from './limits.ts'
import type { NameSettings } from './object-names.ts'
import { createPartitioner, goesByTime, type PartitionerSettings } from './partitioner.ts'
import { PathFormatError } from './path-format.ts'
import type { RotationSettings } from './rotation.ts'
import { TimeZone, UnknownTimeZone } from './time-zone.ts'

/** How the store is reached, and with what requests. */
export interface StoreSettings {
  readonly bucket: string
  readonly region: string
  /** null: Amazon S3. */
  readonly endpoint: string | null
  readonly isPathStyle: boolean
  readonly isAccelerated: boolean
  /** Whether bodies carry checksums beyond what is required: Amazon's own endpoints take them, others often not. */
  readonly hasChecksums: boolean
  /** null: the AWS SDK looks for them itself. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: Password } | null
  readonly encryption: string
  readonly encryptionKeyId: string
  readonly cannedAcl: string | null
  readonly retriesMax: number
  readonly backoffMs: number
  /** Connecting. */
  readonly connectMsMax: number
  /** A connection on which nothing moves. */
  readonly idleMsMax: number
}

/** The settings of a sink. */
export interface SinkSettings {
  readonly store: StoreSettings
  readonly partBytes: number
  readonly bufferBytesMax: number
  readonly format: FormatSettings
  readonly names: Omit<NameSettings, 'extension'>
  readonly partitioner: PartitionerSettings
  readonly timeField: string
  readonly extractor: 'Wallclock' | 'Record' | 'RecordField'
  /** Whether times of records are needed at all. */
  readonly needsTimes: boolean
  readonly rotation: RotationSettings
  /** Milliseconds of the wall clock between two rotations; null: never. */
  readonly scheduleMs: number | null
  /**
   * Whether the records alone decide what stands in which object. Where the wall clock has a say, the offsets of one object are committed
   * before the next is opened, so that a crash never writes more than that one again.
   */
  readonly isRepeatable: boolean
  readonly isNullIgnored: boolean
  readonly isNullReported: boolean
  /** Wait after a store that did not answer. */
  readonly retryMs: number
}

/** @throws PathFormatError, UnknownTimeZone; a configuration that `findIssues` has nothing against throws nothing */
export function settingsOf(config: S3SinkConfig): SinkSettings {
  const kind = partitionerOf(config['partitioner.class']) ?? 'default'
  const extractor = extractorOf(config['timestamp.extractor']) ?? 'Wallclock'
  const isByTime = goesByTime(kind)
  const intervalMs = positive(config['rotate.interval.ms'])
  const scheduleMs = positive(config['rotate.schedule.interval.ms'])
  const needsTimes = isByTime || intervalMs !== null
  return {
    store: storeOf(config),
    partBytes: config['s3.part.size'],
    bufferBytesMax: config['millrace.s3.buffer.max.bytes'],
    format: {
      format: formatOf(config['format.class']) ?? 'json',
      decimalFormat: config['json.decimal.format'].toUpperCase() === 'NUMERIC' ? 'numeric' : 'base64',
      compression: config['s3.compression.type'] as FormatSettings['compression'],
      compressionLevel: config['s3.compression.level'],
      parquetCodec: config['parquet.codec'] as FormatSettings['parquetCodec'],
    },
    names: {
      topicsDir: config['topics.dir'],
      directoryDelim: config['directory.delim'],
      fileDelim: config['file.delim'],
      offsetWidth: config['filename.offset.zero.pad.width'],
    },
    partitioner: partitionerSettings(config, kind),
    timeField: config['timestamp.field'],
    extractor,
    needsTimes,
    rotation: {
      flushSize: config['flush.size'],
      intervalMs,
      isEndedByPath: isByTime && config['rotate.file.on.partition.change'],
      openObjectsMax: positive(config['partitioner.max.open.files']) ?? s3Limits.openObjectsMax,
    },
    scheduleMs,
    isRepeatable: scheduleMs === null && !(needsTimes && extractor === 'Wallclock'),
    isNullIgnored: config['behavior.on.null.values'].toLowerCase() === 'ignore',
    isNullReported: config['report.null.values.to.dlq'],
    retryMs: config['retry.backoff.ms'],
  }
}

function storeOf(config: S3SinkConfig): StoreSettings {
  const secret = config['aws.secret.access.key']
  const accessKeyId = config['aws.access.key.id']
  const url = config['store.url']?.trim() ?? ''
  return {
    bucket: config['s3.bucket.name'],
    region: config['s3.region'].trim(),
    endpoint: url === '' ? null : url,
    isPathStyle: config['s3.path.style.access.enabled'],
    isAccelerated: config['s3.wan.mode'],
    hasChecksums: url === '' || (isHttpUrl(url) && /\.amazonaws\.com(\.cn)?$/.test(new URL(url).hostname)),
    credentials: accessKeyId === '' || secret === null ? null : { accessKeyId, secretAccessKey: secret },
    encryption: config['s3.ssea.name'],
    encryptionKeyId: config['s3.sse.kms.key.id'],
    cannedAcl: config['s3.acl.canned'],
    retriesMax: config['s3.part.retries'],
    backoffMs: config['s3.retry.backoff.ms'],
    connectMsMax: s3Limits.connectMsMax,
    idleMsMax: s3Limits.idleMsMax,
  }
}

function partitionerSettings(config: S3SinkConfig, kind: PartitionerKind): PartitionerSettings {
  return {
    kind,
    fields: config['partition.field.name'].filter((field) => field !== ''),
    durationMs: config['partition.duration.ms'],
    pathFormat: config['path.format'],
    locale: config.locale,
    zone: new TimeZone(config.timezone),
    directoryDelim: config['directory.delim'],
  }
}

function positive(value: number): number | null {
  return value > 0 ? value : null
}

/** What is wrong with keys in the light of others. */
export function findIssues(config: S3SinkConfig): ConfigIssue[] {
  return [...storeIssues(config), ...formatIssues(config), ...partitionerIssues(config)]
}

function storeIssues(config: S3SinkConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const url = config['store.url']?.trim() ?? ''
  const hasId = config['aws.access.key.id'] !== ''
  const hasSecret = config['aws.secret.access.key'] !== null && config['aws.secret.access.key'].value !== ''
  if (isHttpUrl(url) && (new URL(url).username !== '' || new URL(url).password !== '')) {
    const message = 'store.url must not have a name and a password in it; give aws.access.key.id and aws.secret.access.key'
    issues.push({ key: 'store.url', message })
  } else if (url !== '' && !isHttpUrl(url)) {
    issues.push({ key: 'store.url', message: `store.url must be an http or https address, not ${url}` })
  }
  if (hasId && !hasSecret) {
    issues.push({ key: 'aws.secret.access.key', message: 'aws.secret.access.key is missing where aws.access.key.id is given' })
  }
  if (hasSecret && !hasId) {
    issues.push({ key: 'aws.access.key.id', message: 'aws.access.key.id is missing where aws.secret.access.key is given' })
  }
  if (config['s3.wan.mode'] && config['s3.path.style.access.enabled']) {
    const message = 's3.wan.mode and s3.path.style.access.enabled exclude each other: set one of them to false'
    issues.push({ key: 's3.wan.mode', message }, { key: 's3.path.style.access.enabled', message })
  }
  if (config['s3.sse.kms.key.id'] !== '' && !config['s3.ssea.name'].startsWith('aws:kms')) {
    issues.push({ key: 's3.sse.kms.key.id', message: 's3.sse.kms.key.id has no meaning without s3.ssea.name=aws:kms' })
  }
  return issues
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}

function formatIssues(config: S3SinkConfig): ConfigIssue[] {
  const [compression, level] = [config['s3.compression.type'], config['s3.compression.level']]
  const issues: ConfigIssue[] = []
  if (compression !== 'none' && formatOf(config['format.class']) === 'parquet') {
    issues.push({ key: 's3.compression.type', message: 's3.compression.type is for JSON; Parquet is compressed by parquet.codec' })
  }
  if (compression === 'gzip' && level > 9) {
    issues.push({ key: 's3.compression.level', message: `s3.compression.level of gzip is −1 to 9, not ${level}` })
  }
  if (compression === 'zstd' && level === 0) {
    issues.push({ key: 's3.compression.level', message: 's3.compression.level of zstd is −1 or 1 to 19, not 0' })
  }
  return issues
}

function partitionerIssues(config: S3SinkConfig): ConfigIssue[] {
  const kind = partitionerOf(config['partitioner.class'])
  const issues: ConfigIssue[] = []
  if (kind === 'field' && !config['partition.field.name'].some((field) => field !== '')) {
    issues.push({
      key: 'partition.field.name',
      message: 'partition.field.name is missing: the partitioner field needs the names of fields',
    })
  }
  if (kind === 'time' && config['partition.duration.ms'] <= 0) {
    issues.push({ key: 'partition.duration.ms', message: 'partition.duration.ms must be above 0 for the partitioner time' })
  }
  const path = config['path.format'].trim()
  if (kind === 'time' && (path === '' || path === config['directory.delim'])) {
    issues.push({ key: 'path.format', message: "path.format is missing: the partitioner time needs one, such as 'year'=YYYY/'month'=MM" })
  }
  if (extractorOf(config['timestamp.extractor']) === 'RecordField' && config['timestamp.field'] === '') {
    issues.push({
      key: 'timestamp.field',
      message: 'timestamp.field is missing: timestamp.extractor=RecordField needs the name of a field',
    })
  }
  return [...issues, ...timeIssues(config)]
}

function timeIssues(config: S3SinkConfig): ConfigIssue[] {
  try {
    const kind = partitionerOf(config['partitioner.class']) ?? 'default'
    createPartitioner(partitionerSettings(config, kind))
    return []
  } catch (error) {
    if (error instanceof UnknownTimeZone) return [{ key: 'timezone', message: `timezone: ${error.message}` }]
    if (error instanceof PathFormatError) {
      return [{ key: error.message.includes('locale') ? 'locale' : 'path.format', message: `path.format or locale: ${error.message}` }]
    }
    throw error
  }
}
