/** @module test/sim/follow-readers — walks with each consumer from poll to poll: whether it goes back, and what it goes past. Part of the checker; pure. */
import type { Anomaly } from './anomaly.ts'
import { type Facts, mustShow, type Sighting } from './facts.ts'
import type { History, Isolation, PartitionName, SeenRecord } from './history.ts'
import { endOf, possibleOffsets } from './offset-register.ts'

/** Where a consumer stands in a partition. */
interface Standing {
  /** Offset that comes next; undefined: what the group has committed. */
  next: number | undefined
  /** Index of the event that brought it here. */
  since: number
  readonly group: string | undefined
}

/** A record that was handed out, and where. */
interface Handed extends SeenRecord {
  readonly process: string
  readonly isolation: Isolation
  readonly event: number
}

/** Judges every poll of every consumer. */
export function* followReaders(history: History, facts: Facts): Generator<Anomaly> {
  const standings = new Map<string, Standing>()
  const key = (process: string, partition: PartitionName): string => `${process} ${partition}`
  for (const { action, process, index } of history) {
    if (action.f === 'assign') {
      const { partition, position, group } = action
      standings.set(key(process, partition), { next: position ?? (group === undefined ? 0 : undefined), since: index, group })
    } else if (action.f === 'poll') {
      for (const record of action.records) {
        const at = key(process, record.partition)
        const standing = standings.get(at) ?? { next: record.offset, since: index, group: undefined }
        standings.set(at, standing)
        yield* step(standing, { ...record, process, isolation: action.isolation, event: index }, facts)
        standing.next = record.offset + 1
        standing.since = index
      }
    }
  }
}

function* step({ next, since, group = '' }: Standing, record: Handed, facts: Facts): Generator<Anomaly> {
  const { process, partition, offset, event } = record
  if (next === undefined) {
    yield* firstStep(since, group, record, facts)
  } else if (offset < next) {
    const message = `${process} got ${partition}@${offset} where it should go on at ${next}`
    yield { kind: 'non-monotonic poll', message, events: [since, event] }
  } else {
    const passed = passedBy(record, next, facts)
    if (passed !== undefined) yield skipped(passed, since, record, facts)
  }
}

/** The first record after the group's committed offset. */
function* firstStep(since: number, group: string, record: Handed, facts: Facts): Generator<Anomaly> {
  const { process, partition, offset, event } = record
  const possible = possibleOffsets(facts.commitsOf(group, partition), since, event)
  const behind = possible.filter((commit) => commit.offset <= offset)
  const passed = behind.map((commit) => passedBy(record, Math.max(0, commit.offset), facts))
  if (passed.includes(undefined)) return
  if (passed[0] !== undefined) {
    yield skipped(passed[0], since, record, facts)
    return
  }
  const [newest] = possible.toSorted((one, other) => one.offset - other.offset)
  const message = `${process} got ${partition}@${offset} first, though group ${group} had committed ${newest?.offset}`
  yield {
    kind: 'lost committed offset',
    message,
    events: newest === undefined ? [since, event] : [newest.begin, finite(endOf(newest), since), event],
  }
}

function finite(index: number, otherwise: number): number {
  return Number.isFinite(index) ? index : otherwise
}

/** A record from `from` on that the reader should have had before this one. */
function passedBy({ partition, offset, isolation }: Handed, from: number, facts: Facts): Sighting | undefined {
  const offsets = facts.log.get(partition)
  for (let at = from; at < offset; at++) {
    const here = offsets?.get(at)
    const due = here?.find(({ value }) => {
      const sent = facts.sends.get(value)
      if (sent !== undefined && facts.mayBeCleaned(sent, at)) return false
      if (isolation === 'read_uncommitted') return sent?.outcome !== 'fail'
      return facts.reads.read_committed.has(value) || (sent !== undefined && mustShow(sent))
    })
    if (due !== undefined) return due
  }
  return undefined
}

function skipped(passed: Sighting, since: number, { process, partition, offset, event, isolation }: Handed, facts: Facts): Anomaly {
  const { reads, sends } = facts
  const isKnown = reads.read_committed.has(passed.value) || reads.read_uncommitted.has(passed.value)
  const begin = sends.get(passed.value)?.begin ?? passed.event
  const what = `${process} (${isolation}) got ${partition}@${offset} without ${passed.value} at ${passed.offset} before it`
  if (isKnown) return { kind: 'skipped poll', message: `${what}, which others got`, events: [since, passed.event, event] }
  return { kind: 'lost write', message: `${what}, which was acknowledged and nobody ever got`, events: [begin, passed.event, event] }
}
