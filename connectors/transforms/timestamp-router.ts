/**
 * @module transforms/timestamp-router — gives records a topic by their timestamps. Upstream: `TimestampRouter`.
 */
import { ConfigException, type ConfigOf, type ConnectRecord, DataError, defineConfig, defineTransform, invalidValue } from '@millrace/sdk'
import { names } from './sides.ts'
import { DatePatternError, type SimpleDateFormat, simpleDateFormat } from './simple-date-format/index.ts'

const TOPIC = `\${topic}`
const TIMESTAMP = `\${timestamp}`

const config = defineConfig({
  'topic.format': {
    type: 'STRING',
    default: `${TOPIC}-${TIMESTAMP}`,
    importance: 'HIGH',
    documentation: `The new topic; ${TOPIC} and ${TIMESTAMP} stand for the old one and the formatted timestamp.`,
  },
  'timestamp.format': {
    type: 'STRING',
    default: 'yyyyMMdd',
    importance: 'HIGH',
    documentation: 'Pattern of java.text.SimpleDateFormat; texts are English, the zone is UTC.',
  },
})

function formatOf(pattern: string): SimpleDateFormat {
  try {
    return simpleDateFormat(pattern)
  } catch (error) {
    if (!(error instanceof DatePatternError)) throw error
    throw new ConfigException(invalidValue('timestamp.format', pattern, error.message))
  }
}

function create(settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const format = formatOf(settings['timestamp.format'])
  return (record) => {
    const { topic, timestampMs, partition } = record
    if (timestampMs === null) throw new DataError(`Timestamp missing on record: topic ${topic}, partition ${partition}`)
    const text = format.format(BigInt(timestampMs))
    return { ...record, topic: settings['topic.format'].replaceAll(TOPIC, () => topic).replaceAll(TIMESTAMP, () => text) }
  }
}

/** `org.apache.kafka.connect.transforms.TimestampRouter` */
export const timestampRouter = defineTransform({
  ...names('TimestampRouter'),
  documentation: "Renames a record's topic by its timestamp.",
  config,
  create,
})
