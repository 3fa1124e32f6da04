/**
 * @module connector-postgres/source-run — one run of the task, from the stored position to the stream, and everything that is open in it.
 */
import { randomUUID } from 'node:crypto'
import { FatalError, RetriableError, type SourcePartition, type SourceRecordInput, type SourceTaskContext } from '@millrace/sdk'
import { type CatalogTable, readTables, readTypes } from './catalog/index.ts'
import {
  addressOf,
  type Config,
  capturedTables,
  eventSettings,
  heartbeatTopic,
  publishedOperations,
  snapshotMode,
  snapshotOverrides,
  snapshotTables,
  streamParameters,
} from './config.ts'
import { wordOf } from './config-rules.ts'
import { type EventSettings, type TableFilter, tableEvents } from './events/index.ts'
import { Acknowledgement } from './position-acknowledgement.ts'
import type { Lsn } from './model.ts'
import { Cursor, type Position, type Resume, type Stored, startLsnOf, storedOf } from './position.ts'
import { sourcePartition, StreamPlace } from './position-place.ts'
import { isPublication, preparePublication, setReplicaIdentities } from './publication.ts'
import type { PublicationMode } from './publication-plan.ts'
import { connect, type CreatedSlot, createSlot, type ReplicationStream, type ServerAddress, type Session } from './replication/index.ts'
import { dropSlot, openPatiently, readServerAtRest, readServerState, type ServerState, type SlotPatience } from './slot.ts'
import { beginSnapshot, lockTables, momentOf, readTablesWhole, refuseAltered, snapshotOffset, type SnapshotTable } from './snapshot.ts'
import { planStart, type Start } from './snapshot-plan.ts'
import { isStreamed, snapshotChoice, type TableOrder } from './snapshot-tables.ts'
import { streamChanges } from './streaming.ts'
import { Heartbeat } from './streaming-heartbeat.ts'
import { StreamTables } from './streaming-tables.ts'

/** Limits of a run. */
export const runLimits = {
  /**
   * Records that are handed over at one time, fewer where max.batch.size says so; and bytes of the rows or messages that they are made of, 128 KiB.
   * What of a batch waits for its turn is alive, and copied by the garbage collector: a large batch costs more than a small one.
   */
  batchCountMax: 512,
  batchBytesMax: 128 * 1024,
  /** Bytes of messages that wait in memory before the server is made to wait; 8 MiB. */
  bufferBytesMax: 8 * 1024 * 1024,
  /** Milliseconds that dropping the slot at the end may take (slot.drop.on.stop); 3,000. */
  dropMs: 3_000,
} as const

/** What of the tables will be streamed. */
interface Published {
  /** Changes of partitions come under the name of their table. */
  readonly isViaRoot: boolean
  /** OIDs of the tables that the publication was made for; null: it does not depend on which there are. */
  readonly published: ReadonlySet<number> | null
}

type Running = Extract<Start, { action: 'run' }>

/** See the module. */
export class Run {
  readonly #config: Config
  readonly #context: SourceTaskContext
  readonly #address: ServerAddress
  readonly #isCaptured: TableFilter
  readonly #settings: EventSettings
  readonly #partition: SourcePartition
  readonly #acknowledgement: Acknowledgement
  /** Breaks what is not told to end in order. */
  readonly #cut = new AbortController()
  readonly #open: { close(): Promise<void> }[] = []
  #stream: ReplicationStream | null = null
  readonly #onAbort = (): void => {
    // The goodbye of the stream keeps it short; look-ups in the catalog need not answer at all.
    if (this.#stream === null) this.#cut.abort()
    else void this.#stream.close().then(() => this.#cut.abort())
  }

  constructor(config: Config, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#address = addressOf(config)
    this.#isCaptured = capturedTables(config)
    const run = { runId: randomUUID(), taskId: String(context.task) }
    this.#settings = eventSettings(config, run, () => BigInt(Date.now()) * 1000n)
    this.#partition = sourcePartition(config['topic.prefix'])
    const isManual = config['lsn.flush.mode'] === null ? !config['flush.lsn.source'] : wordOf(config['lsn.flush.mode']) === 'manual'
    this.#acknowledgement = new Acknowledgement(isManual)
    context.onCommitted((committed) => this.#acknowledgement.committed(committed))
    context.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (context.signal.aborted) this.#cut.abort()
  }

  async *records(): AsyncGenerator<readonly SourceRecordInput[], void> {
    const { log, offsets, signal } = this.#context
    const mode = snapshotMode(this.#config)
    const slotName = this.#config['slot.name']
    const offset = await offsets.read(this.#partition)
    let stored = offset === null ? null : storedOf(offset)
    const session = await this.#connect()
    const plan = ({ slot, currentLsn }: ServerState): Start => planStart({ mode, slotName, stored, slot, currentLsn })
    const isSnapshotBeforeStream = (state: ServerState): boolean => {
      const planned = plan(state)
      return planned.action === 'run' && planned.isSnapshot && planned.stream !== null
    }
    const server = await readServerAtRest(session, slotName, isSnapshotBeforeStream, this.#patience(), signal)
    const start = plan(server)
    if (signal.aborted) return
    if (start.action === 'refuse') throw new FatalError(start.code, start.message, start.remedy)
    if (start.action === 'rest') {
      log.info('the snapshot is done, and snapshot.mode is initial_only: nothing more will come')
      return
    }
    const { isViaRoot, published } = await this.#prepare(session, server, start)
    if (start.isSnapshot) await this.#context.sleep(this.#config['snapshot.delay.ms'])
    if (signal.aborted) return
    const created = await this.#slot(session, start)
    let resume: Resume = start.stream === null || start.stream === 'slot' ? slotPosition(created, server) : start.stream
    if (start.isSnapshot) {
      const position = yield* this.#snapshot(session, created, start, resume as Position, { isViaRoot, published })
      stored = storedOf(position)
      resume = stored.resume
    }
    await created?.release()
    if (start.stream === null || signal.aborted) return
    if (start.isSnapshot) await this.#context.sleep(this.#config['streaming.delay.ms'])
    yield* this.#streaming(session, resume, stored, server.currentLsn)
  }

  #patience(): Omit<SlotPatience, 'activePid'> {
    const { log, sleep } = this.#context
    return { retryCountMax: this.#config['slot.max.retries'], retryDelayMs: this.#config['slot.retry.delay.ms'], sleep, log }
  }

  /** Ends everything that is open. Idempotent, never rejects. */
  async close(): Promise<void> {
    this.#context.signal.removeEventListener('abort', this.#onAbort)
    await this.#stream?.close()
    if (this.#context.signal.aborted && this.#config['slot.drop.on.stop'] && this.#stream !== null) await this.#dropSlot()
    await Promise.all(this.#open.map((one) => one.close()))
    this.#cut.abort()
  }

  async #connect(): Promise<Session> {
    const session = await connect(this.#address, this.#cut.signal)
    this.#open.push(session)
    return session
  }

  /** Publication and replica identities. */
  async #prepare(session: Session, server: ServerState, start: Running): Promise<Published> {
    const { log } = this.#context
    const config = this.#config
    const tables = await readTables(session, { keep: this.#isCaptured })
    this.#guard(tables)
    if (tables.length === 0) log.warn('no table matches the filters: no changes will be captured; check table.include.list')
    if (start.slot === 'none') return { isViaRoot: config['publish.via.partition.root'], published: null }
    const wanted = {
      name: config['publication.name'],
      slotName: config['slot.name'],
      mode: wordOf(config['publication.autocreate.mode']) as PublicationMode,
      captured: tables,
      isViaRoot: config['publish.via.partition.root'],
      operations: publishedOperations(this.#settings, this.#context.properties),
      isReadOnly: server.isReadOnly,
    }
    const { isViaRoot } = await preparePublication(session, wanted, log)
    await setReplicaIdentities(session, config['replica.identity.autoset.values'], tables, log)
    for (const table of tables) {
      const name = `${table.schema}.${table.name}`
      if (table.isPartitioned && !isStreamed(table, isViaRoot)) {
        log.info(`${name} is partitioned: its rows come under the names of its partitions (publish.via.partition.root is false)`)
      } else if (table.keyColumns.length === 0 && table.replicaIdentity !== 'full') {
        log.warn(`${name} has no key: PostgreSQL refuses its updates and deletes; give it a primary key, or REPLICA IDENTITY FULL`)
      }
    }
    return { isViaRoot, published: wanted.mode === 'filtered' ? new Set(tables.map(({ oid }) => oid)) : null }
  }

  /** `guardrail.collections.max`. */
  #guard(tables: readonly CatalogTable[]): void {
    const countMax = this.#config['guardrail.collections.max']
    if (countMax === 0 || tables.length <= countMax) return
    const message = `${tables.length} tables match the filters, and guardrail.collections.max is ${countMax}`
    if (wordOf(this.#config['guardrail.collections.limit.action']) === 'warn') this.#context.log.warn(message)
    else throw new FatalError('too-many-tables', message, 'narrow table.include.list, or raise guardrail.collections.max')
  }

  /** null: the slot is there, or none is needed. */
  async #slot(session: Session, start: Running): Promise<CreatedSlot | null> {
    const name = this.#config['slot.name']
    if (start.slot === 'keep' || start.slot === 'none') return null
    if (start.slot === 'replace') {
      this.#context.log.warn(`replication slot "${name}" is lost; it is dropped and made anew, with a new snapshot`)
      await dropSlot(session, name)
    }
    this.#context.log.info(`creating replication slot "${name}"; it waits for the transactions that are under way`)
    const created = await createSlot(this.#address, { name, isFailover: this.#config['slot.failover'] }, this.#cut.signal)
    this.#open.push({ close: () => created.release() })
    this.#context.log.info(`created replication slot "${name}"`)
    return created
  }

  /** Gives the offset of the finished snapshot, which the last record carries. */
  async *#snapshot(
    other: Session,
    created: CreatedSlot | null,
    start: Running,
    resume: Position,
    published: Published,
  ): AsyncGenerator<readonly SourceRecordInput[], ReturnType<typeof snapshotOffset>> {
    const { log, offsets } = this.#context
    const session = await this.#connect()
    await beginSnapshot(session, created?.snapshotName ?? null)
    // The transaction keeps the snapshot from here on.
    await created?.release()
    const moment = await momentOf(session, other, created?.consistentPoint ?? null)
    const position: Position = start.stream === null ? { kind: 'position', commitLsn: moment.lsn, ordinal: 0 } : resume
    const tables = await this.#tablesToRead(session, published)
    log.info('the snapshot begins', { tableCount: tables.length })
    const rowCount = yield* readTablesWhole({
      session,
      tables,
      moment,
      partition: this.#partition,
      position,
      batchCountMax: Math.min(runLimits.batchCountMax, this.#config['max.batch.size']),
      batchBytesMax: runLimits.batchBytesMax,
      signal: this.#cut.signal,
      check: () => this.#checkShapes(tables),
    })
    await session.query('COMMIT', [], 'ending the snapshot')
    await session.close()
    log.info('the snapshot is done', { tableCount: tables.length, rowCount })
    const done = snapshotOffset({ moment, position }, true)
    if (rowCount === 0) offsets.advance(this.#partition, done)
    return done
  }

  /** On a connection of its own: the others have been silent for as long as the snapshot took. */
  async #checkShapes(tables: readonly SnapshotTable[]): Promise<void> {
    const session = await this.#connect()
    await refuseAltered(session, tables)
    await session.close()
  }

  async #tablesToRead(session: Session, { isViaRoot, published }: Published): Promise<readonly SnapshotTable[]> {
    const order = wordOf(this.#config['snapshot.tables.order.by.row.count']) as TableOrder
    const overrides = snapshotOverrides(this.#config, this.#context.properties)
    const all = await readTables(session, { keep: this.#isCaptured })
    const added = published === null ? undefined : all.find(({ oid }) => !published.has(oid))
    if (added !== undefined) {
      throw new RetriableError(
        `table ${added.schema}.${added.name} was made while the connector started, and is not in the publication yet`,
      )
    }
    const counts = order === 'disabled' ? new Map<number, number>() : await rowCounts(session)
    // How many rows a statement of the user's gives is not known: it counts as the most.
    const rowCountOf = ({ oid, schema, name }: CatalogTable): number =>
      overrides.has(`${schema}.${name}`) ? Number.MAX_SAFE_INTEGER : (counts.get(oid) ?? 0)
    const tables = snapshotChoice(all, { isViaRoot, isIncluded: snapshotTables(this.#config), order, rowCountOf })
    if (wordOf(this.#config['snapshot.locking.mode']) === 'shared') {
      await lockTables(session, tables, this.#config['snapshot.lock.timeout.ms'])
    }
    const types = await readTypes(session)
    return tables.map((table) => ({
      events: tableEvents(table, types, this.#settings, 'snapshot'),
      isPartitioned: table.isPartitioned,
      override: overrides.get(`${table.schema}.${table.name}`) ?? null,
    }))
  }

  async *#streaming(
    session: Session,
    resume: Resume,
    stored: Stored | null,
    currentLsn: Lsn,
  ): AsyncGenerator<readonly SourceRecordInput[], void> {
    const { log, offsets, signal } = this.#context
    const config = this.#config
    const slotName = config['slot.name']
    const publicationName = config['publication.name']
    const request = {
      slotName,
      publicationNames: [publicationName],
      startLsn: startLsnOf(resume),
      statusIntervalMs: config['status.update.interval.ms'],
      bufferBytesMax: runLimits.bufferBytesMax,
      streamParams: streamParameters(config),
      signal: this.#cut.signal,
    }
    const stream = await openPatiently(this.#address, request, {
      ...this.#patience(),
      activePid: async () => (await readServerState(session, slotName)).slot?.activePid ?? null,
    })
    this.#stream = stream
    this.#acknowledgement.attach(stream, stored)
    log.info(`streaming from replication slot "${slotName}"`, { publication: publicationName })
    const cursor = new Cursor(resume)
    yield* streamChanges({
      stream,
      tables: new StreamTables(session, this.#settings, this.#isCaptured, await readTypes(session), log),
      cursor,
      place: new StreamPlace(cursor, this.#partition, stored),
      heartbeat: new Heartbeat(heartbeatTopic(config), config['topic.prefix'], config['heartbeat.interval.ms'], Date.now()),
      offsets,
      log,
      batchCountMax: Math.min(runLimits.batchCountMax, config['max.batch.size']),
      batchBytesMax: runLimits.batchBytesMax,
      advanceIntervalMs: config['status.update.interval.ms'],
      doneLsn: resume.kind === 'position' ? resume.commitLsn : 0,
      searchEndLsn: currentLsn,
      check: () => this.#checkPublication(session, publicationName),
      isAcknowledged: (lsn) => this.#acknowledgement.isDone(lsn),
      nowMs: Date.now,
      signal,
    })
  }

  /** PostgreSQL 18 sends nothing where the publication is gone, and does not say so. */
  async #checkPublication(session: Session, name: string): Promise<void> {
    if (await isPublication(session, name)) return
    const message = `publication "${name}" was dropped while streaming: changes since are not sent`
    throw new FatalError(
      'publication-missing',
      message,
      'create it again, and for what was missed drop the slot and set snapshot.mode = when_needed',
    )
  }

  async #dropSlot(): Promise<void> {
    const name = this.#config['slot.name']
    try {
      const session = await connect(this.#address, AbortSignal.timeout(runLimits.dropMs))
      await dropSlot(session, name)
      await session.close()
    } catch (error) {
      this.#context.log.warn(`replication slot "${name}" could not be dropped: ${(error as Error).message}`)
    }
  }
}

function slotPosition(created: CreatedSlot | null, server: ServerState): Position {
  return { kind: 'position', commitLsn: created?.consistentPoint ?? server.slot?.confirmedLsn ?? 0, ordinal: 0 }
}

async function rowCounts(session: Session): Promise<ReadonlyMap<number, number>> {
  const text = `SELECT oid, reltuples::bigint::text AS count FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p')`
  const rows = await session.query<{ oid: number; count: string }>(text, [], 'reading the estimated sizes of the tables')
  return new Map(rows.map(({ oid, count }) => [oid, Number(count)]))
}
