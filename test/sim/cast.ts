/** @module test/sim/cast — who plays: the actors of the workload and the groups they read in. */
import type { Groups } from './audit.ts'
import { member, observer, READERS_GROUP } from './member.ts'
import { COPIERS_GROUP, pipeline } from './pipeline.ts'
import { reader } from './reader.ts'
import { type Actor, partitionsOf } from './stage.ts'
import { transactor } from './transactor.ts'
import { writer } from './writer.ts'

/** Every group, and the partitions that it may have committed. */
export const GROUPS: Groups = [
  [READERS_GROUP, partitionsOf('plain', 'ledger')],
  [COPIERS_GROUP, partitionsOf('plain')],
]

/** Everybody, by role. */
export function cast(): readonly (readonly [role: string, actor: Actor])[] {
  return [
    ['writer-1', writer],
    ['writer-2', writer],
    ['reader-1', reader],
    ['reader-2', reader],
    ['member-1', member],
    ['member-2', member],
    ['transactor-1', transactor],
    ['transactor-2', transactor],
    ['pipeline-1', pipeline],
    ['pipeline-2', pipeline],
    ...GROUPS.map(([group, partitions]) => [`observer of ${group}`, observer(group, partitions)] as const),
  ]
}
