/**
 * @module test/connectors/postgres/golden/running-source — a source that is asked for more as soon as it has given something, and run again when it says
 * so, as the engine does.
 */
import { isEngineError, type SourcePlugin, type SourceRecord } from '../../../../sdk/index.ts'
import { type MemoryOffsets, runSource, type SourceRun } from '../../../../sdk/testing/index.ts'

/** Most times that it is run again after an error that allows it. */
const AGAIN_MAX = 20
const AGAIN_AFTER_MS = 20

export class RunningSource {
  readonly #start: () => Promise<SourceRun>
  readonly #take: (records: readonly SourceRecord[]) => void
  #run: SourceRun
  #pumping: Promise<void> = Promise.resolve()
  #isStopped = false
  #isEnded = false
  #failure: unknown

  private constructor(start: () => Promise<SourceRun>, run: SourceRun, take: (records: readonly SourceRecord[]) => void) {
    this.#start = start
    this.#run = run
    this.#take = take
  }

  static async start(
    plugin: SourcePlugin,
    config: Readonly<Record<string, string>>,
    offsets: MemoryOffsets,
    take: (records: readonly SourceRecord[]) => void,
  ): Promise<RunningSource> {
    const start = (): Promise<SourceRun> => runSource(plugin, { config, offsets })
    const source = new RunningSource(start, await start(), take)
    source.#pumping = source.#pump()
    return source
  }

  /** It has returned, or failed for good. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** What it failed with; undefined: it did not. */
  get failure(): unknown {
    return this.#failure
  }

  /** Stores the positions of all that it gave, and tells it. */
  async commit(): Promise<void> {
    await this.#run.commit()
  }

  /** Stops it and stores the positions of all that it gave. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    await this.#run.stop()
    await this.#pumping
    await this.#run.commit()
  }

  async #pump(): Promise<void> {
    for (let againCount = 0; ; againCount++) {
      try {
        for (let batch = await this.#run.next(); batch !== undefined; batch = await this.#run.next()) this.#take(batch)
        break
      } catch (error) {
        if (this.#isStopped) break
        if (!isEngineError(error) || error.next !== 'retry' || againCount === AGAIN_MAX) {
          this.#failure = error
          break
        }
        await this.#run.commit()
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
        this.#run = await this.#start()
      }
    }
    this.#isEnded = true
  }
}
