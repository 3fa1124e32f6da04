/**
 * @module test/sim/checker — finds in a history what a log of Kafka's must never do. Pure; knows no broker.
 *
 * In the spirit of Jepsen's Kafka workload. Each finding follows from the history alone, whatever became of the operations whose outcome nobody
 * knows: they may have happened or not, but for good, whole, and everywhere alike.
 *
 * | kind | what was seen |
 * |---|---|
 * | lost write | acknowledged (and committed), but a reader went past its place and nobody ever got it, or it is not in the log at the end |
 * | lost read | somebody had read it, and it is not in the log at the end |
 * | unknown value | nobody sent it |
 * | duplicate | one value at two places |
 * | inconsistent offsets | two values at one offset |
 * | reorder | two records of one producer and partition stand in the log in the other order |
 * | non-monotonic send | acknowledged offsets of one producer and partition go back |
 * | non-monotonic poll | offsets of one consumer and partition go back |
 * | skipped poll | a consumer went past a record that it should have had and that others had |
 * | aborted read | a value that certainly was not written, or of an aborted transaction, was read as committed (G1a) |
 * | precommitted read | a value was read as committed before anybody asked for the commit |
 * | torn transaction | a part of a transaction was visible, and a part is not in the log at the end |
 * | lost committed offset | a group's offset is older than one that was committed |
 * | aborted offset | a group's offset is of an aborted transaction |
 * | unknown offset | a group's offset was never asked for |
 * | processed twice | one record was the source of two committed outputs of one group |
 * | not processed | a group's offset is behind a record whose output is not there |
 */
import type { Anomaly } from './anomaly.ts'
import { Facts, mayShow, mustShow, type Sent } from './facts.ts'
import { followReaders } from './follow-readers.ts'
import type { History, Isolation, PartitionName } from './history.ts'
import { endOf, possibleOffsets, replacementOf } from './offset-register.ts'

const ISOLATIONS: readonly Isolation[] = ['read_uncommitted', 'read_committed']

/** All that is wrong with the history, in the order of the events that show it. */
export function check(history: History): Anomaly[] {
  const facts = new Facts(history)
  const found = [
    ...judgeReads(facts),
    ...judgePlaces(facts),
    ...judgeOrder(facts),
    ...judgeEnd(facts),
    ...judgeTransactions(facts),
    ...judgeOffsets(facts),
    ...judgeSources(facts),
    ...followReaders(history, facts),
  ]
  const last = ({ events }: Anomaly): number => Math.max(0, ...events)
  return found.toSorted((one, other) => last(one) - last(other))
}

/** What was read at all. */
function* judgeReads({ reads, sends }: Facts): Generator<Anomaly> {
  for (const isolation of ISOLATIONS) {
    for (const { value, partition, offset, event } of reads[isolation].values()) {
      const sent = sends.get(value)
      const where = `${value} was read at ${partition}@${offset}`
      if (sent === undefined) {
        yield { kind: 'unknown value', message: `${where}; nobody sent it`, events: [event] }
      } else if (sent.partition !== partition) {
        yield { kind: 'unknown value', message: `${where}; it was sent to ${sent.partition}`, events: [sent.begin, event] }
      } else if (!mayShow(sent, isolation)) {
        const why = sent.outcome === 'fail' ? 'its sending failed for certain' : `transaction ${sent.transaction?.name} was not committed`
        yield { kind: 'aborted read', message: `${where} (${isolation}); ${why}`, events: [sent.begin, event] }
      } else if (isolation === 'read_committed' && sent.transaction !== undefined && sent.transaction.commitBegin > event) {
        const message = `${where} (${isolation}) before anybody asked to commit transaction ${sent.transaction.name}`
        yield { kind: 'precommitted read', message, events: [sent.begin, event, sent.transaction.commitBegin] }
      }
    }
  }
}

/** Which value stands where. */
function* judgePlaces(facts: Facts): Generator<Anomaly> {
  const { log, sends } = facts
  for (const [partition, offsets] of log) {
    for (const [offset, [first, ...others]] of offsets) {
      if (first === undefined || others.length === 0) continue
      const values = [first, ...others]
      const message = `${partition}@${offset} held ${values.map(({ value }) => value).join(' and ')}`
      yield { kind: 'inconsistent offsets', message, events: values.map(({ event }) => event) }
    }
  }
  for (const { value, isWeak } of sends.values()) {
    const places = facts.placesOf(value)
    if (isWeak || places.length < 2) continue
    const message = `${value} stands at ${places.map(({ partition, offset }) => `${partition}@${offset}`).join(' and ')}`
    yield { kind: 'duplicate', message, events: places.map(({ event }) => event) }
  }
}

/** The order of one producer's records in one partition. */
function* judgeOrder(facts: Facts): Generator<Anomaly> {
  const highest = new Map<string, { placed: Sent; offset: number }>()
  const acked = new Map<string, Sent>()
  for (const sent of facts.sends.values()) {
    if (sent.isWeak) continue
    const who = `${sent.process} ${sent.partition}`
    const before = acked.get(who)
    if (before !== undefined && sent.ackedOffset >= 0 && sent.ackedOffset < before.ackedOffset) {
      const message = `${sent.process} was told ${sent.partition}@${before.ackedOffset} for ${before.value} and then @${sent.ackedOffset} for ${sent.value}`
      yield { kind: 'non-monotonic send', message, events: [before.begin, before.end, sent.begin, sent.end] }
    }
    if (sent.ackedOffset >= 0) acked.set(who, sent)
    const place = facts.placesOf(sent.value)[0]
    if (place === undefined || place.partition !== sent.partition) continue
    const top = highest.get(who)
    if (top === undefined || place.offset > top.offset) {
      highest.set(who, { placed: sent, offset: place.offset })
      continue
    }
    const message = `${sent.process} sent ${top.placed.value} before ${sent.value}; in ${sent.partition} they stand at ${top.offset} and ${place.offset}`
    yield { kind: 'reorder', message, events: [top.placed.begin, sent.begin, place.event] }
  }
}

/** What is there at the end, where everything was read. */
function* judgeEnd(facts: Facts): Generator<Anomaly> {
  const { wholeReads, sends, reads } = facts
  for (const { isolation, partition, event, values } of wholeReads) {
    for (const sent of sends.values()) {
      if (sent.partition !== partition || values.has(sent.value)) continue
      if (facts.mayBeCleaned(sent, facts.placesOf(sent.value)[0]?.offset)) continue
      const isDue = isolation === 'read_committed' ? mustShow(sent) : sent.outcome === 'ok'
      const earlier = reads[isolation].get(sent.value) ?? (isolation === 'read_uncommitted' ? facts.placesOf(sent.value)[0] : undefined)
      if (isDue) {
        const message = `${sent.value} was acknowledged${offsetText(sent)} and is not in ${partition} at the end (${isolation})`
        yield { kind: 'lost write', message, events: [sent.begin, sent.end, event] }
      } else if (earlier !== undefined) {
        const message = `${sent.value} was seen at ${partition}@${earlier.offset} and is not there at the end (${isolation})`
        yield { kind: 'lost read', message, events: [sent.begin, earlier.event, event] }
      }
    }
  }
}

function offsetText({ ackedOffset }: Sent): string {
  return ackedOffset < 0 ? '' : ` at ${ackedOffset}`
}

/** All of a transaction, or nothing. */
function* judgeTransactions(facts: Facts): Generator<Anomaly> {
  const { transactions, wholeReads, reads } = facts
  const atEnd = new Map<PartitionName, { values: ReadonlySet<string>; event: number }>()
  for (const read of wholeReads) if (read.isolation === 'read_committed') atEnd.set(read.partition, read)
  for (const { name, sends, status } of transactions.values()) {
    if (status === 'aborted') continue
    const shown = sends.find(({ value }) => reads.read_committed.has(value))
    const missing = sends.find((sent) => {
      if (sent.outcome !== 'ok' || atEnd.get(sent.partition)?.values.has(sent.value) !== false) return false
      return !facts.mayBeCleaned(sent, facts.placesOf(sent.value)[0]?.offset)
    })
    if (shown === undefined || missing === undefined) continue
    const message = `of transaction ${name} ${shown.value} was read, and ${missing.value} is not in ${missing.partition} at the end`
    const seen = reads.read_committed.get(shown.value)?.event ?? 0
    yield { kind: 'torn transaction', message, events: [shown.begin, seen, missing.begin, atEnd.get(missing.partition)?.event ?? 0] }
  }
}

/** What groups have committed, where somebody looked. */
function* judgeOffsets(facts: Facts): Generator<Anomaly> {
  for (const { group, partition, offset, begin, end } of facts.offsetsSeen) {
    const commits = facts.commitsOf(group, partition)
    if (possibleOffsets(commits, begin, end).some((commit) => commit.offset === offset)) continue
    const where = `group ${group} has ${offset < 0 ? 'nothing' : offset} for ${partition}`
    const same = commits.filter((commit) => commit.offset === offset && commit.begin < end)
    const newer =
      offset < 0 ? commits.find((commit) => endOf(commit) < begin) : same.map((commit) => replacementOf(commit, commits, begin))[0]
    if (newer !== undefined) {
      const message = `${where} though ${newer.offset} was committed afterwards and acknowledged`
      yield { kind: 'lost committed offset', message, events: [newer.begin, endOf(newer), end] }
    } else if (same[0] === undefined) {
      yield { kind: 'unknown offset', message: `${where}, which nobody asked for`, events: [end] }
    } else {
      const message = `${where}, which was asked for only in what was not committed`
      yield { kind: 'aborted offset', message, events: [same[0].begin, end] }
    }
  }
}

/** Groups that read and write in one transaction: each record has one output, no more and no less. */
function* judgeSources(facts: Facts): Generator<Anomaly> {
  const outputs = new Map<string, Sent>()
  const groups = new Map<string, PartitionName>()
  for (const { value } of facts.reads.read_committed.values()) {
    const sent = facts.sends.get(value)
    if (sent?.source === undefined) continue
    const { group, partition, offset } = sent.source
    groups.set(group, sent.partition)
    const key = `${group} ${partition} ${offset}`
    const other = outputs.get(key)
    outputs.set(key, sent)
    if (other === undefined || other.value === sent.value) continue
    const message = `group ${group} made ${other.value} and ${sent.value} of ${partition}@${offset}, and both were read as committed`
    yield { kind: 'processed twice', message, events: [other.begin, sent.begin, facts.reads.read_committed.get(sent.value)?.event ?? 0] }
  }
  for (const { group, partition, offset, end, isLast } of facts.offsetsSeen) {
    if (!isLast || !groups.has(group)) continue
    for (const [at, [here]] of facts.log.get(partition) ?? []) {
      if (here === undefined || at >= offset || outputs.has(`${group} ${partition} ${at}`)) continue
      if (!facts.reads.read_committed.has(here.value)) continue
      const message = `group ${group} has ${offset} for ${partition}, and there is no output of ${here.value} at ${at}`
      yield { kind: 'not processed', message, events: [here.event, end] }
    }
  }
}
