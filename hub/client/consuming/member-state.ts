/**
 * @module client/consuming/member-state — where a member of a KIP-848 group stands. Pure.
 *
 * ```
 *             target                   owned                        steady
 *   joining ─────────▶ reconciling ───────────▶ acknowledging ──────────────▶ stable
 *      │ ▲    steady      ▲  ▲                       │ target                  │ target
 *      │ │  ─────▶ stable │  └───────────────────────┘                         │
 *      │ │                └────────────────────────────────────────────────────┘
 *      │ └──── released ──── fenced (the group went on without it) and stale (it left because nobody polled)
 *      ▼
 *   left, fatal: from everywhere
 * ```
 * `target` and `steady` are what a heartbeat's answer says: that this member should own something else than it does, or not.
 * `owned` says that it has given up and taken over; the next heartbeat tells the group, and its answer ends `acknowledging`.
 */

/** Where the member stands. */
export type MemberStatus = 'joining' | 'reconciling' | 'acknowledging' | 'stable' | 'fenced' | 'stale' | 'left' | 'fatal'

/** What happens to it. */
export type MemberEvent = 'target' | 'steady' | 'owned' | 'fenced' | 'expired' | 'released' | 'leave' | 'fatal'

/** Status and event to the next status; null: a fault of this program. */
export const MEMBER_TABLE: Readonly<Record<MemberStatus, Readonly<Record<MemberEvent, MemberStatus | null>>>> = {
  joining: {
    target: 'reconciling',
    steady: 'stable',
    owned: null,
    fenced: 'fenced',
    expired: 'stale',
    released: null,
    leave: 'left',
    fatal: 'fatal',
  },
  reconciling: {
    target: 'reconciling',
    steady: 'stable',
    owned: 'acknowledging',
    fenced: 'fenced',
    expired: 'stale',
    released: null,
    leave: 'left',
    fatal: 'fatal',
  },
  acknowledging: {
    target: 'reconciling',
    steady: 'stable',
    owned: 'acknowledging',
    fenced: 'fenced',
    expired: 'stale',
    released: null,
    leave: 'left',
    fatal: 'fatal',
  },
  stable: {
    target: 'reconciling',
    steady: 'stable',
    owned: null,
    fenced: 'fenced',
    expired: 'stale',
    released: null,
    leave: 'left',
    fatal: 'fatal',
  },
  // What was on its way when the member went out of the group says nothing about the next time.
  fenced: {
    target: 'fenced',
    steady: 'fenced',
    owned: 'fenced',
    fenced: 'fenced',
    expired: 'fenced',
    released: 'joining',
    leave: 'left',
    fatal: 'fatal',
  },
  stale: {
    target: 'stale',
    steady: 'stale',
    owned: 'stale',
    fenced: 'stale',
    expired: 'stale',
    released: 'joining',
    leave: 'left',
    fatal: 'fatal',
  },
  left: {
    target: 'left',
    steady: 'left',
    owned: 'left',
    fenced: 'left',
    expired: 'left',
    released: 'left',
    leave: 'left',
    fatal: 'left',
  },
  fatal: {
    target: 'fatal',
    steady: 'fatal',
    owned: 'fatal',
    fenced: 'fatal',
    expired: 'fatal',
    released: 'fatal',
    leave: 'left',
    fatal: 'fatal',
  },
}

/** The status after an event. Throws for one that cannot happen. */
export function nextStatus(status: MemberStatus, event: MemberEvent): MemberStatus {
  const next = MEMBER_TABLE[status][event]
  if (next === null) throw new Error(`a member that is ${status} has no ${event}`)
  return next
}

/** Whether heartbeats go out. */
export function isInGroup(status: MemberStatus): boolean {
  return status === 'joining' || status === 'reconciling' || status === 'acknowledging' || status === 'stable'
}

/** A partition by its topic's id, which is how the group names it. */
export interface OwnedPartition {
  readonly topicId: string
  readonly topic: string
  readonly partition: number
}

/** A share of partitions as heartbeats carry it. */
export type Share = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

/** What changes hands between what is owned and a target. */
export interface Difference {
  readonly revoked: readonly OwnedPartition[]
  readonly added: readonly OwnedPartition[]
  /** What is owned afterwards. */
  readonly next: readonly OwnedPartition[]
  /** Topics of the target whose names are not known (yet): they wait. */
  readonly unknownIds: readonly string[]
}

/** What has to be given up and taken over to get from `owned` to `target`. */
export function differenceOf(owned: readonly OwnedPartition[], target: Share, nameOf: (topicId: string) => string | undefined): Difference {
  const unknownIds: string[] = []
  const next: OwnedPartition[] = []
  // What is owned keeps its name, whatever metadata has forgotten since.
  const known = new Map(owned.map(({ topicId, topic }) => [topicId, topic]))
  for (const { topicId, partitions } of target) {
    const topic = known.get(topicId) ?? nameOf(topicId)
    if (topic === undefined) unknownIds.push(topicId)
    else for (const partition of partitions) next.push({ topicId, topic, partition })
  }
  const keyOf = ({ topicId, partition }: OwnedPartition): string => `${topicId}:${partition}`
  const before = new Set(owned.map(keyOf))
  const after = new Set(next.map(keyOf))
  return {
    revoked: owned.filter((at) => !after.has(keyOf(at))),
    added: next.filter((at) => !before.has(keyOf(at))),
    next,
    unknownIds,
  }
}

/** The share as a heartbeat carries it, in an order that makes equal shares equal texts. */
export function shareOf(owned: readonly OwnedPartition[]): Share {
  return [...Map.groupBy(owned, ({ topicId }) => topicId)]
    .map(([topicId, list]) => ({ topicId, partitions: list.map(({ partition }) => partition).sort((one, other) => one - other) }))
    .sort((one, other) => (one.topicId < other.topicId ? -1 : 1))
}
