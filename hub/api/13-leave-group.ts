/**
 * @module api/13-leave-group — members leave a classic group. Versions 0–5.
 *
 * 3: several members at once (KIP-345). 5: reason (KIP-800).
 */
import { LeaveGroup } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const leaveGroup = defineHandler({
  api: LeaveGroup,
  overlaps: false,
  create: (broker) => (request, context) => broker.groups.leaveGroup(request, callerOf(context)),
})
