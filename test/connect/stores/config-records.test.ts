import { describe, expect, it } from 'vitest'
import {
  commitRecord,
  type ConfigRecord,
  connectorRecord,
  readConfigRecord,
  restartRecord,
  targetStateRecord,
  taskRecord,
} from '../../../hub/connect/stores/config-records.ts'
import { ConfigState } from '../../../hub/connect/stores/config-state.ts'
import { inJavaOrder } from '../../../hub/connect/stores/java-order.ts'
import type { StoredRecord } from '../../../hub/connect/stores/stored-record.ts'
import type { ConfigChange } from '../../../hub/connect/stores/types.ts'
import { bytes, bytesOrNull, goldenActions, goldenRecords, shown } from './golden-topics.ts'

function written(record: ConfigRecord): StoredRecord {
  switch (record.kind) {
    case 'connector':
      return connectorRecord(record.name, record.config)
    case 'task':
      return taskRecord(record.name, record.task, record.config)
    case 'commit':
      return commitRecord(record.name, record.taskCount)
    case 'target-state':
      return targetStateRecord(record.name, record.state)
    case 'restart':
      return restartRecord(record.name, record)
  }
}

describe("Kafka Connect's config records", () => {
  it('are read, and written again byte by byte', () => {
    const records = goldenRecords('connect-configs')
    const others: string[] = []
    for (const { key, value } of records) {
      const read = readConfigRecord(bytes(key), bytesOrNull(value))
      if (read.kind === 'record') expect(shown(written(read.record))).toEqual({ key, value })
      else others.push(`${read.kind} ${key}`)
    }
    expect(records.length).toBeGreaterThan(25)
    expect(others).toEqual(['other session-key', 'other logger-cluster-org.example'])
  })

  it('come to the states and changes that each action led to', () => {
    const state = new ConfigState()
    const lines = goldenActions().flatMap(({ action, records }) => {
      const changes: ConfigChange[] = []
      for (const { topic, key, value } of records) {
        const read = topic === 'connect-configs' ? readConfigRecord(bytes(key), bytesOrNull(value)) : null
        if (read?.kind === 'record') changes.push(...state.apply(read.record))
      }
      const connectors = [...state.connectors.values()].map(
        ({ name, targetState, taskConfigs, config }) =>
          `${name} ${targetState} ${taskConfigs.length} ${config['topic'] ?? config['topics']}`,
      )
      if (changes.length === 0) return []
      return `${action}: ${changes.map(({ kind, name }) => `${kind} ${name}`).join(', ')} → ${connectors.join(', ')}`
    })
    expect(lines).toEqual([
      'create a source: connector tsrc, tasks tsrc → tsrc STARTED 1 tlines',
      'create a sink with two tasks: connector tsnk, tasks tsnk → tsrc STARTED 1 tlines, tsnk STARTED 2 tlines',
      'pause the source: target-state tsrc → tsrc PAUSED 1 tlines, tsnk STARTED 2 tlines',
      'resume the source: target-state tsrc → tsrc STARTED 1 tlines, tsnk STARTED 2 tlines',
      'restart connector and tasks: restart tsrc → tsrc STARTED 1 tlines, tsnk STARTED 2 tlines',
      'change the configuration: connector tsrc, tasks tsrc → tsrc STARTED 1 tlines2, tsnk STARTED 2 tlines',
      'same configuration again: connector tsrc → tsrc STARTED 1 tlines2, tsnk STARTED 2 tlines',
      'patch the configuration: connector tsrc, tasks tsrc → tsrc STARTED 1 tlines2, tsnk STARTED 2 tlines',
      'fewer tasks: connector tsnk, tasks tsnk → tsrc STARTED 1 tlines2, tsnk STARTED 1 tlines',
      'stop the source: tasks tsrc, target-state tsrc → tsrc STOPPED 0 tlines2, tsnk STARTED 1 tlines',
      'create paused: connector tpaused → tsrc STOPPED 0 tlines2, tsnk STARTED 1 tlines, tpaused PAUSED 0 tlines',
      'create a sink whose task fails: connector tfail, tasks tfail → tsrc STOPPED 0 tlines2, tsnk STARTED 1 tlines, tpaused PAUSED 0 tlines, tfail STARTED 1 tlines',
      'delete tsrc: removed tsrc → tsnk STARTED 1 tlines, tpaused PAUSED 0 tlines, tfail STARTED 1 tlines',
      'delete tpaused: removed tpaused → tsnk STARTED 1 tlines, tfail STARTED 1 tlines',
      'delete tfail: removed tfail → tsnk STARTED 1 tlines',
      'delete tsnk: removed tsnk → ',
    ])
  })

  it('hold task configurations in the order of a HashMap, which ours is', () => {
    const tasks = goldenRecords('connect-configs').filter(({ key }) => key.startsWith('task-'))
    expect(tasks.length).toBeGreaterThan(5)
    for (const { value } of tasks) {
      const { properties } = JSON.parse(value ?? '{}') as { properties: Record<string, string> }
      const sorted = Object.fromEntries(Object.entries(properties).sort(([one], [other]) => (one < other ? -1 : 1)))
      expect(Object.keys(inJavaOrder(sorted))).toEqual(Object.keys(properties))
    }
  })
})

describe('records that are not as they should be', () => {
  it.each([
    ['connector-a', 'x'],
    ['connector-a', '{}'],
    ['connector-a', '{"properties":null}'],
    ['connector-a', '{"properties":[]}'],
    ['connector-a', '{"properties":{"a":1}}'],
    ['task-a', '{"properties":{}}'],
    ['task-a-x', '{"properties":{}}'],
    ['task-a-0', '[]'],
    ['commit-a', '{}'],
    ['commit-a', '{"tasks":-1}'],
    ['commit-a', '{"tasks":1.5}'],
    ['target-state-a', '{"state":"RUNNING"}'],
    ['target-state-a', 'null'],
    ['restart-connector-a', '{"include-tasks":1,"only-failed":true}'],
    [null, '{}'],
  ])('%s %s is garbage', (key, value) => {
    expect(readConfigRecord(bytesOrNull(key), bytesOrNull(value)).kind).toBe('garbage')
  })

  it.each([
    ['session-key', '{"key":"x"}'],
    ['logger-cluster-a', 'y'],
    ['tasks-fencing-a', '{"task-count":2}'],
    ['something-else', null],
    ['task-a-0', null],
    ['commit-a', null],
    ['restart-connector-a', null],
  ])('%s %s is none of ours', (key, value) => {
    expect(readConfigRecord(bytes(key), bytesOrNull(value)).kind).toBe('other')
  })

  it('names may hold hyphens, numbers and what the keys themselves hold', () => {
    for (const name of ['a-1', 'connector-x', '-', 'task-1-2', 'é 😀', '__proto__']) {
      const task = readConfigRecord(bytes(`task-${name}-12`), bytes('{"properties":{"__proto__":"x"}}'))
      expect(task).toEqual({ kind: 'record', record: { kind: 'task', name, task: 12, config: JSON.parse('{"__proto__":"x"}') } })
      const connector = readConfigRecord(bytes(`connector-${name}`), null)
      expect(connector).toEqual({ kind: 'record', record: { kind: 'connector', name, config: null } })
    }
  })

  it('a target state of an older worker is read, and a property that is null left out', () => {
    const old = readConfigRecord(bytes('target-state-a'), bytes('{"state":"PAUSED"}'))
    expect(old).toEqual({ kind: 'record', record: { kind: 'target-state', name: 'a', state: 'PAUSED' } })
    const nulls = readConfigRecord(bytes('connector-a'), bytes('{"properties":{"a":"b","c":null}}'))
    expect(nulls).toEqual({ kind: 'record', record: { kind: 'connector', name: 'a', config: { a: 'b' } } })
  })
})
