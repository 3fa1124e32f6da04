/** @module config/sections — keys of a co-hosted part, under its prefix in the hub's file. */

/** The parts that have keys of their own. */
export type Section = 'connect' | 'registry' | 'console'

export const SECTIONS: readonly Section[] = ['connect', 'registry', 'console']

/** The keys that begin with the section's name and a dot, with exactly that one prefix taken off (`connect.connect.x` → `connect.x`). */
export function sectionOf(config: ReadonlyMap<string, string>, section: Section): Map<string, string> {
  const prefix = `${section}.`
  const pairs = new Map<string, string>()
  for (const [key, value] of config) if (key.startsWith(prefix)) pairs.set(key.slice(prefix.length), value)
  return pairs
}
