/**
 * @module api/42-delete-groups — removes empty groups with their offsets. Versions 0–2.
 */
import { DeleteGroups } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const deleteGroups = defineHandler({
  api: DeleteGroups,
  overlaps: false,
  create: (broker) => (request, context) => broker.groups.deleteGroups(request, callerOf(context)),
})
