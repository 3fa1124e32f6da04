import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConfigRecord } from '../../../hub/connect/stores/config-records.ts'
import { ConfigState } from '../../../hub/connect/stores/config-state.ts'
import type { ConfigChange, ConnectorState } from '../../../hub/connect/stores/types.ts'

const NAME = 'c'
const connector = (config: Record<string, string> | null): ConfigRecord => ({ kind: 'connector', name: NAME, config })
const task = (index: number, version: number): ConfigRecord => ({
  kind: 'task',
  name: NAME,
  task: index,
  config: { version: `${version}` },
})
const commit = (taskCount: number): ConfigRecord => ({ kind: 'commit', name: NAME, taskCount })
const target = (state: 'STARTED' | 'PAUSED' | 'STOPPED' | null): ConfigRecord => ({ kind: 'target-state', name: NAME, state })

function stateOf(records: readonly ConfigRecord[]): ConnectorState | undefined {
  const state = new ConfigState()
  for (const record of records) state.apply(record)
  return state.connectors.get(NAME)
}

function lastChanges(records: readonly ConfigRecord[]): readonly ConfigChange[] {
  const state = new ConfigState()
  return records.map((record) => state.apply(record)).at(-1) ?? []
}

const versionsOf = (state: ConnectorState | undefined): (string | undefined)[] => (state?.taskConfigs ?? []).map(({ version }) => version)

describe('tasks', () => {
  it('count from their commit on', () => {
    const before = [connector({}), task(0, 1), task(1, 1)]
    expect(stateOf(before)).toMatchObject({ taskConfigs: [], isInconsistent: false })
    expect(versionsOf(stateOf([...before, commit(2)]))).toEqual(['1', '1'])
    expect(versionsOf(stateOf([...before, commit(2), task(0, 2)]))).toEqual(['1', '1'])
    expect(versionsOf(stateOf([...before, commit(2), task(0, 2), commit(1)]))).toEqual(['2'])
  })

  it('of a set with holes are none, until a whole one comes', () => {
    const holes = [connector({}), task(1, 1), commit(2)]
    expect(stateOf(holes)).toMatchObject({ taskConfigs: [], isInconsistent: true })
    expect(stateOf([...holes, task(0, 1), commit(2)])).toMatchObject({ taskConfigs: [], isInconsistent: true })
    expect(stateOf([...holes, task(0, 2), task(1, 2), commit(2)])).toMatchObject({
      taskConfigs: [{ version: '2' }, { version: '2' }],
      isInconsistent: false,
    })
  })

  it('that a larger set left over are not taken', () => {
    expect(versionsOf(stateOf([connector({}), task(1, 1), task(2, 1), task(0, 2), commit(1)]))).toEqual(['2'])
  })

  it('of a stopped connector are an empty set, which is no inconsistency', () => {
    expect(stateOf([connector({}), task(0, 1), commit(1), commit(0), target('STOPPED')])).toMatchObject({
      taskConfigs: [],
      isInconsistent: false,
      targetState: 'STOPPED',
    })
  })

  it('a count that nobody can mean costs nothing', () => {
    expect(stateOf([connector({}), commit(Number.MAX_SAFE_INTEGER)])).toMatchObject({ isInconsistent: true })
  })

  it('go with their connector, so that a new one of the name begins without', () => {
    const removed = [connector({}), task(0, 1), commit(1), connector(null)]
    expect(stateOf(removed)).toBeUndefined()
    expect(stateOf([...removed, connector({ a: 'b' })])).toEqual({
      name: NAME,
      config: { a: 'b' },
      targetState: 'STARTED',
      taskConfigs: [],
      isInconsistent: false,
    })
  })
})

describe('target states', () => {
  it('may come before the connector (KIP-980), whose own change tells of both', () => {
    expect(lastChanges([target('PAUSED')])).toEqual([])
    expect(lastChanges([target('PAUSED'), connector({})])).toEqual([{ kind: 'connector', name: NAME }])
    expect(stateOf([target('PAUSED'), connector({})])?.targetState).toBe('PAUSED')
  })

  it('outlive the removal of the connector, until their own record goes', () => {
    expect(stateOf([connector({}), target('STOPPED'), connector(null), connector({})])?.targetState).toBe('STOPPED')
    expect(stateOf([connector({}), target('STOPPED'), connector(null), target(null), connector({})])?.targetState).toBe('STARTED')
  })

  it('are told when they change, and of known connectors only', () => {
    expect(lastChanges([connector({}), target('PAUSED')])).toEqual([{ kind: 'target-state', name: NAME }])
    expect(lastChanges([connector({}), target('STARTED')])).toEqual([])
    expect(lastChanges([connector({}), target('PAUSED'), target('PAUSED')])).toEqual([])
    expect(lastChanges([connector({}), target('PAUSED'), target(null)])).toEqual([])
  })
})

describe('changes', () => {
  it('of what is not there are none', () => {
    expect(lastChanges([connector(null)])).toEqual([])
    expect(lastChanges([task(0, 1), commit(1)])).toEqual([])
    expect(lastChanges([connector({}), task(0, 1)])).toEqual([])
  })

  it('never touch a state that was handed out', () => {
    const state = new ConfigState()
    state.apply(connector({ a: '1' }))
    const before = state.connectors.get(NAME)
    state.apply(target('PAUSED'))
    expect(before?.targetState).toBe('STARTED')
    expect(state.connectors.get(NAME)?.targetState).toBe('PAUSED')
  })
})

/** A history of one writer: whole sets, and sets that a crash broke off after some of their tasks. */
const history = fc.array(fc.record({ taskCount: fc.integer({ min: 0, max: 4 }), writtenCount: fc.integer({ min: 0, max: 5 }) }), {
  minLength: 1,
  maxLength: 8,
})

interface Keyed {
  readonly key: string
  readonly record: ConfigRecord
}

function logOf(sets: readonly { readonly taskCount: number; readonly writtenCount: number }[]): {
  log: Keyed[]
  committed: string[] | null
} {
  const log: Keyed[] = [{ key: 'connector', record: connector({}) }]
  let committed: string[] | null = null
  sets.forEach(({ taskCount, writtenCount }, version) => {
    for (let index = 0; index < Math.min(taskCount, writtenCount); index++) log.push({ key: `task-${index}`, record: task(index, version) })
    if (writtenCount <= taskCount) return
    log.push({ key: 'commit', record: commit(taskCount) })
    committed = Array.from({ length: taskCount }, () => `${version}`)
  })
  return { log, committed }
}

/** What a cleaner leaves: in the first `cleanedCount` records only the last of each key. */
function compacted(log: readonly Keyed[], cleanedCount: number): Keyed[] {
  const cleaned = log.slice(0, cleanedCount)
  const last = new Map(cleaned.map(({ key }, index) => [key, index]))
  return [...cleaned.filter(({ key }, index) => last.get(key) === index), ...log.slice(cleanedCount)]
}

describe('whatever compaction leaves of the log', () => {
  it('the tasks are the last committed set, or inconsistent; never a mix', () => {
    const cleanings = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 })
    fc.assert(
      fc.property(history, cleanings, (sets, shares) => {
        const { log, committed } = logOf(sets)
        const left = [...shares]
          .sort((one, other) => one - other)
          .reduce((rest, share) => compacted(rest, Math.round(share * rest.length)), log)
        const state = stateOf(left.map(({ record }) => record))
        if (state?.isInconsistent === true) expect(versionsOf(state)).toEqual([])
        else expect(versionsOf(state)).toEqual(committed ?? [])
      }),
      { numRuns: process.env['MILLRACE_LONG'] === undefined ? 1_000 : 100_000 },
    )
  })

  it('and without compaction it is the last committed set', () => {
    fc.assert(
      fc.property(history, (sets) => {
        const { log, committed } = logOf(sets)
        const state = stateOf(log.map(({ record }) => record))
        expect(state?.isInconsistent).toBe(false)
        expect(versionsOf(state)).toEqual(committed ?? [])
      }),
    )
  })

  it('a log that has lost its beginning gives one set or none', () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 1, noNaN: true }), (sets, share) => {
        const { log, committed } = logOf(sets)
        const rest = [connector({}), ...log.slice(Math.round(share * log.length)).map(({ record }) => record)]
        const state = stateOf(rest)
        if (versionsOf(state).length > 0) expect(versionsOf(state)).toEqual(committed)
      }),
    )
  })
})
