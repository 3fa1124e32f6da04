/** Members come, sync and go while the log is slow or refuses, and the process dies at any point: who was told its assignment finds it again. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ErrorCode, LeaveGroup } from '../../hub/wire/index.ts'
import { beat, caller, describeGroup, harness, joinRequest, listedGroups, request, syncRequest } from './harness.ts'
import { decodeRecord } from '../../hub/group/records.ts'
import type { Harness } from './harness.ts'

const RUNS = process.env['MILLRACE_LONG'] === undefined ? 60 : 2000
const GROUP = 'g'
const SESSION_MS = 10_000

/** One client: what it knows of itself, and whether a request of it waits. */
interface Actor {
  readonly instanceId: string | null
  memberId: string
  generationId: number
  leads: boolean
  members: readonly string[]
  isAssigned: boolean
  isAsking: boolean
}

type Action =
  | { readonly kind: 'go' | 'leave' | 'restart'; readonly who: number }
  | { readonly kind: 'all' | 'hold' | 'release' | 'refuse' | 'accept' | 'wait' | 'silence' | 'crash' }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('go' as const), who: fc.nat(3) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('all' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'restart' as const), who: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['hold', 'release', 'release', 'refuse', 'accept', 'accept', 'wait', 'wait', 'silence', 'crash'] as const).map((kind) => kind),
      ),
    }),
  },
)

/** Two dynamic members and two static ones, over one coordinator after another. */
class Run {
  of: Harness
  toldCount = 0
  readonly actors: Actor[] = [null, null, 'i', 'j'].map((instanceId) => ({ instanceId, ...NOBODY }))
  /** member id → the newest generation and assignment that it was told in a SyncGroup answer. */
  readonly #told = new Map<string, { readonly generationId: number; readonly assignment: string }>()
  #pending: Promise<unknown>[] = []
  #dealt = 0

  constructor(of: Harness) {
    this.of = of
  }

  async act(next: Action): Promise<void> {
    switch (next.kind) {
      case 'go':
        this.#go(this.#actor(next.who))
        break
      case 'all':
        for (const actor of this.actors) this.#go(actor)
        break
      case 'leave':
        this.#leave(this.#actor(next.who))
        break
      case 'restart': {
        // The client forgets who it was; a static one gets its place back by its instance id.
        const actor = this.#actor(next.who)
        if (!actor.isAsking) Object.assign(actor, NOBODY)
        break
      }
      case 'hold':
        this.of.topic.holdAppends()
        break
      case 'release':
        this.of.topic.releaseAppends()
        break
      case 'refuse':
      case 'accept':
        this.of.topic.failAppends(next.kind === 'refuse' ? ErrorCode.NOT_ENOUGH_REPLICAS : 0)
        break
      case 'wait':
        await this.of.clock.advance(SESSION_MS / 4)
        break
      case 'silence':
        await this.of.clock.advance(60_000)
        break
      case 'crash':
        await this.crash()
    }
    await this.of.clock.advance(0)
  }

  /** Another process reads the log: what was told stands there, and a member of the generation that is found gets its assignment again. */
  async crash(): Promise<void> {
    const after = await this.of.restart()
    await this.close()
    this.of = after
    const generations = this.#log()
    for (const [memberId, { generationId, assignment }] of this.#told) {
      const written = generations.flatMap((each) => (each.generationId === generationId ? [each.assignments.get(memberId)] : []))
      expect(written, `${memberId} of generation ${generationId}`).toContain(assignment)
    }
    const last = generations.at(-1)
    for (const [memberId, assignment] of last?.assignments ?? []) {
      const answer = await after.groups.syncGroup(syncRequest(GROUP, memberId, last?.generationId ?? -1), caller(3))
      expect([answer.errorCode, answer.assignment?.toString()]).toEqual([0, assignment])
    }
    this.toldCount += this.#told.size
    this.#told.clear()
  }

  /** The generations of the log, with who was assigned what. */
  #log(): { readonly generationId: number; readonly assignments: ReadonlyMap<string, string> }[] {
    return this.of.topic.records(0).flatMap(({ key, value }) => {
      const record = decodeRecord(key ?? Buffer.alloc(0), value)
      if (record.kind !== 'group' || record.value === null) return []
      const { generationId, members } = record.value
      return [{ generationId, assignments: new Map(members.map((member) => [member.memberId, member.assignment.toString()])) }]
    })
  }

  /** Every request gets its answer, whatever happens. */
  async close(): Promise<void> {
    this.of.topic.failAppends(ErrorCode.NOT_ENOUGH_REPLICAS)
    this.of.topic.releaseAppends()
    await this.of.groups.close()
    await Promise.all(this.#pending)
    this.#pending = []
    expect(this.actors.map(({ isAsking }) => isAsking)).toEqual(this.actors.map(() => false))
  }

  #actor(who: number): Actor {
    return this.actors[who % this.actors.length] ?? { instanceId: null, ...NOBODY }
  }

  #ask(actor: Actor, request: Promise<void>): void {
    actor.isAsking = true
    this.#pending.push(
      request.finally(() => {
        actor.isAsking = false
      }),
    )
  }

  /** What a client does next: join, ask for its assignment, or see whether it has to join again. */
  #go(actor: Actor): void {
    if (actor.isAsking) return
    if (actor.generationId < 0) this.#join(actor)
    else if (actor.isAssigned) this.#beat(actor)
    else this.#sync(actor)
  }

  #beat(actor: Actor): void {
    const { memberId, generationId, instanceId } = actor
    const beating = beat(this.of, GROUP, memberId, generationId, instanceId).then((errorCode) => {
      if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) actor.generationId = -1
      else if (errorCode !== 0) Object.assign(actor, NOBODY, { isAsking: true })
    })
    this.#ask(actor, beating)
  }

  #join(actor: Actor): void {
    const change = { sessionTimeoutMs: SESSION_MS, groupInstanceId: actor.instanceId }
    this.#ask(
      actor,
      this.of.groups.joinGroup(joinRequest(9, GROUP, actor.memberId, change), caller(9)).then((answer) => {
        if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) actor.memberId = answer.memberId
        else if (answer.errorCode !== 0) Object.assign(actor, NOBODY, { isAsking: true })
        else
          Object.assign(actor, {
            memberId: answer.memberId,
            generationId: answer.generationId,
            leads: answer.leader === answer.memberId && answer.skipAssignment !== true,
            members: answer.members.map(({ memberId }) => memberId),
            isAssigned: false,
          })
      }),
    )
  }

  #sync(actor: Actor): void {
    const { memberId, generationId } = actor
    const deal = ++this.#dealt
    const assignments = actor.leads ? Object.fromEntries(actor.members.map((id) => [id, `${generationId}.${deal} ${id}`])) : {}
    const of = this.of
    this.#ask(
      actor,
      of.groups.syncGroup(syncRequest(GROUP, memberId, generationId, assignments, actor.instanceId), caller(3)).then((answer) => {
        if (answer.errorCode !== 0) actor.generationId = -1
        else {
          actor.isAssigned = true
          this.#told.set(memberId, { generationId, assignment: answer.assignment?.toString() ?? '' })
        }
      }),
    )
  }

  #leave(actor: Actor): void {
    if (actor.isAsking || actor.memberId === '') return
    const { memberId, instanceId: groupInstanceId } = actor
    const leaving = request(LeaveGroup, 5, { groupId: GROUP, members: [{ memberId, groupInstanceId, reason: null }] })
    this.#ask(
      actor,
      this.of.groups.leaveGroup(leaving, caller(5)).then(() => {
        Object.assign(actor, NOBODY, { isAsking: true })
      }),
    )
  }
}

const NOBODY = { memberId: '', generationId: -1, leads: false, members: [] as readonly string[], isAssigned: false, isAsking: false }

it('an assignment that was told is in the log, and every request is answered', async () => {
  let toldCount = 0
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }), async (actions) => {
      const run = new Run(await harness({ partitionCount: 1 }))
      for (const next of actions) await run.act(next)
      await run.crash()
      // What is read once is read again alike.
      const again = await run.of.restart()
      expect(await listedGroups(again)).toEqual(await listedGroups(run.of))
      expect(await describeGroup(again, GROUP)).toEqual(await describeGroup(run.of, GROUP))
      await again.groups.close()
      await run.close()
      expect(run.of.clock.timerCount).toBe(0)
      toldCount += run.toldCount
    }),
    { numRuns: RUNS },
  )
  expect(toldCount).toBeGreaterThan(RUNS)
})
