/**
 * @module test/connectors/postgres/golden/replay — does with our connector what the recorder did with Debezium: a fresh database, the steps of the
 * script one by one, and what came after each.
 */
import type { Client } from 'pg'
import type { SourcePlugin, SourceRecord } from '../../../../sdk/index.ts'
import { MemoryOffsets } from '../../../../sdk/testing/index.ts'
import { exactOf, isStage, type RecordedRecord, type RecordedStage, type Recording, recordOf } from './recording.ts'
import { RunningSource } from './running-source.ts'
import type { Script, Step } from './script.ts'
import { createDatabase, type Database } from './server.ts'

/** What came, and between which times. */
export interface Replay {
  readonly items: Recording['items']
  /** Source offsets as they were, with the keys that are ours. */
  readonly offsets: readonly Readonly<Record<string, unknown>>[]
  readonly nowMs: { readonly from: number; readonly to: number }
  /** Why the connector stopped, where it did. */
  readonly failure: unknown
}

/** Limits of waiting, in milliseconds. */
const limits = {
  /** For the records of one step. */
  stepMs: 15_000,
  /** When a step's records did not come in time, for those of later steps. */
  lateStepMs: 500,
  /** Between looks at the server. */
  lookMs: 10,
} as const

/** Slots are of the whole server, so ours have names of their own; the recorder's had this. */
const SLOT_NAME = 'debezium'

/**
 * Replays a script against the server of `url`; `recording` says how many records each step gives. `config`: beside what was recorded, where
 * we ask for it.
 */
export async function replay(
  plugin: SourcePlugin,
  url: string,
  script: Script,
  recording: Recording,
  config: Readonly<Record<string, string>> = {},
): Promise<Replay> {
  const database = await createDatabase(url)
  const replaying = new Replaying(plugin, database, script, recording, config)
  try {
    return await replaying.run()
  } finally {
    await replaying.close()
    await database.drop()
  }
}

class Replaying {
  readonly #plugin: SourcePlugin
  readonly #database: Database
  readonly #script: Script
  readonly #recording: Recording
  readonly #records: SourceRecord[] = []
  readonly #items: (RecordedRecord | RecordedStage)[] = []
  readonly #offsets = new MemoryOffsets()
  #config: Readonly<Record<string, string>>
  #source: RunningSource | undefined
  #stepMs: number = limits.stepMs
  #convertedCount = 0

  constructor(plugin: SourcePlugin, database: Database, script: Script, recording: Recording, config: Readonly<Record<string, string>>) {
    this.#plugin = plugin
    this.#database = database
    this.#script = script
    this.#recording = recording
    this.#config = {
      ...recording.config,
      ...script.config,
      ...script.variants.get(recording.variant),
      ...database.connection,
      'slot.name': database.slotName,
      'status.update.interval.ms': '100',
      ...config,
    }
  }

  async run(): Promise<Replay> {
    const from = Date.now()
    for (const statement of this.#script.setup) await this.#database.client.query(statement)
    const stages = expectedCounts(this.#recording)
    for (const [at, step] of this.#script.steps.entries()) {
      const facts = await this.#perform(step)
      await this.#until(stages[at] ?? 0)
      await this.#source?.commit()
      await this.#convert()
      this.#items.push({ stage: step.label, ...facts, ...this.#state() })
    }
    await this.#quiet()
    await this.#convert()
    return {
      items: this.#items,
      offsets: this.#records.map(({ sourceOffset }) => sourceOffset ?? {}),
      nowMs: { from, to: Date.now() },
      failure: this.#source?.failure,
    }
  }

  async close(): Promise<void> {
    await this.#source?.stop()
  }

  async #perform(step: Step): Promise<Partial<RecordedStage>> {
    const { client } = this.#database
    switch (step.kind) {
      case 'sql':
      case 'while-stopped': {
        const statements = step.statements.map((text) => text.replaceAll(`'${SLOT_NAME}'`, `'${this.#database.slotName}'`))
        const sqlErrors = await execute(client, statements)
        return sqlErrors.length === 0 ? {} : { sqlErrors }
      }
      case 'query':
        return { rows: await this.#rows(step.statements) }
      case 'stop':
        await this.#stop()
        return {}
      case 'set':
        await this.#stop()
        this.#config = { ...this.#config, ...step.config }
        await this.#start()
        return {}
      case 'start':
      case 'resume':
        await this.#start()
        return {}
      case 'wait':
        return {}
    }
  }

  async #start(): Promise<void> {
    this.#source = await RunningSource.start(this.#plugin, this.#config, this.#offsets, (records) => this.#records.push(...records))
    await this.#streaming()
  }

  async #stop(): Promise<void> {
    await this.#source?.stop()
    this.#source = undefined
  }

  /** Until the slot is read, or the source has nothing more to do: what happens before would otherwise be snapshot in one run and stream in the next. */
  async #streaming(): Promise<void> {
    const isStreaming = async (): Promise<boolean> => {
      const { rows } = await this.#database.client.query(
        `select 1 from pg_replication_slots join pg_stat_replication on pid = active_pid where slot_name = $1 and state = 'streaming'`,
        [this.#database.slotName],
      )
      return rows.length > 0
    }
    await this.#look(this.#stepMs, isStreaming)
  }

  /** Asks until it is so, the source has ended, or the time is over. */
  async #look(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
    const endMs = performance.now() + ms
    while (this.#source?.isEnded === false && performance.now() < endMs) {
      if (await isSo()) return true
      await new Promise((resolve) => setTimeout(resolve, limits.lookMs))
    }
    return false
  }

  async #until(count: number): Promise<void> {
    const inTime = await this.#look(this.#stepMs, async () => this.#records.length >= count)
    if (!inTime && this.#records.length < count && this.#source?.isEnded === false) this.#stepMs = limits.lateStepMs
  }

  /** Until the slot has been told that all there is was read: whatever the source would make of it has come then. */
  async #quiet(): Promise<void> {
    const { client, slotName } = this.#database
    const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_lsn() lsn')
    const isRead = async (): Promise<boolean> => {
      await this.#source?.commit()
      const { rows: slots } = await client.query('select 1 from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn >= $2', [
        slotName,
        rows[0]?.lsn,
      ])
      return slots.length > 0
    }
    const isQuiet = await this.#look(this.#stepMs, isRead)
    if (!isQuiet && this.#source?.isEnded === false) throw new Error(`the slot was not told of ${rows[0]?.lsn}`)
  }

  async #convert(): Promise<void> {
    for (; this.#convertedCount < this.#records.length; this.#convertedCount++) {
      const record = this.#records[this.#convertedCount]
      if (record !== undefined) this.#items.push(this.#asRecorded(await recordOf(record)))
    }
  }

  /** As if the database were the recorder's, and positions had no keys of ours. */
  #asRecorded(record: RecordedRecord): RecordedRecord {
    const { source } = (record.value ?? {}) as { readonly source?: { db?: unknown } }
    if (source?.db === this.#database.name) source.db = this.#recording.config['database.dbname']
    return { ...record, offset: withoutOurs(record.offset) }
  }

  async #rows(statements: readonly string[]): Promise<string[][]> {
    const rows: (string | null)[][] = []
    for (const text of statements) {
      const result = await this.#database.client.query<(string | null)[]>({ text, rowMode: 'array' })
      rows.push(...result.rows)
    }
    const { name, slotName } = this.#database
    const recorded = new Map([
      [slotName, SLOT_NAME],
      [name, this.#recording.config['database.dbname'] ?? name],
    ])
    // psql prints nothing for null.
    return rows.map((row) => row.map((cell) => recorded.get(cell ?? '') ?? cell ?? ''))
  }

  #state(): Partial<RecordedStage> {
    const stored = this.#offsets.entries().map(({ partition, offset }) => {
      return { key: ['<connector>', exactOf(partition)] as const, value: withoutOurs(exactOf(offset)) }
    })
    return {
      ...(this.#source === undefined ? { connectorState: 'STOPPED' } : {}),
      ...(this.#source?.failure === undefined ? {} : { taskState: 'FAILED' }),
      ...(stored.length === 0 ? {} : { stored }),
    }
  }
}

/** How many records have come when each stage is written. */
function expectedCounts({ items }: Recording): readonly number[] {
  let count = 0
  const counts: number[] = []
  for (const item of items) {
    if (isStage(item)) counts.push(count)
    else count++
  }
  return counts
}

/** Each statement on its own; the errors as psql prints them. */
async function execute(client: Client, statements: readonly string[]): Promise<string[]> {
  const errors: string[] = []
  for (const statement of statements) {
    try {
      await client.query(statement)
    } catch (error) {
      errors.push(`ERROR:  ${(error as Error).message}`)
    }
  }
  return errors
}

/** Without the keys that Debezium has not: they are checked by themselves (positions.ts). */
function withoutOurs(offset: unknown): unknown {
  return Object.fromEntries(Object.entries(offset ?? {}).filter(([key]) => !key.startsWith('millrace_')))
}
