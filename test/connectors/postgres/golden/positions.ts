/** @module test/connectors/postgres/golden/positions — what must hold for the keys of a position that are ours, through a whole run. */

/** Says what is wrong with the positions of records in the order in which they came. */
export function positionFaults(offsets: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const faults: string[] = []
  let [commitLsn, ordinal] = [-1, -1]
  for (const [at, offset] of offsets.entries()) {
    const place = `record ${at + 1}`
    // While a snapshot goes on there is no transaction to be in the middle of.
    if (offset['snapshot'] !== undefined) continue
    const [commit, index, change] = [offset['millrace_commit_lsn'], offset['millrace_ordinal'], offset['lsn']]
    if (typeof commit !== 'number' || typeof index !== 'number') {
      faults.push(`${place} has no position of ours: ${JSON.stringify(offset)}`)
      continue
    }
    // A heartbeat may stand at the end of a transaction, which is no change.
    const isChange = typeof change === 'number' && typeof offset['messageType'] === 'string' && offset['messageType'] !== 'COMMIT'
    if (isChange && commit <= change) faults.push(`${place}: its change at ${change} is not before its commit at ${commit}`)
    if (commit < commitLsn || (commit === commitLsn && index < ordinal)) {
      faults.push(`${place}: ${commit}, ${index} comes before ${commitLsn}, ${ordinal} of the record before`)
    }
    ;[commitLsn, ordinal] = [commit, index]
  }
  return faults
}
