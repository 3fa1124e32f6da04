/**
 * @module log/preallocation — `preallocate`: the file of the segment that is written to has its full size from its start on, as one hole, and is cut to
 * its content before the next one gets anything, or when the log is closed. A kill leaves the hole to recovery, which cuts it like a torn end.
 */
import type { Segment } from './segment.ts'

/** The preallocated segment of one log, if there is one. */
export class Preallocation {
  /** Size of the next segment's file; 0: as large as its content. */
  sizeBytes = 0
  #segment: Segment | undefined

  /**
   * Before something is written to `segment`. Returns the segment that was cut: it is to be synced before anything of the new one is acknowledged,
   * since a recovery that met a hole in the middle of the log would take what follows for lost.
   */
  async prepare(segment: Segment): Promise<Segment | undefined> {
    if (this.#segment === segment) return undefined
    const cut = await this.cut()
    if (this.sizeBytes > 0 && segment.writtenBytes === 0) {
      await segment.open?.file.truncate(this.sizeBytes)
      this.#segment = segment
    }
    return cut
  }

  /** Cuts the file that is longer than its content. Returns its segment, which is to be synced. */
  async cut(): Promise<Segment | undefined> {
    const segment = this.#segment
    this.#segment = undefined
    if (segment?.open === undefined || segment.isRemoved) return undefined
    await segment.open.file.truncate(segment.writtenBytes)
    return segment
  }
}
