/** @module api/64-unregister-broker — takes a broker's registration out of the cluster. Version 0 (KIP-500). This node's own stays. */
import { UnregisterBroker } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const unregisterBroker = defineHandler({
  api: UnregisterBroker,
  overlaps: false,
  create: (broker) => async (request) => {
    const { errorCode, errorMessage } = await broker.controller.unregisterBroker(request.brokerId)
    return { throttleTimeMs: 0, errorCode, errorMessage }
  },
})
