/**
 * @module api/37-create-partitions — adds partitions to topics. Versions 0–3 (KIP-195).
 *
 * Every topic of the request is answered; the answer comes when the logs are open. 3: throttling of mutations (no quotas yet).
 */
import { CreatePartitions, ErrorCode } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const createPartitions = defineHandler({
  api: CreatePartitions,
  overlaps: false,
  create: (broker) => async (request) => {
    const counts = new Map<string, number>()
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    const specs = request.topics
      .filter(({ name }) => counts.get(name) === 1)
      .map(({ name, count, assignments }) => ({ name, count, assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null }))
    const outcomes = await broker.controller.createPartitions(specs, { validateOnly: request.validateOnly })
    await broker.partitions.settled()
    const results = outcomes.map(({ name, errorCode, errorMessage }) => ({ name, errorCode, errorMessage }))
    for (const [name, count] of counts) {
      if (count > 1) results.push({ name, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' })
    }
    return { throttleTimeMs: 0, results }
  },
})
