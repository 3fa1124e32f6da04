/**
 * @module api/11-join-group — a member enters a classic group. Versions 0–9.
 *
 * 1: rebalance timeout. 4: the member id comes first (KIP-394). 5: static members (KIP-345). 7: protocol type. 8: reason (KIP-800).
 * 9: skip assignment for a returning static leader (KIP-814). The answer waits for the rebalance.
 */
import { JoinGroup } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const joinGroup = defineHandler({
  api: JoinGroup,
  overlaps: false,
  create: (broker) => (request, context) => broker.groups.joinGroup(request, callerOf(context)),
})
