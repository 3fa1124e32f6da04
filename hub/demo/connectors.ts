/** @module demo/connectors — the two connectors of the demo, as anybody would post them, and the way they are posted and watched. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type RestClient, RestError, RestUnreachableError, type StatusAnswer } from '../rest/index.ts'
import { DemoError } from './packages.ts'
import { SHOP, SHOP_TABLES } from './shop.ts'
import type { ConnectorView } from './tally.ts'

/** A connector's name with its configuration. */
export interface DemoConnector {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
}

export const SHOP_TOPICS: readonly string[] = SHOP_TABLES.map((table) => `${SHOP}.public.${table}`)
/** Where the sink puts its objects. */
export const OBJECTS_PREFIX = 'topics/'

const JSON_CONVERTERS = {
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'key.converter.schemas.enable': 'false',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
}

/** Captures the shop: a snapshot first, then each change as it is committed. */
export function sourceConnector(postgres: { readonly host: string; readonly port: number; readonly password: string }): DemoConnector {
  return {
    name: 'capture',
    config: {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'database.hostname': postgres.host,
      'database.port': String(postgres.port),
      'database.user': SHOP,
      'database.password': postgres.password,
      'database.dbname': SHOP,
      'topic.prefix': SHOP,
      'table.include.list': SHOP_TABLES.map((table) => `public.${table}`).join(','),
      'slot.name': SHOP,
      'publication.name': SHOP,
      'publication.autocreate.mode': 'filtered',
      // Prices as people write them instead of as bytes.
      'decimal.handling.mode': 'string',
      ...JSON_CONVERTERS,
    },
  }
}

/** Writes the topics to the bucket: an object when it has so many records, and at the latest after so long. */
export function sinkConnector(
  s3: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  },
  bucket: string,
  rotateMs: number,
): DemoConnector {
  return {
    name: 'archive',
    config: {
      'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
      topics: SHOP_TOPICS.join(','),
      's3.bucket.name': bucket,
      's3.region': s3.region,
      'store.url': s3.endpoint,
      's3.path.style.access.enabled': 'true',
      'aws.access.key.id': s3.credentials.accessKeyId,
      'aws.secret.access.key': s3.credentials.secretAccessKey,
      'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
      'flush.size': '100',
      'rotate.schedule.interval.ms': String(rotateMs),
      timezone: 'UTC',
      // A delete leaves a record without a value too, for compaction: nothing to write.
      'behavior.on.null.values': 'ignore',
      ...JSON_CONVERTERS,
    },
  }
}

/** How long a connector may take until it runs, and how often it is asked. */
const LIMITS = { runningMsMax: 60_000, askMs: 20 } as const

/** Posts a connector and waits until all of it runs. Throws {@link DemoError} with the worker's own words, or the signal's reason. */
export async function startConnector(rest: RestClient, { name, config }: DemoConnector, signal: AbortSignal): Promise<void> {
  try {
    await rest.create({ name, config }, signal)
  } catch (error) {
    if (error instanceof RestError) throw new DemoError(`connector ${name} was refused: ${error.message}`, { cause: error })
    if (error instanceof RestUnreachableError)
      throw new DemoError(`connector ${name} could not be posted: ${error.message}`, { cause: error })
    throw error
  }
  const deadlineMs = performance.now() + LIMITS.runningMsMax
  for (;;) {
    const view = viewOf(await rest.status(name, signal))
    if (view.state === 'RUNNING') return
    if (view.problem !== undefined) throw new DemoError(`connector ${name} failed: ${view.problem}`)
    if (performance.now() > deadlineMs) throw new DemoError(`connector ${name} is ${view.state} after ${LIMITS.runningMsMax / 1000} s`)
    await sleep(LIMITS.askMs, undefined, { signal })
  }
}

/** What a status says in one word: RUNNING only when the connector and all its tasks are. Pure. */
export function viewOf(status: StatusAnswer | undefined): ConnectorView {
  if (status === undefined) return { state: 'UNASSIGNED', problem: undefined }
  const parts = [status.connector, ...status.tasks]
  const failed = parts.find(({ state }) => state === 'FAILED')
  if (failed !== undefined) return { state: 'FAILED', problem: failed.trace?.split('\n')[0] ?? 'without a word' }
  const other = parts.find(({ state }) => state !== 'RUNNING')
  return { state: status.tasks.length === 0 ? 'UNASSIGNED' : (other?.state ?? 'RUNNING'), problem: undefined }
}
