/**
 * @module api/45-alter-partition-reassignments — moves partitions to other replicas. Versions 0–1 (KIP-455).
 *
 * Every partition is answered on its own; null for its replicas takes a move under way back. 1: the client may forbid another number of
 * replicas (KIP-860).
 */
import { AlterPartitionReassignments, ErrorCode } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const alterPartitionReassignments = defineHandler({
  api: AlterPartitionReassignments,
  overlaps: false,
  create: (broker) => async (request) => {
    const { allowReplicationFactorChange } = request
    const specs = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas }) => ({ topic: name, partition: partitionIndex, replicas })),
    )
    const outcomes = await broker.controller.reassignPartitions(specs, { allowReplicationFactorChange })
    let at = 0
    const responses = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage = null } = outcomes[at++] ?? {}
        return { partitionIndex, errorCode, errorMessage }
      }),
    }))
    return { throttleTimeMs: 0, allowReplicationFactorChange, errorCode: ErrorCode.NONE, errorMessage: null, responses }
  },
})
