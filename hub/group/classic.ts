/**
 * @module group/classic — the classic consumer group as a pure state machine: `step(state, event) → { state, effects }`.
 *
 * ```
 *            first join                       delay over, or everybody joined
 *   Empty ───────────────▶ PreparingRebalance ───────────────────────────────▶ CompletingRebalance
 *     ▲                      ▲   │       ▲                                        │     │
 *     │   nobody joined      │   │       │  join with news, member gone,          │     │ leader's assignment
 *     └──────────────────────┼───┘       │  no sync in time, not stored           │     │ is stored
 *                            │           └────────────────────────────────────────┘     ▼
 *                            │  leader joins, join with news, member gone             Stable
 *                            └──────────────────────────────────────────────────────────┘
 *
 *   Dead: deleted while Empty, unloaded, or never stored. Nothing leads out of it.
 *
 *                     │ Empty        PreparingRebalance   CompletingRebalance   Stable               Dead
 *   ──────────────────┼──────────────────────────────────────────────────────────────────────────────────
 *   join              │ → Preparing  wait / complete      answer / → Preparing  answer / → Preparing  refuse
 *   sync              │ refuse       refuse               wait / store          answer               refuse
 *   heartbeat         │ refuse       «rejoin»             renew                 renew                refuse
 *   commit            │ allow        judge, renew         refuse («rejoin»)     judge, renew         refuse
 *   leave             │ forget id    remove, complete     → Preparing           → Preparing          refuse
 *   created           │ store        store                –                     –                    –
 *   stored            │ note         note                 → Stable / Preparing  answer returned      –
 *   joinTimeout       │ –            complete / extend    –                     –                    –
 *   syncTimeout       │ –            –                    → Preparing           → Preparing          –
 *   sessionTimeout    │ forget id    remove, complete     → Preparing           → Preparing          –
 *   disconnected      │ –            unpark / remove      unpark                unpark               –
 *   loaded            │ –            –                    –                     sessions, → Preparing –
 *   deleted           │ → Dead       –                    –                     –                    –
 *   unloaded          │ → Dead       → Dead               → Dead                → Dead               –
 * ```
 *
 * Law: KIP-62 (timeouts), KIP-134 (initial delay), KIP-345 (static members), KIP-394 (known ids), KIP-814 (skipped assignment);
 * where they are silent, what Apache Kafka 4.3.1 does (`GroupMetadataManager`).
 */
import { ErrorCode } from '../wire/index.ts'
import { onJoin, refuseJoin } from './join.ts'
import type { GroupEffect, GroupEvent, GroupRules, GroupState, Phase, Turn } from './machine.ts'
import { onJoinTimeout, persist, rebalanceOrComplete } from './rebalance.ts'
import {
  answerCommit,
  answerHeartbeat,
  onCommit,
  onDisconnected,
  onHeartbeat,
  onLeave,
  onLoaded,
  onSessionTimeout,
  onUnloaded,
  refuseLeave,
} from './session.ts'
import { dissolve, onStored, onSync, onSyncTimeout, refuseSync } from './sync.ts'

/** What one event does to a group in one phase. */
type Handler<E extends GroupEvent> = (state: GroupState, event: E, turn: Turn) => GroupState

/** One column of the table: no event may be left out. */
type Column = { readonly [T in GroupEvent['type']]: Handler<Extract<GroupEvent, { type: T }>> }

const ignore = (state: GroupState): GroupState => state
const create = (state: GroupState, _event: unknown, turn: Turn): GroupState => persist(state, turn, { kind: 'created' })
const die = (state: GroupState, _event: unknown, turn: Turn): GroupState => dissolve(state, turn)
const giveUp = (state: GroupState, _event: unknown, turn: Turn): GroupState => onUnloaded(state, turn)
const upgrade = (state: GroupState, _event: unknown, turn: Turn): GroupState => onUnloaded(state, turn, ErrorCode.REBALANCE_IN_PROGRESS)
const rebalance = (state: GroupState, event: { readonly reason: string }, turn: Turn): GroupState =>
  rebalanceOrComplete(state, turn, event.reason)

/** What is the same in every phase of a living group. */
const living = {
  join: onJoin,
  sync: onSync,
  heartbeat: onHeartbeat,
  commit: onCommit,
  leave: onLeave,
  stored: onStored,
  sessionTimeout: onSessionTimeout,
  disconnected: onDisconnected,
  unloaded: giveUp,
  upgraded: upgrade,
} as const

const table: Readonly<Record<Phase, Column>> = {
  Empty: { ...living, created: create, joinTimeout: ignore, syncTimeout: ignore, loaded: ignore, deleted: die, downgraded: ignore },
  PreparingRebalance: {
    ...living,
    created: create,
    joinTimeout: (state, _event, turn) => onJoinTimeout(state, turn),
    syncTimeout: ignore,
    loaded: ignore,
    deleted: ignore,
    downgraded: rebalance,
  },
  CompletingRebalance: {
    ...living,
    created: ignore,
    joinTimeout: ignore,
    syncTimeout: onSyncTimeout,
    loaded: ignore,
    deleted: ignore,
    downgraded: rebalance,
  },
  Stable: {
    ...living,
    created: ignore,
    joinTimeout: ignore,
    syncTimeout: onSyncTimeout,
    loaded: (state, _event, turn) => onLoaded(state, turn),
    deleted: ignore,
    downgraded: rebalance,
  },
  Dead: {
    join: refuseJoin,
    sync: (state, event, turn) => refuseSync(state, event, turn, ErrorCode.COORDINATOR_NOT_AVAILABLE),
    heartbeat: (state, event, turn) => answerHeartbeat(state, event, turn, ErrorCode.COORDINATOR_NOT_AVAILABLE),
    commit: (state, event, turn) => answerCommit(state, event, turn, ErrorCode.COORDINATOR_NOT_AVAILABLE),
    leave: refuseLeave,
    created: ignore,
    stored: ignore,
    joinTimeout: ignore,
    syncTimeout: ignore,
    sessionTimeout: ignore,
    disconnected: ignore,
    loaded: ignore,
    deleted: ignore,
    unloaded: ignore,
    upgraded: ignore,
    downgraded: ignore,
  },
}

/** The next state, and what must be done outside, in order. */
export interface Step {
  readonly state: GroupState
  readonly effects: readonly GroupEffect[]
}

/** One event at `nowMs` (ms since the epoch). Total: every event has its cell in every phase. Never throws. */
export function step(state: GroupState, event: GroupEvent, nowMs: number, rules: GroupRules): Step {
  const turn: Turn = { nowMs, rules, effects: [] }
  const handle = table[state.phase][event.type] as Handler<GroupEvent>
  return { state: handle(state, event, turn), effects: turn.effects }
}
