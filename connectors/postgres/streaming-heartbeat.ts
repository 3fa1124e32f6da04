/**
 * @module connector-postgres/streaming-heartbeat — records that say that the connector lives, in a topic of their own.
 */
import { int64, type SourceOffset, type SourcePartition, type SourceRecordInput, string, struct } from '@millrace/sdk'

const keySchema = struct({ serverName: string() }, { name: 'io.debezium.connector.common.ServerNameKey', version: 1 })
const valueSchema = struct({ ts_ms: int64() }, { name: 'io.debezium.connector.common.Heartbeat', version: 1 })

/** When the next one is due. */
export class Heartbeat {
  readonly #intervalMs: number
  readonly #topic: string
  readonly #serverName: string
  #lastMs: number

  /** `intervalMs` 0: never. */
  constructor(topic: string, serverName: string, intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs
    this.#topic = topic
    this.#serverName = serverName
    this.#lastMs = nowMs
  }

  /** Milliseconds until the next one; Infinity: there is none. */
  dueInMs(nowMs: number): number {
    return this.#intervalMs === 0
      ? Number.POSITIVE_INFINITY
      : Math.min(this.#intervalMs, Math.max(0, this.#lastMs + this.#intervalMs - nowMs))
  }

  /** The record, which has the first partition of its topic, as Debezium's. */
  beat(nowMs: number, sourcePartition: SourcePartition, sourceOffset: SourceOffset | null): SourceRecordInput {
    this.#lastMs = nowMs
    return {
      topic: this.#topic,
      partition: 0,
      keySchema,
      key: { serverName: this.#serverName },
      valueSchema,
      value: { ts_ms: BigInt(nowMs) },
      sourcePartition,
      sourceOffset,
    }
  }
}
