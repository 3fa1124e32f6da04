/**
 * Text scenarios for the classic group's state machine: commands in, trace out.
 *
 * A file is a list of blocks: lines of commands, `----`, then what happened. `UPDATE_GOLDEN=1` writes the second half anew, to be
 * reviewed as a diff. Commands take `key=value` words:
 *
 *   rules delay=3000 max=5 pending=2          settings of the machine
 *   join as=a [id=a-1] [instance=i] [v=9] [offers=range:t1,sticky:t1] [type=consumer] [session=10000] [rebalance=60000]
 *   sync id=a-1 gen=1 [assign=a-1:p0,b-2:p1] [instance=i] [type=…] [protocol=…]
 *   heartbeat | commit  id=a-1 gen=1 [instance=i]
 *   leave ids=a-1,b-2 | leave instances=i,j
 *   stored [error=16]                         the oldest record under way is stored, or not
 *   disconnect ticket=1                       the connection of a waiting request closes
 *   advance 3000                              time passes, timers fire
 *   created | loaded | deleted | unloaded     the event of that name
 *   reload                                    a crash: the group is what the last stored record says
 */
import { step } from '../../hub/group/classic.ts'
import { emptyGroup, groupFromMetadata } from '../../hub/group/machine.ts'
import type { GroupEffect, GroupEvent, GroupMetadata, GroupState, JoinAnswer } from '../../hub/group/machine.ts'
import type { Protocol } from '../../hub/group/member.ts'
import { errorName } from '../../hub/wire/index.ts'

type Words = ReadonlyMap<string, string>

const START_MS = 1_700_000_000_000

/** Runs a scenario and returns it with the outcome it had now. */
export function runScenario(text: string): string {
  const world = new World()
  return `${text
    .trimEnd()
    .split(/\n{2,}/)
    .map((block) => runBlock(block, world))
    .join('\n\n')}\n`
}

function runBlock(block: string, world: World): string {
  const input = block.split('\n----')[0] ?? ''
  const commands = input.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  if (commands.length === 0) return input
  const trace = commands.flatMap((line) => world.run(line))
  return [input, '----', ...trace, world.summary()].join('\n')
}

/** One group with its clock, timers and log. */
class World {
  #state: GroupState = emptyGroup('g', START_MS)
  #nowMs = START_MS
  #rules = { initialRebalanceDelayMs: 3000, memberCountMax: 1000, pendingMemberCountMax: 100, newMemberJoinTimeoutMs: 300_000 }
  #timers = new Map<string, { dueMs: number; event: GroupEvent }>()
  #underWay: { token: number; metadata: GroupMetadata }[] = []
  #log: GroupMetadata | null = null
  #tickets = 0
  #ids = 0

  /** Runs one command and returns the lines of its trace. */
  run(line: string): string[] {
    const [name = '', ...rest] = line.split(' ')
    const words: Words = new Map(rest.map((word) => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]))
    switch (name) {
      case 'rules':
        this.#rules = {
          ...this.#rules,
          initialRebalanceDelayMs: Number(words.get('delay') ?? this.#rules.initialRebalanceDelayMs),
          memberCountMax: Number(words.get('max') ?? this.#rules.memberCountMax),
          pendingMemberCountMax: Number(words.get('pending') ?? this.#rules.pendingMemberCountMax),
        }
        return []
      case 'advance':
        return this.#advance(Number(rest[0]))
      case 'stored':
        return this.#stored(Number(words.get('error') ?? 0))
      case 'reload':
        this.#timers.clear()
        this.#underWay = []
        this.#state = this.#log === null ? emptyGroup('g', this.#nowMs) : groupFromMetadata('g', this.#log)
        return this.#apply({ type: 'loaded' })
      case 'disconnect':
        return this.#apply({ type: 'disconnected', ticket: Number(words.get('ticket')) })
      case 'created':
      case 'loaded':
      case 'deleted':
      case 'unloaded':
        return this.#apply({ type: name })
      default:
        return this.#apply(this.#request(name, words))
    }
  }

  /** The group and what waits, in one or two lines. */
  summary(): string {
    const { phase, generationId, leaderId, protocolName, members, pendingMemberIds, pendingSyncIds } = this.#state
    const shown = [...members.values()].map((member) => {
      const marks = [
        member.groupInstanceId === null ? '' : `@${member.groupInstanceId}`,
        member.joinTicket === null ? '' : ' joining',
        member.syncTicket === null ? '' : ' syncing',
      ]
      return `${member.memberId}${marks.join('')}${member.assignment.length === 0 ? '' : ` has ${member.assignment.toString()}`}`
    })
    const parts = [
      `= ${phase} generation ${generationId}`,
      leaderId === null ? '' : `leader ${leaderId}`,
      protocolName === null ? '' : `protocol ${protocolName}`,
      `members [${shown.join(', ')}]`,
      pendingMemberIds.size === 0 ? '' : `promised [${[...pendingMemberIds].join(', ')}]`,
      pendingSyncIds.size === 0 ? '' : `to sync [${[...pendingSyncIds].join(', ')}]`,
      this.#underWay.length === 0 ? '' : `records under way ${this.#underWay.length}`,
      `timers [${[...this.#timers].map(([name, { dueMs }]) => `${name} +${dueMs - this.#nowMs}`).join(', ')}]`,
    ]
    return parts.filter((part) => part !== '').join(', ')
  }

  #request(name: string, words: Words): GroupEvent {
    const ticket = ++this.#tickets
    const claim = {
      memberId: words.get('id') ?? '',
      groupInstanceId: words.get('instance') ?? null,
      generationId: Number(words.get('gen') ?? -1),
    }
    if (name === 'join') return this.#join(words, ticket)
    if (name === 'heartbeat') return { type: 'heartbeat', ticket, ...claim }
    if (name === 'commit' || name === 'txn-commit') return { type: 'commit', ticket, ...claim, isTransactional: name === 'txn-commit' }
    if (name === 'sync') {
      const assignments = pairs(words.get('assign')).map(([memberId, given]) => ({ memberId, assignment: Buffer.from(given) }))
      return {
        type: 'sync',
        ticket,
        ...claim,
        protocolType: words.get('type') ?? null,
        protocolName: words.get('protocol') ?? null,
        assignments,
      }
    }
    if (name !== 'leave') throw new Error(`unknown command ${name}`)
    const byId = list(words.get('ids')).map((memberId) => ({ memberId, groupInstanceId: null, reason: null }))
    const byInstance = list(words.get('instances')).map((groupInstanceId) => ({ memberId: '', groupInstanceId, reason: 'admin' }))
    return { type: 'leave', ticket, leavers: [...byId, ...byInstance] }
  }

  #join(words: Words, ticket: number): GroupEvent {
    const version = Number(words.get('v') ?? 9)
    const protocols = pairs(words.get('offers') ?? 'range:t1').map(
      ([name, metadata]): Protocol => ({ name, metadata: Buffer.from(metadata) }),
    )
    return {
      type: 'join',
      ticket,
      memberId: words.get('id') ?? '',
      newMemberId: `${words.get('as') ?? 'x'}-${++this.#ids}`,
      groupInstanceId: words.get('instance') ?? null,
      clientId: words.get('as') ?? 'x',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: Number(words.get('session') ?? 10_000),
      rebalanceTimeoutMs: Number(words.get('rebalance') ?? 60_000),
      protocolType: words.get('type') ?? 'consumer',
      protocols,
      reason: words.get('reason') ?? null,
      requiresKnownMemberId: version >= 4,
      supportsSkippingAssignment: version >= 9,
    }
  }

  #apply(event: GroupEvent): string[] {
    const { state, effects } = step(this.#state, event, this.#nowMs, this.#rules)
    this.#state = state
    return effects.flatMap((effect) => this.#perform(effect))
  }

  #perform(effect: GroupEffect): string[] {
    switch (effect.type) {
      case 'setTimer':
        this.#timers.set(effect.name, { dueMs: this.#nowMs + effect.delayMs, event: effect.event })
        return []
      case 'cancelTimer':
        this.#timers.delete(effect.name)
        return []
      case 'persist': {
        this.#underWay.push(effect)
        const { generationId, members } = effect.metadata
        return [
          `persist generation ${generationId} [${members.map((member) => `${member.memberId}:${member.assignment.toString()}`).join(', ')}]`,
        ]
      }
      case 'log':
        return [`log ${effect.message}`]
      case 'answerJoin':
        return [`#${effect.ticket} join ${joinText(effect.answer)}`]
      case 'answerSync':
        return [
          `#${effect.ticket} sync ${errorName(effect.answer.errorCode)} ${effect.answer.protocolName ?? '-'} «${effect.answer.assignment.toString()}»`,
        ]
      case 'answerLeave': {
        const members = effect.answer.members.map(
          (member) => `${member.memberId === '' ? member.groupInstanceId : member.memberId} ${errorName(member.errorCode)}`,
        )
        return [
          `#${effect.ticket} leave ${errorName(effect.answer.errorCode)} [${members.join(', ')}]${effect.token === null ? '' : ' once stored'}`,
        ]
      }
      default:
        return [`#${effect.ticket} ${effect.type === 'answerCommit' ? 'commit' : 'heartbeat'} ${errorName(effect.errorCode)}`]
    }
  }

  #advance(durationMs: number): string[] {
    const untilMs = this.#nowMs + durationMs
    const trace: string[] = []
    for (;;) {
      const [next] = [...this.#timers].filter(([, timer]) => timer.dueMs <= untilMs).sort(([, a], [, b]) => a.dueMs - b.dueMs)
      if (next === undefined) break
      const [name, { dueMs, event }] = next
      this.#timers.delete(name)
      this.#nowMs = dueMs
      trace.push(`${name} timer fires`, ...this.#apply(event))
    }
    this.#nowMs = untilMs
    return trace
  }

  #stored(errorCode: number): string[] {
    const next = this.#underWay.shift()
    if (next === undefined) throw new Error('no record is under way')
    if (errorCode === 0) this.#log = next.metadata
    return this.#apply({ type: 'stored', token: next.token, errorCode })
  }
}

function joinText(answer: JoinAnswer): string {
  if (answer.errorCode !== 0) return `${errorName(answer.errorCode)} «${answer.memberId}»`
  const members = answer.members.map((member) => `${member.memberId}:${member.metadata.toString()}`)
  const skip = answer.skipAssignment ? ' skipping the assignment' : ''
  return `${answer.memberId} generation ${answer.generationId} ${answer.protocolName} leader ${answer.leaderId}${skip} [${members.join(', ')}]`
}

function list(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',')
}

function pairs(text: string | undefined): [string, string][] {
  return list(text).map((each) => [each.split(':')[0] ?? '', each.slice(each.indexOf(':') + 1)])
}
