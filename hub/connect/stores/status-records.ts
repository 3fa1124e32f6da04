/**
 * @module connect/stores/status-records — records of the status topic: upstream's keys and values to and from bytes. Pure.
 *
 * | key | value |
 * |---|---|
 * | `status-connector-N` | `{"state","trace","worker_id","generation","version"}`; null forgets it |
 * | `status-task-N-i` | the same |
 * | `status-topic-T:connector-N` | `{"topic":{"name","connector","task","discoverTimestamp"}}`; null forgets it (KIP-558) |
 */
import type { State, Status, TaskId } from '../types.ts'
import { type DecodedRecord, garbage, jsonRecord, nameAndIndex, objectIn, type StoredRecord } from './stored-record.ts'

/** What a record of the status topic says. */
export type StatusRecord =
  | { readonly kind: 'connector'; readonly name: string; readonly status: Status | null }
  | { readonly kind: 'task'; readonly id: TaskId; readonly status: Status | null }
  | { readonly kind: 'topic'; readonly connector: string; readonly topic: string; readonly isActive: boolean }

/** A connector's status. DESTROYED is written as what it comes to: nothing. */
export function connectorStatusRecord(name: string, status: Status | null): StoredRecord {
  return jsonRecord(`status-connector-${name}`, statusValue(status))
}

/** A task's status, likewise. */
export function taskStatusRecord({ connector, task }: TaskId, status: Status | null): StoredRecord {
  return jsonRecord(`status-task-${connector}-${task}`, statusValue(status))
}

/** Says that a connector uses a topic; `use` null forgets it. */
export function topicStatusRecord(
  connector: string,
  topic: string,
  use: { readonly task: number; readonly discoveredMs: number } | null,
): StoredRecord {
  const value = use === null ? null : { topic: { name: topic, connector, task: use.task, discoverTimestamp: use.discoveredMs } }
  return jsonRecord(`status-topic-${topic}${TOPIC_SEPARATOR}${connector}`, value)
}

/** Topic names hold no colon, so the first separator is the one. */
const TOPIC_SEPARATOR = ':connector-'

const STATES: readonly string[] = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'FAILED', 'RESTARTING', 'STOPPED', 'DESTROYED'] satisfies State[]

function statusValue(status: Status | null): object | null {
  if (status === null || status.state === 'DESTROYED') return null
  const { state, trace, workerId, generation, version } = status
  return { state, trace, worker_id: workerId, generation, version }
}

/** Reads a record of the status topic. */
export function readStatusRecord(key: Buffer | null, value: Buffer | null): DecodedRecord<StatusRecord> {
  if (key === null) return garbage('it has no key')
  const text = key.toString()
  if (text.startsWith('status-topic-')) return readTopic(text.slice('status-topic-'.length), value)
  const isTask = text.startsWith('status-task-')
  if (!isTask && !text.startsWith('status-connector-')) return { kind: 'other' }
  const status = value === null ? null : statusIn(value)
  if (status === undefined) return garbage('its value is no status')
  if (!isTask) return { kind: 'record', record: { kind: 'connector', name: text.slice('status-connector-'.length), status } }
  const id = nameAndIndex(text.slice('status-task-'.length))
  if (id === undefined) return garbage('its key does not end in the number of a task')
  return { kind: 'record', record: { kind: 'task', id: { connector: id.name, task: id.index }, status } }
}

function readTopic(rest: string, value: Buffer | null): DecodedRecord<StatusRecord> {
  const at = rest.indexOf(TOPIC_SEPARATOR)
  if (at <= 0) return garbage('its key names no topic and connector')
  if (value !== null && typeof objectIn(value)?.['topic'] !== 'object') return garbage('its value names no topic')
  const [topic, connector] = [rest.slice(0, at), rest.slice(at + TOPIC_SEPARATOR.length)]
  return { kind: 'record', record: { kind: 'topic', connector, topic, isActive: value !== null } }
}

function statusIn(value: Buffer): Status | undefined {
  const { state, trace = null, worker_id: workerId, generation, version = null } = objectIn(value) ?? {}
  if (typeof state !== 'string' || !STATES.includes(state) || typeof workerId !== 'string' || typeof generation !== 'number')
    return undefined
  if ((trace !== null && typeof trace !== 'string') || (version !== null && typeof version !== 'string')) return undefined
  return { state: state as State, trace, workerId, generation, version }
}
