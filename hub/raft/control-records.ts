/**
 * @module raft/control-records — the control records of the metadata log and its snapshots (KIP-595, KIP-630, KIP-853).
 *
 * A log that Kafka formatted with `--standalone` says in control records who votes (`kraft.version` 1). This room reads them, so
 * that it never leads where others vote, and carries them into its snapshots; a log of its own has none (`kraft.version` 0), since
 * changing voters is not served.
 */
import {
  ControlType,
  type DecodedBatch,
  decodeControlKey,
  encodeBatch,
  encodeControlBatch,
  KRaftVersionRecord,
  LeaderChangeMessage,
  type Message,
  Reader,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
  Writer,
} from '../wire/index.ts'

/** One voter of a VotersRecord. */
type Voter = (typeof VotersRecord.decoded)['voters'][number]

/** What control records say of the quorum; voters are undefined where the log leaves them to the configuration. */
export interface QuorumFacts {
  readonly kraftVersion: number
  readonly voters: readonly Voter[] | undefined
}

export const STATIC_QUORUM: QuorumFacts = { kraftVersion: 0, voters: undefined }

/** The facts after a control batch; other control records change nothing. */
export function applyControlBatch(facts: QuorumFacts, batch: DecodedBatch): QuorumFacts {
  let next = facts
  for (const { key, value } of batch.records) {
    if (value === null) continue
    const { type } = decodeControlKey(key)
    if (type === ControlType.KRAFT_VERSION) next = { ...next, kraftVersion: KRaftVersionRecord.decode(new Reader(value), 0).kRaftVersion }
    else if (type === ControlType.KRAFT_VOTERS) next = { ...next, voters: VotersRecord.decode(new Reader(value), 0).voters }
  }
  return next
}

/** Time of the last record that a snapshot covers, from its first batch; undefined when that is no snapshot header. */
export function snapshotHeaderTimestampMs(batch: DecodedBatch): number | undefined {
  const [record] = batch.records
  if (!batch.isControl || record === undefined || record.value === null) return undefined
  if (decodeControlKey(record.key).type !== ControlType.SNAPSHOT_HEADER) return undefined
  return SnapshotHeaderRecord.decode(new Reader(record.value), 0).lastContainedLogTimestamp
}

/** Whether the batch closes a snapshot. */
export function isSnapshotFooter(batch: DecodedBatch): boolean {
  const record = batch.records[0]
  return batch.isControl && record !== undefined && decodeControlKey(record.key).type === ControlType.SNAPSHOT_FOOTER
}

/** The first batch of an epoch. */
export function encodeLeaderChange(options: {
  readonly leaderId: number
  readonly voters: readonly number[]
  readonly grantingVoters: readonly number[]
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly timestampMs: number
}): Buffer {
  const { leaderId, voters, grantingVoters, ...batch } = options
  const value = encoded(LeaderChangeMessage, {
    version: 0,
    leaderId,
    voters: voters.map((voterId) => ({ voterId })),
    grantingVoters: grantingVoters.map((voterId) => ({ voterId })),
  })
  return encodeControlBatch({ ...batch, type: ControlType.LEADER_CHANGE, value })
}

/** The first batch of a snapshot: its header, and the quorum's facts where the log has them. */
export function encodeSnapshotHeader(facts: QuorumFacts, lastContainedMs: number, leaderEpoch: number, timestampMs: number): Buffer {
  const header = encoded(SnapshotHeaderRecord, { version: 0, lastContainedLogTimestamp: lastContainedMs })
  const records: { type: number; value: Buffer }[] = [{ type: ControlType.SNAPSHOT_HEADER, value: header }]
  if (facts.kraftVersion > 0) {
    records.push({ type: ControlType.KRAFT_VERSION, value: encoded(KRaftVersionRecord, { version: 0, kRaftVersion: facts.kraftVersion }) })
  }
  if (facts.voters !== undefined) {
    records.push({ type: ControlType.KRAFT_VOTERS, value: encoded(VotersRecord, { version: 0, voters: [...facts.voters] }) })
  }
  return encodeBatch({
    baseOffset: 0,
    leaderEpoch,
    control: true,
    records: records.map(({ type, value }) => ({ key: controlKey(type), value, timestampMs })),
  })
}

/** The last batch of a snapshot. */
export function encodeSnapshotFooter(baseOffset: number, leaderEpoch: number, timestampMs: number): Buffer {
  const value = encoded(SnapshotFooterRecord, { version: 0 })
  return encodeControlBatch({ type: ControlType.SNAPSHOT_FOOTER, value, baseOffset, leaderEpoch, timestampMs })
}

function controlKey(type: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(type, 2)
  return key
}

/** All control records are written in version 0: they precede kraft.version 1, or have no other. */
function encoded<D, I>(message: Message<D, I>, value: I): Buffer {
  const writer = new Writer()
  message.encode(value, 0, writer)
  return writer.toBuffer()
}
