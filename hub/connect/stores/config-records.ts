/**
 * @module connect/stores/config-records — records of the config topic: upstream's keys and values to and from bytes. Pure.
 *
 * | key | value |
 * |---|---|
 * | `connector-N` | `{"properties":{…}}`; null removes the connector |
 * | `task-N-i` | `{"properties":{…}}`; counts from the next commit on |
 * | `commit-N` | `{"tasks":count}` |
 * | `target-state-N` | `{"state":…,"state.v2":…}`; STOPPED is PAUSED to readers that don't know it (KIP-875) |
 * | `restart-connector-N` | `{"include-tasks":…,"only-failed":…}` (KIP-745) |
 *
 * `session-key`, `logger-cluster-…` and `tasks-fencing-…` are workers' own business among themselves: passed over.
 */
import type { ConfigText, TargetState } from '../types.ts'
import { type DecodedRecord, garbage, jsonRecord, nameAndIndex, objectIn, type StoredRecord } from './stored-record.ts'

/** What a record of the config topic says. */
export type ConfigRecord =
  | { readonly kind: 'connector'; readonly name: string; readonly config: ConfigText | null }
  | { readonly kind: 'task'; readonly name: string; readonly task: number; readonly config: ConfigText }
  | { readonly kind: 'commit'; readonly name: string; readonly taskCount: number }
  | { readonly kind: 'target-state'; readonly name: string; readonly state: TargetState | null }
  | { readonly kind: 'restart'; readonly name: string; readonly includeTasks: boolean; readonly onlyFailed: boolean }

/** A connector's configuration; null removes it. */
export function connectorRecord(name: string, config: ConfigText | null): StoredRecord {
  return jsonRecord(`connector-${name}`, config === null ? null : { properties: config })
}

/** The configuration of one task. */
export function taskRecord(name: string, task: number, config: ConfigText): StoredRecord {
  return jsonRecord(`task-${name}-${task}`, { properties: config })
}

/** Makes the tasks 0 … count−1 that were written before count, all at once. */
export function commitRecord(name: string, taskCount: number): StoredRecord {
  return jsonRecord(`commit-${name}`, { tasks: taskCount })
}

/** What the user wants of the connector; null forgets it. */
export function targetStateRecord(name: string, state: TargetState | null): StoredRecord {
  const old = state === 'STOPPED' ? 'PAUSED' : state
  return jsonRecord(`target-state-${name}`, state === null ? null : { state: old, 'state.v2': state })
}

/** Asks for a restart. */
export function restartRecord(name: string, what: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): StoredRecord {
  return jsonRecord(`restart-connector-${name}`, { 'include-tasks': what.includeTasks, 'only-failed': what.onlyFailed })
}

type Reader = (rest: string, value: Buffer | null) => DecodedRecord<ConfigRecord>

const READERS: readonly (readonly [prefix: string, read: Reader])[] = [
  ['target-state-', readTargetState],
  ['connector-', readConnector],
  ['commit-', readCommit],
  ['task-', readTask],
  ['restart-connector-', readRestart],
]

/** Reads a record of the config topic. */
export function readConfigRecord(key: Buffer | null, value: Buffer | null): DecodedRecord<ConfigRecord> {
  if (key === null) return garbage('it has no key')
  const text = key.toString()
  for (const [prefix, read] of READERS) if (text.startsWith(prefix)) return read(text.slice(prefix.length), value)
  return { kind: 'other' }
}

function readConnector(name: string, value: Buffer | null): DecodedRecord<ConfigRecord> {
  if (value === null) return { kind: 'record', record: { kind: 'connector', name, config: null } }
  const config = propertiesIn(value)
  return config === undefined ? garbage(NO_PROPERTIES) : { kind: 'record', record: { kind: 'connector', name, config } }
}

function readTask(rest: string, value: Buffer | null): DecodedRecord<ConfigRecord> {
  const id = nameAndIndex(rest)
  if (id === undefined) return garbage('its key does not end in the number of a task')
  // Nobody writes such a one, but a tool that tidies up may: the task is missing then, which its commit finds out.
  if (value === null) return { kind: 'other' }
  const config = propertiesIn(value)
  if (config === undefined) return garbage(NO_PROPERTIES)
  return { kind: 'record', record: { kind: 'task', name: id.name, task: id.index, config } }
}

function readCommit(name: string, value: Buffer | null): DecodedRecord<ConfigRecord> {
  if (value === null) return { kind: 'other' }
  const taskCount = objectIn(value)?.['tasks']
  if (typeof taskCount !== 'number' || !Number.isSafeInteger(taskCount) || taskCount < 0) return garbage('its value has no count of tasks')
  return { kind: 'record', record: { kind: 'commit', name, taskCount } }
}

function readTargetState(name: string, value: Buffer | null): DecodedRecord<ConfigRecord> {
  if (value === null) return { kind: 'record', record: { kind: 'target-state', name, state: null } }
  const object = objectIn(value)
  const state = object?.['state.v2'] ?? object?.['state']
  if (state !== 'STARTED' && state !== 'PAUSED' && state !== 'STOPPED') return garbage('its value has no target state')
  return { kind: 'record', record: { kind: 'target-state', name, state } }
}

function readRestart(name: string, value: Buffer | null): DecodedRecord<ConfigRecord> {
  if (value === null) return { kind: 'other' }
  const { 'include-tasks': includeTasks, 'only-failed': onlyFailed } = objectIn(value) ?? {}
  if (typeof includeTasks !== 'boolean' || typeof onlyFailed !== 'boolean') return garbage('its value does not say what to restart')
  return { kind: 'record', record: { kind: 'restart', name, includeTasks, onlyFailed } }
}

const NO_PROPERTIES = 'its value has no properties'

/** `{"properties":{text:text}}`; a null among the values means the same as no value, and is left out. */
function propertiesIn(value: Buffer): ConfigText | undefined {
  const properties = objectIn(value)?.['properties']
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) return undefined
  const entries = Object.entries(properties as Record<string, unknown>).filter(([, text]) => text !== null)
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string') ? Object.fromEntries(entries) : undefined
}
