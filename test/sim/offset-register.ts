/**
 * @module test/sim/offset-register — a group's offset of a partition as a register. Part of the checker; pure.
 *
 * Who looks sees a value that was asked for, and none that had been replaced, by one that was acknowledged, before he looked. What was asked for
 * within a transaction is asked for, and acknowledged, with its commit.
 */
import type { OffsetCommit } from './facts.ts'

/** What a group has before its first commit. */
const NOTHING_COMMITTED: OffsetCommit = { offset: -1, transaction: undefined, begin: -1, outcome: 'ok', end: -1 }

/** What a look at the register between two events may have shown: the commits that may have been in force. */
export function possibleOffsets(commits: readonly OffsetCommit[], begin: number, end: number): readonly OffsetCommit[] {
  return [NOTHING_COMMITTED, ...commits].filter(
    (commit) => mayCount(commit) && beginOf(commit) < end && replacementOf(commit, commits, begin) === undefined,
  )
}

/** A commit that began after this one had ended and was in force before `seenFrom`; undefined: there is none. */
export function replacementOf(commit: OffsetCommit, commits: readonly OffsetCommit[], seenFrom: number): OffsetCommit | undefined {
  const end = endOf(commit)
  return commits.find((other) => beginOf(other) > end && endOf(other) < seenFrom)
}

/** When the commit was in force for certain: the index of an event, or infinity. */
export function endOf({ outcome, end, transaction }: OffsetCommit): number {
  if (outcome !== 'ok') return Number.POSITIVE_INFINITY
  return transaction === undefined ? end : transaction.commitEnd
}

function beginOf({ begin, transaction }: OffsetCommit): number {
  return transaction === undefined ? begin : transaction.commitBegin
}

function mayCount({ outcome, transaction }: OffsetCommit): boolean {
  return outcome !== 'fail' && transaction?.status !== 'aborted'
}
