/** @module test/connectors/postgres/golden/library — the recordings that are kept here: test/golden/cdc/postgres. */
import { readdirSync, readFileSync } from 'node:fs'
import type { DeliberateDifference } from './comparison.ts'
import { exactJson, type Recording, readRecording } from './recording.ts'
import { readScript, type Script } from './script.ts'

const folder = new URL('../../../golden/cdc/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, folder), 'utf8')

/** Scenario and variant of every recording: `ops-basic`, `types-time.isostring`. */
export const recordingNames: readonly string[] = readdirSync(new URL('postgres/', folder))
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => name.slice(0, -'.jsonl'.length))
  .sort()

/** A recording by name. */
export function recordingOf(name: string): Recording {
  return readRecording(read(`postgres/${name}.jsonl`), read(`postgres/${name}.schemas.json`))
}

/** The lines of a recording and its table of schemas, as they stand in the files. */
export function textOf(name: string): { readonly lines: string; readonly schemas: string } {
  return { lines: read(`postgres/${name}.jsonl`), schemas: read(`postgres/${name}.schemas.json`) }
}

/** What was done to make it. */
export function scriptOf(name: string): Script {
  return readScript(read(`postgres/${name.split('.')[0]}.sql`))
}

/** Differences that are meant, with their reasons. */
export const deliberateDifferences = exactJson(read('differences.json')) as readonly DeliberateDifference[]
