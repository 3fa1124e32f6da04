/** The broker that the client's tests run against: `TEST_KAFKA_URL` where it is set (any Kafka), else a hub of our own. */
import type { TestContext } from 'vitest'
import { type Admin, createAdmin, type NewTopic } from '../../hub/client/index.ts'
import { ApiVersions } from '../../hub/wire/index.ts'

export interface TestBroker {
  readonly bootstrap: string
  readonly admin: Admin
  /** Makes a topic with a name of its own and returns the name. */
  topic(how?: Omit<NewTopic, 'name'>): Promise<string>
  /** A name that no other test run has. */
  name(prefix: string): string
  close(): Promise<void>
}

/** Members of KIP-848 groups are told of changes soon. */
const QUICK_HEARTBEATS = { 'group.consumer.min.heartbeat.interval.ms': '100', 'group.consumer.heartbeat.interval.ms': '300' }

let nameCount = 0

/** Asks again until the answer is yes; the test's own time limit ends it otherwise. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

export async function testBroker(): Promise<TestBroker> {
  const url = process.env['TEST_KAFKA_URL']
  const hub = url === undefined ? await (await import('../../hub/testing.ts')).startHub({ overrides: QUICK_HEARTBEATS }) : null
  const bootstrap = url ?? hub?.bootstrap ?? ''
  const admin = createAdmin({ bootstrapServers: bootstrap })
  const name = (prefix: string): string => `${prefix}-${process.pid}-${Date.now().toString(36)}-${nameCount++}`
  return {
    bootstrap,
    admin,
    name,
    topic: async (how = {}) => {
      const topic = name('client')
      const [created] = await admin.createTopics([{ name: topic, partitionCount: 1, replicationFactor: 1, ...how }])
      if (created?.error) throw created.error
      // A Kafka broker answers before all of its parts have heard of the topic.
      await eventually(async () => (await admin.describeTopics([topic]))[0]?.error === null)
      return topic
    },
    close: async () => {
      await admin.close()
      await hub?.close()
    },
  }
}

/** Skips the test where the broker does not have the API. */
export async function needApi({ admin }: TestBroker, context: TestContext, key: number): Promise<void> {
  const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const { apiKeys } = await admin.request('any', ApiVersions, client)
  if (!apiKeys.some(({ apiKey }) => apiKey === key)) context.skip(`the broker does not offer API ${key}`)
}
