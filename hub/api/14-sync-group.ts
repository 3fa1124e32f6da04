/**
 * @module api/14-sync-group — the leader hands in, everybody gets the assignment. Versions 0–5.
 *
 * 3: static members (KIP-345). 5: protocol type and name (KIP-559). The answer waits for the leader's.
 */
import { SyncGroup } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const syncGroup = defineHandler({
  api: SyncGroup,
  overlaps: false,
  create: (broker) => (request, context) => broker.groups.syncGroup(request, callerOf(context)),
})
