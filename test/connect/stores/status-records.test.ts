import { describe, expect, it } from 'vitest'
import {
  connectorStatusRecord,
  readStatusRecord,
  type StatusRecord,
  taskStatusRecord,
  topicStatusRecord,
} from '../../../hub/connect/stores/status-records.ts'
import { mayOverwrite, StatusTable } from '../../../hub/connect/stores/status-table.ts'
import type { StoredRecord } from '../../../hub/connect/stores/stored-record.ts'
import type { Status } from '../../../hub/connect/types.ts'
import { ANY, bytes, bytesOrNull, goldenActions, goldenRecords, shown } from './golden-topics.ts'

function written(record: StatusRecord): StoredRecord {
  if (record.kind === 'connector') return connectorStatusRecord(record.name, record.status)
  if (record.kind === 'task') return taskStatusRecord(record.id, record.status)
  return topicStatusRecord(record.connector, record.topic, record.isActive ? { task: 0, discoveredMs: ANY } : null)
}

const status = (over: Partial<Status> = {}): Status => ({
  state: 'RUNNING',
  trace: null,
  workerId: 'a:1',
  generation: 3,
  version: null,
  ...over,
})

describe("Kafka Connect's status records", () => {
  it('are read, and written again byte by byte', () => {
    const records = goldenRecords('connect-status')
    expect(records.length).toBeGreaterThan(50)
    for (const { key, value } of records) {
      const read = readStatusRecord(bytes(key), bytesOrNull(value))
      expect(read.kind, key).toBe('record')
      if (read.kind === 'record') expect(shown(written(read.record))).toEqual({ key, value })
    }
  })

  it('come to the table that each action led to', () => {
    const table = new StatusTable()
    const after = new Map<string, string>()
    for (const { action, records } of goldenActions()) {
      for (const { topic, key, value } of records) {
        const read = topic === 'connect-status' ? readStatusRecord(bytes(key), bytesOrNull(value)) : null
        if (read?.kind === 'record') table.apply(read.record)
      }
      const line = ['tsrc', 'tsnk', 'tfail', 'tpaused'].flatMap((name) => {
        const tasks = table.tasks(name).map((one) => one.status.state)
        const state = table.connector(name)?.state
        return state === undefined && tasks.length === 0
          ? []
          : `${name} ${state} [${tasks.join(' ')}] ${table.topics(name).join(' ')}`.trim()
      })
      after.set(action, line.join(', '))
    }
    expect(after.get('create a sink with two tasks')).toBe('tsrc RUNNING [RUNNING] tlines, tsnk RUNNING [RUNNING RUNNING]')
    expect(after.get('fewer tasks')).toBe('tsrc RUNNING [RUNNING] tlines, tsnk RUNNING [RUNNING] tlines')
    expect(after.get('reset the active topics')).toBe('tsrc RUNNING [RUNNING], tsnk RUNNING [RUNNING] tlines')
    expect(after.get('stop the source')).toBe('tsrc STOPPED [], tsnk RUNNING [RUNNING] tlines')
    expect(after.get('create a sink whose task fails')).toContain('tfail RUNNING [FAILED]')
    expect(after.get('delete tsnk')).toBe('')
    expect(table.topics('tsnk')).toEqual([])
  })
})

describe('a status', () => {
  it('that is DESTROYED is written as nothing', () => {
    expect(connectorStatusRecord('a', status({ state: 'DESTROYED' })).value).toBeNull()
    expect(taskStatusRecord({ connector: 'a', task: 1 }, status({ state: 'DESTROYED' })).value).toBeNull()
  })

  it.each([
    ['status-connector-a', '{}'],
    ['status-connector-a', 'x'],
    ['status-connector-a', '{"state":"HAPPY","worker_id":"a","generation":1}'],
    ['status-task-a', null],
    ['status-task-a-0', '{"state":"RUNNING","worker_id":1,"generation":1}'],
    ['status-task-a-0', '{"state":"RUNNING","worker_id":"a","generation":1,"trace":5}'],
    ['status-topic-a', null],
    ['status-topic-:connector-a', null],
    ['status-topic-t:connector-a', '{}'],
    [null, null],
  ])('%s %s is garbage', (key, value) => {
    expect(readStatusRecord(bytesOrNull(key), bytesOrNull(value)).kind).toBe('garbage')
  })

  it('of an older worker, which knew no version, is read', () => {
    const read = readStatusRecord(bytes('status-task-a-b-4'), bytes('{"state":"PAUSED","trace":null,"worker_id":"w","generation":9}'))
    const expected = status({ state: 'PAUSED', workerId: 'w', generation: 9 })
    expect(read).toEqual({ kind: 'record', record: { kind: 'task', id: { connector: 'a-b', task: 4 }, status: expected } })
  })

  it('of something else is passed over', () => {
    expect(readStatusRecord(bytes('other'), null)).toEqual({ kind: 'other' })
  })

  it('may always be news, and an end only where nobody younger has taken over', () => {
    const younger = status({ workerId: 'b:1', generation: 5 })
    expect(mayOverwrite(younger, status())).toBe(true)
    for (const state of ['UNASSIGNED', 'FAILED'] as const) {
      expect(mayOverwrite(undefined, status({ state }))).toBe(true)
      expect(mayOverwrite(younger, status({ state }))).toBe(false)
      expect(mayOverwrite(younger, status({ state, generation: 5 }))).toBe(true)
      expect(mayOverwrite(younger, status({ state, workerId: 'b:1' }))).toBe(true)
    }
  })
})

describe('the table', () => {
  it('drops the tasks of a connector that is gone, sorts tasks by number, topics by name', () => {
    const table = new StatusTable()
    for (const task of [10, 2, 0]) table.apply({ kind: 'task', id: { connector: 'a', task }, status: status() })
    for (const topic of ['b', 'a']) table.apply({ kind: 'topic', connector: 'a', topic, isActive: true })
    expect(table.tasks('a').map(({ id }) => id.task)).toEqual([0, 2, 10])
    expect(table.topics('a')).toEqual(['a', 'b'])
    expect([table.uses('a', 'b'), table.uses('a', 'c'), table.uses('z', 'b')]).toEqual([true, false, false])
    table.apply({ kind: 'connector', name: 'a', status: null })
    expect(table.tasks('a')).toEqual([])
    expect(table.task({ connector: 'a', task: 2 })).toBeUndefined()
  })
})
