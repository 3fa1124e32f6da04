import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide, type Effect, isSamePlan, restartPlan, type Wanted } from '../../hub/connect/herder-core.ts'
import { after, type Happening, type Held, heldAtStart, NO_WISHES, NOTHING_HELD } from '../../hub/connect/herder-state.ts'
import type { ConfigText, State, TargetState } from '../../hub/connect/index.ts'

const config: ConfigText = { name: 'c', 'tasks.max': '2' }
const taskConfigs: readonly ConfigText[] = [{ part: '0' }, { part: '1' }]
const wanted = (more: Partial<Wanted> = {}): Wanted => ({ config, targetState: 'STARTED', taskConfigs, isInconsistent: false, ...more })

/** Held after a number of happenings. */
const held = (...happenings: readonly Happening[]): Held => happenings.reduce(after, NOTHING_HELD)
const started: readonly Happening[] = [{ kind: 'thread-made' }, { kind: 'connector-started', config, targetState: 'STARTED' }]
const planned: readonly Happening[] = [...started, { kind: 'planning' }, { kind: 'planned', configs: taskConfigs, isStored: true }]
const tasks = taskConfigs.map((text, task) => ({ task, config: text }))
const running: readonly Happening[] = [
  ...planned,
  { kind: 'tasks-starting', tasks, connectorConfig: config },
  { kind: 'task', task: 0, state: 'RUNNING', trace: null },
  { kind: 'task', task: 1, state: 'RUNNING', trace: null },
]
const paused: readonly Happening[] = [
  ...running,
  { kind: 'target-set', targetState: 'PAUSED' },
  { kind: 'task', task: 0, state: 'PAUSED', trace: null },
  { kind: 'task', task: 1, state: 'PAUSED', trace: null },
]
const crashed: readonly Happening[] = [...running, { kind: 'thread-gone', trace: 'Error: gone' }]
const wish = (wishes: Partial<Held['wishes']>): Happening => ({ kind: 'wished', wishes: { ...NO_WISHES, ...wishes } })
const other: ConfigText = { ...config, more: 'x' }

describe('what is to be done next', () => {
  const rows: readonly (readonly [string, Wanted | undefined, Held, Effect | undefined])[] = [
    ['nothing held', wanted(), held(), { kind: 'start-connector', config, targetState: 'STARTED' }],
    ['nothing held, to be paused', wanted({ targetState: 'PAUSED' }), held(), { kind: 'start-connector', config, targetState: 'PAUSED' }],
    ['nothing held, to be stopped', wanted({ targetState: 'STOPPED' }), held(), { kind: 'show-stopped', config }],
    ['started', wanted(), held(...started), { kind: 'plan', config }],
    [
      'started, its plan waits: stored tasks run',
      wanted(),
      held(...started, { kind: 'plan-waits' }),
      { kind: 'start-tasks', tasks, connectorConfig: config, targetState: 'STARTED' },
    ],
    ['started, its plan waits, no tasks stored', wanted({ taskConfigs: [] }), held(...started, { kind: 'plan-waits' }), undefined],
    ['waited', wanted(), held(...started, { kind: 'plan-waits' }, { kind: 'wait-over' }), { kind: 'plan', config }],
    [
      'a new plan',
      wanted({ taskConfigs: [] }),
      held(...started, { kind: 'planned', configs: taskConfigs, isStored: false }),
      { kind: 'write-tasks', configs: taskConfigs },
    ],
    ['planned', wanted(), held(...planned), { kind: 'start-tasks', tasks, connectorConfig: config, targetState: 'STARTED' }],
    ['running', wanted(), held(...running), undefined],
    ['running, tasks cannot be put together', wanted({ isInconsistent: true }), held(...running), { kind: 'plan', config }],
    ['a task failed', wanted(), held(...running, { kind: 'task', task: 1, state: 'FAILED', trace: 'x' }), undefined],
    ['to be paused', wanted({ targetState: 'PAUSED' }), held(...running), { kind: 'set-target-state', targetState: 'PAUSED' }],
    ['paused', wanted({ targetState: 'PAUSED' }), held(...paused), undefined],
    [
      'paused, changed: only the connector',
      wanted({ targetState: 'PAUSED', config: other }),
      held(...paused),
      { kind: 'unassign', connector: true, tasks: [] },
    ],
    [
      'paused at the start: tasks start paused',
      wanted({ targetState: 'PAUSED' }),
      held({ kind: 'thread-made' }, { kind: 'connector-started', config, targetState: 'PAUSED' }),
      { kind: 'start-tasks', tasks, connectorConfig: config, targetState: 'PAUSED' },
    ],
    ['to be resumed', wanted(), held(...paused), { kind: 'set-target-state', targetState: 'STARTED' }],
    ['resumed: planned again', wanted(), held(...paused, { kind: 'target-set', targetState: 'STARTED' }), { kind: 'plan', config }],
    ['to be stopped', wanted({ targetState: 'STOPPED', taskConfigs: [] }), held(...running), { kind: 'show-stopped', config }],
    [
      'stopping',
      wanted({ targetState: 'STOPPED', taskConfigs: [] }),
      held(...running, { kind: 'shown-stopped', config }),
      { kind: 'unassign', connector: false, tasks: [0, 1] },
    ],
    [
      'stopped but for its tasks',
      wanted({ targetState: 'STOPPED', taskConfigs: [] }),
      held(...running, { kind: 'shown-stopped', config }, { kind: 'unassigned', connector: false, tasks: [0, 1] }),
      { kind: 'stop-tasks', tasks: [0, 1] },
    ],
    ['removed', undefined, held(...running), { kind: 'unassign', connector: true, tasks: [0, 1] }],
    [
      'removed, out of service',
      undefined,
      held(...running, { kind: 'unassigned', connector: true, tasks: [0, 1] }),
      { kind: 'stop-tasks', tasks: [0, 1] },
    ],
    ['removed, nothing left', undefined, held(), { kind: 'forget' }],
    ['a failed one removed: its statuses go', undefined, held(...crashed), { kind: 'forget-tasks', tasks: [0, 1] }],
    ['changed', wanted({ config: other }), held(...running), { kind: 'unassign', connector: true, tasks: [] }],
    [
      'the same configuration written again',
      wanted({ config: { ...config } }),
      held(...running),
      { kind: 'unassign', connector: true, tasks: [] },
    ],
    ['fewer tasks', wanted({ taskConfigs: taskConfigs.slice(0, 1) }), held(...running), { kind: 'unassign', connector: false, tasks: [1] }],
    [
      'fewer tasks, stopped',
      wanted({ taskConfigs: taskConfigs.slice(0, 1) }),
      held(...running, { kind: 'unassigned', connector: false, tasks: [1] }, { kind: 'tasks-stopped', tasks: [1], isClean: true }),
      { kind: 'forget-tasks', tasks: [1] },
    ],
    [
      'one task with another configuration',
      wanted({ taskConfigs: [{ part: '0' }, { part: 'one' }] }),
      held(...running),
      { kind: 'unassign', connector: false, tasks: [1] },
    ],
    [
      'a failed task with another configuration',
      wanted({ taskConfigs: [{ part: '0' }, { part: 'one' }] }),
      held(...running, { kind: 'task', task: 1, state: 'FAILED', trace: 'x' }),
      { kind: 'start-tasks', tasks: [{ task: 1, config: { part: 'one' } }], connectorConfig: config, targetState: 'STARTED' },
    ],
    ['the thread went', wanted(), held(...crashed), undefined],
    [
      'the thread went for a neighbour',
      wanted(),
      held(...running, { kind: 'thread-gone', trace: null }),
      { kind: 'start-connector', config, targetState: 'STARTED' },
    ],
    [
      'the thread went, a restart of a task',
      wanted(),
      held(...crashed, wish({ restartsTasks: new Set([0]) })),
      { kind: 'start-connector', config, targetState: 'STARTED' },
    ],
    [
      'the connector failed to start: its tasks with it',
      wanted(),
      held({ kind: 'connector-failed', config, trace: 'no' }),
      { kind: 'fail-tasks', tasks: [0, 1], trace: 'no' },
    ],
    [
      'the connector failed to start, changed',
      wanted({ config: other }),
      held({ kind: 'connector-failed', config, trace: 'no' }),
      { kind: 'start-connector', config: other, targetState: 'STARTED' },
    ],
    ['a plan failed: tasks run on', wanted(), held(...running, { kind: 'plan-failed', trace: 'no' }), undefined],
    [
      'a restart of the connector',
      wanted(),
      held(...running, wish({ restartsConnector: true })),
      { kind: 'unassign', connector: true, tasks: [] },
    ],
    [
      'a marked restart of all',
      wanted(),
      held(...running, wish({ restartsConnector: true, restartsTasks: new Set([0, 1]), isMarked: true }), {
        kind: 'unassigned',
        connector: true,
        tasks: [0, 1],
      }),
      { kind: 'mark-restarting', connector: true, tasks: [0, 1] },
    ],
    [
      'a restart of a task',
      wanted(),
      held(...running, wish({ restartsTasks: new Set([1]) }), { kind: 'unassigned', connector: false, tasks: [1] }),
      { kind: 'stop-tasks', tasks: [1] },
    ],
    [
      'a restart of a task, stopped',
      wanted(),
      held(
        ...running,
        wish({ restartsTasks: new Set([1]) }),
        { kind: 'tasks-stopped', tasks: [1], isClean: true },
        { kind: 'unassigned', connector: false, tasks: [1] },
      ),
      { kind: 'start-tasks', tasks: tasks.slice(1), connectorConfig: config, targetState: 'STARTED' },
    ],
    [
      'all tasks cut off: a fresh thread',
      wanted(),
      held(
        ...running,
        wish({ restartsTasks: new Set([0, 1]) }),
        { kind: 'unassigned', connector: false, tasks: [0, 1] },
        { kind: 'tasks-stopped', tasks: [0, 1], isClean: false },
      ),
      { kind: 'end-thread' },
    ],
    ['a plan wished for', wanted(), held(...running, wish({ replans: true })), { kind: 'plan', config }],
    [
      'stopped, with tasks that were stored meanwhile',
      wanted({ targetState: 'STOPPED' }),
      held({ kind: 'shown-stopped', config }),
      { kind: 'write-tasks', configs: [] },
    ],
    [
      'the connector failed to start, nothing runs: no thread',
      wanted({ taskConfigs: [] }),
      held({ kind: 'thread-made' }, { kind: 'connector-failed', config, trace: 'no' }),
      { kind: 'end-thread' },
    ],
    [
      'a restart while stopped',
      wanted({ targetState: 'STOPPED', taskConfigs: [] }),
      held({ kind: 'shown-stopped', config }, wish({ restartsConnector: true })),
      { kind: 'show-stopped', config },
    ],
  ]
  it.each(rows)('%s', (_name, want, now, effect) => {
    expect(decide(want, now)).toEqual(effect)
  })

  it('statuses that an earlier worker left are taken over, and forgotten where no task is', () => {
    const now = heldAtStart('STARTED', [0, 1, 2])
    expect(decide(wanted(), now)).toEqual({ kind: 'forget-tasks', tasks: [2] })
    expect(heldAtStart('STOPPED', []).connector.state).toBe('STOPPED')
  })
})

describe('the restart plan', () => {
  const states = {
    connector: 'RUNNING' as const,
    tasks: new Map<number, State>([
      [0, 'FAILED'],
      [1, 'RUNNING'],
    ]),
  }
  it.each([
    [false, false, { connector: true, tasks: [] }],
    [true, false, { connector: true, tasks: [0, 1] }],
    [false, true, { connector: false, tasks: [] }],
    [true, true, { connector: false, tasks: [0] }],
  ])('includeTasks %s, onlyFailed %s', (includeTasks, onlyFailed, plan) => {
    expect(restartPlan(states, { includeTasks, onlyFailed })).toEqual(plan)
  })
})

/** A shell without a world: every effect works, or fails as the dice say. */
class Model {
  want: Wanted | undefined = wanted({ taskConfigs: [] })
  held: Held = NOTHING_HELD
  isForgotten = false
  readonly #dice: () => number

  constructor(dice: () => number) {
    this.#dice = dice
  }

  apply(happening: Happening): void {
    this.held = after(this.held, happening)
  }

  /** Performs effects until nothing is left. */
  settle(failing: boolean): void {
    for (let count = 0; count < 200; count++) {
      const effect = decide(this.want, this.held)
      if (effect === undefined) return
      if (effect.kind === 'forget') {
        this.isForgotten = true
        this.held = NOTHING_HELD
        return
      }
      this.perform(effect, failing && this.#dice() % 4 === 0)
    }
    throw new Error(`no end: ${JSON.stringify(decide(this.want, this.held))}`)
  }

  perform(effect: Exclude<Effect, { kind: 'forget' }>, fails: boolean): void {
    switch (effect.kind) {
      case 'unassign':
        this.apply({ ...effect, kind: 'unassigned' })
        return
      case 'mark-restarting':
        this.apply({ ...effect, kind: 'marked' })
        return
      case 'show-stopped':
        this.apply({ ...effect, kind: 'shown-stopped' })
        return
      case 'stop-tasks':
        this.apply({ ...effect, kind: 'tasks-stopped', isClean: !fails })
        if (fails && this.#dice() % 2 === 0) this.apply({ kind: 'thread-gone', trace: null })
        return
      case 'forget-tasks':
        this.apply({ ...effect, kind: 'tasks-forgotten' })
        return
      case 'fail-tasks':
        this.apply({ ...effect, kind: 'tasks-failed' })
        return
      case 'end-thread':
        this.apply({ kind: 'thread-gone', trace: null })
        return
      case 'start-connector':
        this.apply({ kind: 'thread-made' })
        this.apply(fails ? { kind: 'connector-failed', config: effect.config, trace: 'no' } : { ...effect, kind: 'connector-started' })
        return
      case 'set-target-state':
        this.apply({ ...effect, kind: 'target-set' })
        return
      case 'plan': {
        this.apply({ kind: 'planning' })
        if (fails) {
          this.apply(this.#dice() % 2 === 0 ? { kind: 'plan-failed', trace: 'no' } : { kind: 'plan-waits' })
          return
        }
        const count = Number(effect.config['tasks.max'])
        const configs = Array.from({ length: count }, (_, part) => ({ ...effect.config, part: String(part) }))
        const isStored = this.want !== undefined && !this.want.isInconsistent && isSamePlan(configs, this.want.taskConfigs)
        this.apply({ kind: 'planned', configs, isStored })
        return
      }
      case 'write-tasks':
        if (this.want !== undefined) this.want = { ...this.want, taskConfigs: effect.configs, isInconsistent: false }
        this.apply({ kind: 'tasks-written' })
        return
      case 'start-tasks':
        this.apply({ ...effect, kind: 'tasks-starting' })
        for (const { task } of effect.tasks) {
          const state = this.held.targetState === 'PAUSED' ? 'PAUSED' : 'RUNNING'
          this.apply({ kind: 'task', task, state: fails ? 'FAILED' : state, trace: fails ? 'no' : null })
        }
    }
  }
}

describe('whatever happens', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('config' as const), taskCount: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('target' as const), target: fc.constantFrom<TargetState>('STARTED', 'PAUSED', 'STOPPED') }),
    fc.constant({ kind: 'remove' as const }),
    fc.constant({ kind: 'inconsistent' as const }),
    fc.record({ kind: fc.constant('crash' as const), own: fc.boolean() }),
    fc.record({ kind: fc.constant('fail' as const), task: fc.integer({ min: 0, max: 2 }) }),
    fc.record({
      kind: fc.constant('restart' as const),
      connector: fc.boolean(),
      tasks: fc.uniqueArray(fc.integer({ min: 0, max: 2 })),
      mark: fc.boolean(),
    }),
    fc.constant({ kind: 'replan' as const }),
    fc.record({ kind: fc.constant('settle' as const), failing: fc.boolean() }),
  )

  it('it comes to rest, and after a restart of all everything runs as wanted', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 25 }),
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 3 }),
        (steps, dice, taskCount) => {
          const model = new Model(() => dice.next().value as number)
          for (const it of steps) {
            const want: Wanted = model.want ?? wanted({ taskConfigs: [] })
            if (it.kind === 'config') model.want = { ...want, config: { ...config, 'tasks.max': String(it.taskCount) } }
            else if (it.kind === 'target')
              model.want = { ...want, targetState: it.target, ...(it.target === 'STOPPED' ? { taskConfigs: [] } : {}) }
            else if (it.kind === 'remove') model.want = undefined
            else if (it.kind === 'inconsistent') model.want = { ...want, isInconsistent: true }
            else if (it.kind === 'crash' && model.held.thread !== 'none')
              model.apply({ kind: 'thread-gone', trace: it.own ? 'crash' : null })
            else if (it.kind === 'fail') model.apply({ kind: 'task', task: it.task, state: 'FAILED', trace: 'x' })
            else if (it.kind === 'restart')
              model.apply(wish({ restartsConnector: it.connector, restartsTasks: new Set(it.tasks), isMarked: it.mark }))
            else if (it.kind === 'replan') model.apply(wish({ replans: true }))
            else if (it.kind === 'settle') model.settle(it.failing)
          }
          model.settle(false)
          const { wishes } = model.held
          // Wishes for what is not there wait for it.
          expect([wishes.restartsConnector, wishes.isMarked]).toEqual([false, false])
          const taskCountNow = model.want?.taskConfigs.length ?? 0
          expect([...wishes.restartsTasks].filter((task) => task < taskCountNow)).toEqual([])
          model.want = {
            ...(model.want ?? wanted({ taskConfigs: [] })),
            targetState: 'STARTED',
            config: { ...config, 'tasks.max': String(taskCount) },
          }
          model.apply({ kind: 'wait-over' })
          model.settle(false)
          model.apply(wish({ restartsConnector: true, restartsTasks: new Set([0, 1, 2].slice(0, taskCount)), isMarked: true }))
          model.settle(false)
          expect(model.held.connector.state).toBe('RUNNING')
          expect(new Map([...model.held.tasks].map(([task, { state }]) => [task, state]))).toEqual(
            new Map(Array.from({ length: taskCount }, (_, task) => [task, 'RUNNING'])),
          )
          expect(model.held.thread).not.toBe('none')
          model.want = undefined
          model.settle(false)
          expect(model.isForgotten).toBe(true)
        },
      ),
      { numRuns: process.env['MILLRACE_LONG'] === undefined ? 2_000 : 50_000 },
    )
  })
})
