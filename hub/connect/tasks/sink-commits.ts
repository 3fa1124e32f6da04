/** @module connect/tasks/sink-commits — from what a sink has been given to what its group has committed. */
import type { PluginLog, SinkTask, TopicPartition, TopicPartitionOffset } from '@millrace/sdk'
import type { Consumer } from '../../client/index.ts'
import { messageOf, told } from './failure.ts'
import { type TaskLife, unless, withinMs } from './life.ts'
import { isRetriable } from './retry.ts'
import type { SinkOffsets } from './sink-offsets.ts'

export interface SinkCommitsParts {
  readonly consumer: Consumer
  readonly offsets: SinkOffsets
  /** Resolves when what was given up is kept. */
  readonly settled: () => Promise<void>
  readonly life: TaskLife
  readonly log: PluginLog
  /** Longest time that one commit may take; it is made up for by the next one. */
  readonly timeMsMax: number
}

/** See the module. */
export class SinkCommits {
  readonly #parts: SinkCommitsParts
  #latestMs: number

  constructor(parts: SinkCommitsParts) {
    this.#parts = parts
    this.#latestMs = parts.life.clock.monotonicMs()
  }

  /** When offsets were last dealt with, by the monotonic clock. */
  get latestMs(): number {
    return this.#latestMs
  }

  /**
   * Lets the sink make durable what it was given of `partitions`; resolves with the offsets that are safe to commit. Dead letters are
   * waited for first: what was given up must be kept by then.
   */
  async flush(task: SinkTask | null, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    const { offsets, settled, life, log } = this.#parts
    this.#latestMs = life.clock.monotonicMs()
    if (!offsets.hasNews(partitions)) return []
    await unless(life.cut, settled())
    const asked = offsets.delivered(partitions)
    let given: readonly TopicPartitionOffset[] | undefined
    try {
      given = await unless(life.cut, task?.flush?.(asked, { signal: life.cut }))
    } catch (error) {
      if (life.cut.aborted || isRetriable(error)) throw error
      throw told(error, 'while flushing before a commit')
    }
    const { commit, refused } = offsets.judge(asked, given)
    for (const { topic, partition, offset, reason } of refused) {
      log.warn(`the sink's flush gave ${topic}-${partition}@${offset}, which is not committed: ${reason}`)
    }
    return commit
  }

  /** Commits; what fails is logged and made up for by the next commit. */
  async store(commit: readonly TopicPartitionOffset[]): Promise<void> {
    if (commit.length === 0) return
    const { consumer, offsets, life, log, timeMsMax } = this.#parts
    try {
      await withinMs(life.clock, timeMsMax, life.cut, (signal) => consumer.commit(commit, signal))
      offsets.markCommitted(commit)
    } catch (error) {
      if (life.cut.aborted) throw error
      log.warn(`offsets were not committed: ${messageOf(error)}; the next commit makes up for it`)
    }
  }
}
