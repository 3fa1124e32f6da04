/** Random events never throw, and the group keeps its invariants whatever comes. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { step } from '../../hub/group/classic.ts'
import { emptyGroup } from '../../hub/group/machine.ts'
import type { GroupEffect, GroupEvent, GroupState } from '../../hub/group/machine.ts'
import { sessionTimer } from '../../hub/group/membership.ts'

const RULES = { initialRebalanceDelayMs: 3000, memberCountMax: 4, pendingMemberCountMax: 3, newMemberJoinTimeoutMs: 300_000 }
const RUNS = process.env['MILLRACE_LONG'] === undefined ? 200 : 10_000

/** What a run does next: an event drawn from small pools, so that ids meet. */
type Action =
  | {
      readonly kind: 'join'
      readonly who: number
      readonly known: boolean
      readonly instance: string | null
      readonly version: number
      readonly offer: number
    }
  | {
      readonly kind: 'sync' | 'heartbeat' | 'commit'
      readonly isTransactional: boolean
      readonly who: number
      readonly instance: string | null
      readonly generationBack: number
    }
  | { readonly kind: 'leave'; readonly who: number; readonly instance: string | null }
  | { readonly kind: 'stored'; readonly errorCode: number }
  | { readonly kind: 'advance'; readonly durationMs: number }
  | { readonly kind: 'disconnect'; readonly which: number }
  | { readonly kind: 'created' | 'loaded' | 'deleted' }

const who = fc.nat(5)
const instance = fc.constantFrom(null, null, 'i', 'j')
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('join' as const),
      who,
      known: fc.boolean(),
      instance,
      version: fc.constantFrom(3, 5, 9),
      offer: fc.nat(3),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('sync' as const, 'heartbeat' as const, 'commit' as const),
      isTransactional: fc.boolean(),
      who,
      instance,
      generationBack: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who, instance }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('stored' as const), errorCode: fc.constantFrom(0, 0, 0, 16) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), durationMs: fc.constantFrom(0, 1000, 3000, 9000, 60_000, 400_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), which: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('created' as const, 'loaded' as const, 'deleted' as const) }) },
)

const offers = [
  [{ name: 'range', metadata: Buffer.from('1') }],
  [
    { name: 'sticky', metadata: Buffer.from('1') },
    { name: 'range', metadata: Buffer.from('1') },
  ],
  [{ name: 'range', metadata: Buffer.from('2') }],
  [{ name: 'sticky', metadata: Buffer.from('1') }],
]

/** A group, its clock and timers, and a ledger of tickets. */
class Run {
  state: GroupState = emptyGroup('g', 0)
  readonly timers = new Map<string, { dueMs: number; event: GroupEvent }>()
  readonly asked = new Set<number>()
  readonly answered = new Set<number>()
  readonly ids: string[] = ['nobody']
  #nowMs = 0
  #tickets = 0
  #tokens: number[] = []

  act(next: Action): void {
    switch (next.kind) {
      case 'advance':
        this.#advance(next.durationMs)
        return
      case 'stored': {
        const token = this.#tokens.shift()
        if (token !== undefined) this.apply({ type: 'stored', token, errorCode: next.errorCode })
        return
      }
      case 'disconnect': {
        const ticket = this.parked()[next.which]
        if (ticket !== undefined) this.apply({ type: 'disconnected', ticket })
        return
      }
      case 'created':
      case 'loaded':
      case 'deleted':
        this.apply({ type: next.kind })
        return
      default:
        this.apply(this.#request(next))
    }
  }

  apply(event: GroupEvent): void {
    const before = this.state
    const { state, effects } = step(before, event, this.#nowMs, RULES)
    this.state = state
    for (const effect of effects) this.#perform(effect)
    this.#check(before, effects)
  }

  /** Tickets that wait inside the state. */
  parked(): number[] {
    return [...this.state.members.values()].flatMap((member) => [member.joinTicket ?? [], member.syncTicket ?? []].flat())
  }

  #request(next: Exclude<Action, { kind: 'stored' | 'advance' | 'disconnect' | 'created' | 'loaded' | 'deleted' }>): GroupEvent {
    const ticket = ++this.#tickets
    this.asked.add(ticket)
    const memberId = this.ids[next.who % this.ids.length] ?? ''
    if (next.kind === 'leave')
      return {
        type: 'leave',
        ticket,
        leavers: [{ memberId: next.instance === null ? memberId : '', groupInstanceId: next.instance, reason: null }],
      }
    if (next.kind !== 'join') {
      const claim = { memberId, groupInstanceId: next.instance, generationId: this.state.generationId - next.generationBack }
      if (next.kind === 'heartbeat') return { type: 'heartbeat', ticket, ...claim }
      if (next.kind === 'commit') return { type: 'commit', ticket, ...claim, isTransactional: next.isTransactional }
      const assignments = [...this.state.members.keys()].map((id) => ({ memberId: id, assignment: Buffer.from(id) }))
      return { type: 'sync', ticket, ...claim, protocolType: null, protocolName: null, assignments }
    }
    const newMemberId = `m${ticket}`
    return {
      type: 'join',
      ticket,
      memberId: next.known ? memberId : '',
      newMemberId,
      groupInstanceId: next.instance,
      clientId: 'c',
      clientHost: '/h',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: offers[next.offer] ?? [],
      reason: null,
      requiresKnownMemberId: next.version >= 4,
      supportsSkippingAssignment: next.version >= 9,
    }
  }

  #perform(effect: GroupEffect): void {
    switch (effect.type) {
      case 'setTimer':
        this.timers.set(effect.name, { dueMs: this.#nowMs + effect.delayMs, event: effect.event })
        return
      case 'cancelTimer':
        this.timers.delete(effect.name)
        return
      case 'persist':
        this.#tokens.push(effect.token)
        return
      case 'log':
        return
      default:
        expect(this.asked, `ticket ${effect.ticket} was asked`).toContain(effect.ticket)
        expect(this.answered, `ticket ${effect.ticket} is answered once`).not.toContain(effect.ticket)
        this.answered.add(effect.ticket)
        if (effect.type === 'answerJoin' && effect.answer.memberId !== '' && !this.ids.includes(effect.answer.memberId))
          this.ids.unshift(effect.answer.memberId)
    }
  }

  #advance(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs
    for (let fired = 0; fired < 200; fired++) {
      const [next] = [...this.timers].filter(([, timer]) => timer.dueMs <= untilMs).sort(([, a], [, b]) => a.dueMs - b.dueMs)
      if (next === undefined) break
      this.timers.delete(next[0])
      this.#nowMs = Math.max(this.#nowMs, next[1].dueMs)
      this.apply(next[1].event)
    }
    this.#nowMs = untilMs
  }

  #check(before: GroupState, effects: readonly GroupEffect[]): void {
    const { phase, members, leaderId, generationId, staticMembers, pendingMemberIds, pendingSyncIds, protocolName } = this.state
    const waiting = [...this.asked].filter((ticket) => !this.answered.has(ticket))
    expect(new Set(this.parked()), 'what is not answered waits in the state').toEqual(new Set(waiting))
    expect(generationId).toBeGreaterThanOrEqual(before.generationId)
    expect(leaderId === null, 'a leader exactly where there are members').toBe(members.size === 0)
    if (leaderId !== null) expect(members.has(leaderId)).toBe(true)
    expect(members.size).toBeLessThanOrEqual(phase === 'PreparingRebalance' ? Number.POSITIVE_INFINITY : RULES.memberCountMax)
    const instances = new Map<string | null, string>([...members.values()].map((member) => [member.groupInstanceId, member.memberId]))
    instances.delete(null)
    expect(staticMembers).toEqual(instances)
    for (const id of pendingMemberIds) expect(members.has(id)).toBe(false)
    for (const id of pendingSyncIds) expect(members.has(id)).toBe(true)
    if (phase === 'Empty' || phase === 'Dead') expect(members.size).toBe(0)
    if (phase === 'Stable' || phase === 'CompletingRebalance') {
      expect(members.size).toBeGreaterThan(0)
      for (const member of members.values()) expect(member.protocols.map((protocol) => protocol.name)).toContain(protocolName)
    }
    this.#checkNobodyIsForgotten()
    for (const id of before.members.keys()) {
      if (members.has(id)) continue
      expect(
        effects.some((effect) => effect.type === 'cancelTimer' && effect.name === sessionTimer(id)),
        `${id} goes with its session`,
      ).toBe(true)
    }
  }

  /** Whoever does not wait for us has a timer that will end it, and every phase has one that will end it. */
  #checkNobodyIsForgotten(): void {
    const { phase, members, pendingMemberIds, pendingSyncIds } = this.state
    for (const member of members.values()) {
      const excused = member.joinTicket !== null || member.syncTicket !== null
      if (!excused || member.isNew)
        expect(this.timers.has(sessionTimer(member.memberId)), `session of ${member.memberId} in ${phase}`).toBe(true)
    }
    for (const id of pendingMemberIds) expect(this.timers.has(sessionTimer(id))).toBe(true)
    if (phase === 'PreparingRebalance') expect(this.timers.has('join')).toBe(true)
    if (phase === 'CompletingRebalance' && pendingSyncIds.size > 0) expect(this.timers.has('sync')).toBe(true)
    if (phase === 'Dead') expect(this.timers.size).toBe(0)
    for (const name of this.timers.keys()) {
      if (!name.startsWith('session ')) continue
      const id = name.slice('session '.length)
      expect(members.has(id) || pendingMemberIds.has(id), `timer of ${id}, who is gone`).toBe(true)
    }
  }
}

it('keeps its invariants under random events', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 1, maxLength: 80, size: 'max' }), (actions) => {
      const run = new Run()
      for (const next of actions) run.act(next)
      run.apply({ type: 'unloaded' })
      expect(run.answered, 'every ticket got its answer').toEqual(run.asked)
    }),
    { numRuns: RUNS },
  )
})

it('counts the places of static members that are away (a run that once made five of four)', () => {
  const join = (instanceId: string | null): Action => ({ kind: 'join', who: 0, known: false, instance: instanceId, version: 3, offer: 0 })
  const run = new Run()
  for (const next of [join(null), join(null), join('j'), join(null), { kind: 'disconnect', which: 2 } as const]) run.act(next)
  expect([run.state.phase, run.state.members.size]).toEqual(['PreparingRebalance', 4])
  run.act(join(null))
  expect(run.state.members.size).toBe(4)
  run.act({ kind: 'advance', durationMs: 9000 })
  run.act({ kind: 'created' })
})

it('reaches every phase', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.array(action, { minLength: 40, maxLength: 80 }), (actions) => {
      const run = new Run()
      for (const next of actions) {
        run.act(next)
        seen.add(run.state.phase)
      }
    }),
    { numRuns: 200, seed: 7 },
  )
  expect([...seen].sort()).toEqual(['CompletingRebalance', 'Dead', 'Empty', 'PreparingRebalance', 'Stable'])
})
