/**
 * @module api/16-list-groups — groups of this broker. Versions 0–5.
 *
 * 4: filter by state (KIP-518). 5: filter by type (KIP-848).
 */
import { ListGroups } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const listGroups = defineHandler({
  api: ListGroups,
  overlaps: false,
  create: (broker) => (request, context) => broker.groups.listGroups(request, callerOf(context)),
})
