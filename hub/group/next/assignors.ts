/** @module group/next/assignors — the server-side assignors that there are. */
import type { Assignor } from './assignor.ts'
import { assignRange } from './range.ts'
import { assignUniformly } from './uniform.ts'

/** The assignors by their names in `group.consumer.assignors` and in heartbeats. */
export const assignors: ReadonlyMap<string, Assignor> = new Map<string, Assignor>([
  ['uniform', assignUniformly],
  ['range', assignRange],
])
