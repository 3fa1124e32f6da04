/**
 * A hub inside this very process, a producer, and a consumer group: nothing to install or start beforehand.
 * In this repository: `npx node --conditions=millrace-source examples/embedded.ts`.
 */
import { createConsumer, createProducer } from 'millrace/client'
import { startHub } from 'millrace/testing'

await using hub = await startHub()

const producer = createProducer({ bootstrapServers: hub.bootstrap })
for (const name of ['Ada', 'Grace', 'Barbara']) {
  const { partition, offset } = await producer.send({ topic: 'greetings', key: name, value: `hello ${name}` })
  console.log(`sent to ${name}: partition ${partition}, offset ${offset}`)
}
await producer.close()

const consumer = createConsumer({ bootstrapServers: hub.bootstrap, groupId: 'readers', offsetReset: 'earliest' })
consumer.subscribe(['greetings'])
let seenCount = 0
for await (const records of consumer) {
  for (const { key, value } of records) console.log(`read ${String(key)}: ${String(value)}`)
  seenCount += records.count
  if (seenCount === 3) break
}
await consumer.commit()
await consumer.close()
