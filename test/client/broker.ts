/** The broker that the client's tests run against: `TEST_KAFKA_URL` where it is set (any Kafka), else a hub of our own. */
import { type Admin, createAdmin, type NewTopic } from '../../hub/client/index.ts'

export interface TestBroker {
  readonly bootstrap: string
  readonly admin: Admin
  /** Makes a topic with a name of its own and returns the name. */
  topic(how?: Omit<NewTopic, 'name'>): Promise<string>
  /** A name that no other test run has. */
  name(prefix: string): string
  close(): Promise<void>
}

let nameCount = 0

/** Asks again until the answer is yes; the test's own time limit ends it otherwise. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

export async function testBroker(): Promise<TestBroker> {
  const url = process.env['TEST_KAFKA_URL']
  const hub = url === undefined ? await (await import('../../hub/testing.ts')).startHub() : null
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
