/**
 * @module txn/producer-ids — hands out producer ids from blocks.
 *
 * The controller makes a block durable before it gives it (KIP-730), so an id is never given twice: what is left of a block when the
 * process ends is lost, which costs nothing.
 */
import type { Controller } from '../cluster/index.ts'

/** Ids in one block, as in Kafka. */
const BLOCK_COUNT = 1000

/** Resolves with an id that was never given before. */
export function producerIdSource(controller: Controller): () => Promise<number> {
  let next = 0
  let end = 0
  let filling: Promise<void> | undefined
  const fill = async (): Promise<void> => {
    const block = await controller.allocateProducerIds(BLOCK_COUNT)
    next = block.first
    end = block.first + block.count
  }
  return async () => {
    while (next >= end) {
      filling ??= fill().finally(() => {
        filling = undefined
      })
      await filling
    }
    return next++
  }
}
