/** @module test/connect/stores/golden-topics — the records that Kafka Connect 4.3.1 was seen to write, action by action. */
import { readFileSync } from 'node:fs'

export interface GoldenRecord {
  readonly topic: 'connect-configs' | 'connect-status' | 'connect-offsets'
  readonly key: string
  readonly value: string | null
}

export interface GoldenAction {
  readonly action: string
  readonly request?: { readonly body?: { readonly name?: string; readonly config?: Readonly<Record<string, string>> } }
  readonly records: readonly GoldenRecord[]
}

/** Stands for what differed between runs: a generation, a time. */
export const ANY = 7

interface Golden {
  readonly actions: readonly GoldenAction[]
}

/** All actions in their order, with {@link ANY} for what varies. */
export function goldenActions(): readonly GoldenAction[] {
  const { actions } = JSON.parse(readFileSync(new URL('../../golden/connect/topics.json', import.meta.url), 'utf8')) as Golden
  return actions.map((action) => ({
    ...action,
    records: action.records.map((record) => ({ ...record, value: record.value?.replaceAll('"<any>"', String(ANY)) ?? null })),
  }))
}

/** The records of one topic. */
export function goldenRecords(topic: GoldenRecord['topic']): readonly GoldenRecord[] {
  return goldenActions().flatMap(({ records }) => records.filter((record) => record.topic === topic))
}

export const bytes = (text: string): Buffer => Buffer.from(text)
export const bytesOrNull = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))

/** A record to write as the golden file shows it. */
export function shown({ key, value }: { readonly key: Buffer; readonly value: Buffer | null }): { key: string; value: string | null } {
  return { key: key.toString(), value: value?.toString() ?? null }
}
