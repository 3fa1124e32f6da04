/** @module test/wire/catalogue — every message that hub/wire declares, with where it comes from. */
import * as wire from '../../hub/wire/index.ts'
import type { Message } from '../../hub/wire/message.ts'

/** A message of whatever fields. */
export type AnyMessage = Message<unknown, unknown>

/** Requests and responses of all APIs, then records, data messages and headers; by a name such as "ProduceRequest". */
export const catalogue: ReadonlyMap<string, AnyMessage> = collect()

function collect(): Map<string, AnyMessage> {
  const messages = new Map<string, AnyMessage>()
  for (const api of wire.apis.values()) messages.set(`${api.name}Request`, api.request).set(`${api.name}Response`, api.response)
  for (const [name, value] of Object.entries<unknown>({ ...wire })) {
    if (value instanceof wire.Message) messages.set(name, value as AnyMessage)
  }
  return messages
}

/** The message of a recorded name. */
export function messageOf(name: string): AnyMessage {
  const message = catalogue.get(name)
  if (message === undefined) throw new Error(`no message ${name}`)
  return message
}

/** Versions of a message, one by one. */
export function versionsOf(message: AnyMessage): number[] {
  const { min, max } = message.versions
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}
