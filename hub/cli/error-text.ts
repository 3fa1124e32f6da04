/** @module cli/error-text — what went wrong, in the words that Kafka's scripts use. */
import { KafkaError } from '../client/index.ts'
import { javaClassOf } from './java-names.ts'

/** The message alone: the client names the place behind it, which the scripts do not. */
export function plainMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof KafkaError)) return error.message
  const { topic, partition, groupId } = error.place
  for (const place of [` (topic ${topic})`, ` (${topic}-${partition})`, ` (group ${groupId})`]) {
    if (error.message.endsWith(place)) return error.message.slice(0, -place.length)
  }
  return error.message
}

/** `org.apache.kafka.common.errors.GroupIdNotFoundException: Group none not found.`: an error as Java prints it. */
export function javaText(error: unknown): string {
  return error instanceof KafkaError ? `${javaClassOf(error.code)}: ${plainMessage(error)}` : plainMessage(error)
}
