/**
 * @module connector-postgres/position-acknowledgement — what the server is told to be done: never more than what stands in the offsets
 * topic (design §4).
 */
import type { CommittedOffset, SourceOffset } from '@millrace/sdk'
import type { Lsn } from './model.ts'
import { type Stored, storedOf } from './position.ts'
import type { ReplicationStream } from './replication/index.ts'

/** Up to where the server may forget, once this offset is stored; null: a snapshot that is not finished says nothing. Pure. */
export function doneLsnOf(offset: SourceOffset): Lsn | null {
  return doneLsnBy(storedOf(offset))
}

function doneLsnBy({ isSnapshotOpen, resume }: Stored): Lsn | null {
  return isSnapshotOpen || resume.kind === 'debezium' ? null : resume.commitLsn
}

/** Takes stored positions and tells the stream, when there is one. */
export class Acknowledgement {
  /** `lsn.flush.mode=manual`: somebody else tells the server. */
  readonly #isManual: boolean
  #doneLsn: Lsn = 0
  #stream: Pick<ReplicationStream, 'acknowledge'> | null = null

  constructor(isManual: boolean) {
    this.#isManual = isManual
  }

  /** `stored`: what stood in the offsets topic at the start. */
  attach(stream: Pick<ReplicationStream, 'acknowledge'>, stored: Stored | null): void {
    this.#stream = stream
    this.#tell((stored === null ? null : doneLsnBy(stored)) ?? 0)
  }

  committed(committed: readonly CommittedOffset[]): void {
    for (const { offset } of committed) this.#tell(doneLsnOf(offset) ?? 0)
  }

  /** Whether the server was told, or will not be told by us. */
  isDone(lsn: Lsn): boolean {
    return this.#isManual || lsn <= this.#doneLsn
  }

  #tell(lsn: Lsn): void {
    this.#doneLsn = Math.max(this.#doneLsn, lsn)
    if (!this.#isManual && this.#doneLsn > 0) this.#stream?.acknowledge(this.#doneLsn)
  }
}
