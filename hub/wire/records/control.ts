/**
 * @module wire/records/control — control records of ordinary partitions: key and value of a transaction marker.
 */
import { data } from '../message.ts'
import { int16, int32 } from '../schema.ts'

/**
 * Key of a control record behind its int16 version: 0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer, 5 raft
 * version, 6 voters.
 */
export const ControlRecordTypeSchema = data('ControlRecordTypeSchema', {
  versions: '0',
  fields: {
    type: int16,
  },
})

/** Value of a commit or abort marker behind its int16 version. */
export const EndTxnMarker = data('EndTxnMarker', {
  versions: '0',
  fields: {
    coordinatorEpoch: int32,
  },
})
