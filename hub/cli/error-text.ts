/** @module cli/error-text — what went wrong, in the words that Kafka's scripts use. */
import { KafkaError } from '../client/index.ts'
import { javaClassOf } from './java-names.ts'

/** The message alone: the client names the place behind it, which the scripts do not. */
export function plainMessage(error: unknown): string {
  if (error instanceof KafkaError) return error.text
  return error instanceof Error ? error.message : String(error)
}

/** `org.apache.kafka.common.errors.GroupIdNotFoundException: Group none not found.`: an error as Java prints it. */
export function javaText(error: unknown): string {
  return error instanceof KafkaError ? `${javaClassOf(error.code)}: ${plainMessage(error)}` : plainMessage(error)
}
