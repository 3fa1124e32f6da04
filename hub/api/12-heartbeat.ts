/**
 * @module api/12-heartbeat — a member of a classic group is alive. Versions 0–4.
 *
 * 3: static members (KIP-345).
 */
import { Heartbeat } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

export const heartbeat = defineHandler({
  api: Heartbeat,
  overlaps: false,
  create: (broker) => (request, context) => broker.groups.heartbeat(request, callerOf(context)),
})
