/**
 * @module api/47-offset-delete — removes positions of a group that it does not use (KIP-496). Version 0.
 *
 * Topics and partitions that do not exist are answered here, the rest by the coordinator.
 */
import { ErrorCode, OffsetDelete } from '../wire/index.ts'
import { partExisting } from './existing-partitions.ts'
import { defineHandler } from './handler.ts'

export const offsetDelete = defineHandler({
  api: OffsetDelete,
  overlaps: false,
  create: (broker) => async (request) => {
    const { existing, merge } = partExisting(broker.controller.image, request.topics)
    const answered = await broker.groups.offsetDelete({ ...request, topics: existing })
    if (answered.errorCode !== ErrorCode.NONE) return answered
    return { ...answered, topics: merge(answered.topics) }
  },
})
