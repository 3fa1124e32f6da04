/**
 * @module test/connectors/postgres/values/texts — what stands in test/golden/cdc/postgres-text, which record-texts.ts makes.
 */
import { readFileSync } from 'node:fs'
import type { PgType, TableColumn } from '../../../../connectors/postgres/model.ts'

/** A value as the server prints it; null; or a TOASTed one that a change left as it was. */
export type Text = string | null | { readonly unchanged: true }

/** A row that came: of the snapshot, or of a change. */
export interface RecordedChange {
  readonly table: string
  /** What the log says of the row before. */
  readonly before: Readonly<Record<string, Text>> | null
  readonly after: Readonly<Record<string, Text>> | null
}

/** What the catalog said. */
export interface RecordedShape {
  readonly types: readonly PgType[]
  readonly tables: Readonly<Record<string, readonly TableColumn[]>>
}

/** A scenario: its snapshot, then one stage per `@sql`. */
export interface RecordedTexts {
  readonly server: string
  readonly stages: readonly { readonly shape: RecordedShape; readonly changes: readonly RecordedChange[] }[]
}

/** The texts of a scenario. */
export function recordedTexts(scenario: string): RecordedTexts {
  return JSON.parse(readFileSync(new URL(`../../../golden/cdc/postgres-text/${scenario}.json`, import.meta.url), 'utf8')) as RecordedTexts
}
