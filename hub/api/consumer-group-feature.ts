/** @module api/consumer-group-feature — whether the cluster speaks the new consumer protocol (KIP-848). */
import type { Broker } from './handler.ts'

/** Its feature level is 1 and the broker has it among its protocols. */
export function hasConsumerGroups(broker: Broker): boolean {
  const level = broker.controller.image.features.get('group.version') ?? 0
  return level >= 1 && broker.config().brokerConfig['group.coordinator.rebalance.protocols'].includes('consumer')
}
