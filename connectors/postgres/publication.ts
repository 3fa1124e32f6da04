/**
 * @module connector-postgres/publication — makes the publication what {@link planPublication} says, before the slot is made: a slot does
 * not see a publication that came after it.
 */
import { FatalError, javaRegex, type PluginLog, RetriableError } from '@millrace/sdk'
import { type IdentityRule, identityRuleOf } from './config-rules.ts'
import type { ReplicaIdentity, Table } from './model.ts'
import {
  type PublicationState,
  planPublication,
  type PublicationSituation,
  type PublishedOperation,
  tableText,
} from './publication-plan.ts'
import { quoteIdentifier, type Row, type Session, sqlStateOf } from './replication/index.ts'

/** Whether there is one. */
export async function isPublication(session: Session, name: string): Promise<boolean> {
  const text = 'SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1'
  return (await session.query(text, [name], `looking for publication "${name}"`)).length > 0
}

/** Reads a publication; null: there is none. */
export async function readPublication(session: Session, name: string): Promise<PublicationState | null> {
  const what = `reading publication "${name}"`
  const [found] = await session.query<PublicationRow>(
    `SELECT puballtables AS "all", ${session.serverVersion >= 130_000 ? 'pubviaroot' : 'false'} AS root,
       obj_description(oid, 'pg_publication') AS comment,
       pubinsert AS "insert", pubupdate AS "update", pubdelete AS "delete", ${session.serverVersion >= 110_000 ? 'pubtruncate' : 'false'} AS "truncate"
     FROM pg_catalog.pg_publication WHERE pubname = $1`,
    [name],
    what,
  )
  if (found === undefined) return null
  const named = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
       JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE p.pubname = $1`,
    [name],
    what,
  )
  const covered = found.all
    ? []
    : await session.query<{ schema: string; name: string }>(
        'SELECT schemaname AS schema, tablename AS name FROM pg_catalog.pg_publication_tables WHERE pubname = $1',
        [name],
        what,
      )
  return {
    isForAllTables: found.all,
    isViaRoot: found.root,
    comment: found.comment,
    operations: (['insert', 'update', 'delete', 'truncate'] as const).filter((operation) => found[operation]),
    named,
    covered,
  }
}

interface PublicationRow extends Row, Readonly<Record<PublishedOperation, boolean>> {
  readonly all: boolean
  readonly root: boolean
  readonly comment: string | null
}

/** Brings the publication into being and up to date; gives whether changes of partitions come as changes of the partitioned table. */
export async function preparePublication(
  session: Session,
  wanted: Omit<PublicationSituation, 'state'>,
  log: PluginLog,
): Promise<{ readonly isViaRoot: boolean }> {
  const state = await readPublication(session, wanted.name)
  const step = planPublication({ ...wanted, state })
  if (step.action === 'refuse') throw new FatalError(step.code, step.message, step.remedy)
  for (const warning of step.warnings) log.warn(warning)
  for (const statement of step.statements) {
    log.info(step.what, { statement })
    await session.query(statement, [], step.what).catch((error: unknown) => {
      throw statementError(error, statement)
    })
  }
  return { isViaRoot: state?.isViaRoot ?? wanted.isViaRoot }
}

function statementError(error: unknown, statement: string): unknown {
  const state = sqlStateOf(error)
  if (state === '42501') return notAllowed(error, statement)
  // Two connectors that start at the same time make or change the same publication.
  const isRace = state === '42710' || state === '23505' || (state === 'XX000' && /tuple concurrently/.test((error as Error).message))
  if (!isRace) return error
  return new RetriableError('the publication was made or changed by somebody else at the same time; it is looked at again', {
    cause: error,
  })
}

function notAllowed(cause: unknown, statement: string): FatalError {
  const message = cause instanceof Error ? cause.message.split('; ', 1)[0] : String(cause)
  const remedy = `let its owner or a superuser run ${statement}; a publication for all tables needs a superuser, one of publication.autocreate.mode = filtered the owner of the tables`
  return new FatalError('publication-not-allowed', message ?? 'not allowed', remedy, { cause })
}

const identityLimits = {
  /** Milliseconds that the lock of a table is waited for to set its replica identity; 2,000. */
  lockMs: 2_000,
} as const

const identityLetters: Readonly<Record<ReplicaIdentity, string>> = { default: 'DEFAULT', nothing: 'NOTHING', full: 'FULL', index: 'INDEX' }

/** `replica.identity.autoset.values`: the first rule that fits a table decides. What the role may not alter is told and left. */
export async function setReplicaIdentities(session: Session, text: string | null, tables: readonly Table[], log: PluginLog): Promise<void> {
  const rules = (text ?? '').split(',').flatMap((entry) => identityRuleOf(entry) ?? [])
  const compiled = rules.map((rule) => ({ rule, regex: javaRegex(rule.tables, ['i']) }))
  for (const table of tables) {
    const found = compiled.find(({ regex }) => regex.matches(`${table.schema}.${table.name}`))
    if (found === undefined || (await isIdentity(session, table, found.rule))) continue
    const statement = `ALTER TABLE ${tableText(table)} REPLICA IDENTITY ${identityText(found.rule)}`
    try {
      // One transaction. Whoever comes for the table while this waits for it waits, too.
      const bounded = `SET LOCAL lock_timeout = ${identityLimits.lockMs}; ${statement}`
      await session.query(bounded, [], 'setting a replica identity')
      log.info('set a replica identity', { statement })
    } catch (error) {
      if (sqlStateOf(error) === null) throw error
      log.error(`the replica identity of ${table.schema}.${table.name} could not be set: ${(error as Error).message}`, { statement })
    }
  }
}

async function isIdentity(session: Session, { oid, replicaIdentity }: Table, { identity, indexName }: IdentityRule): Promise<boolean> {
  if (identity !== identityLetters[replicaIdentity]) return false
  if (identity !== 'INDEX') return true
  const text = `SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = $1::oid AND i.indisreplident AND c.relname = $2`
  return (await session.query(text, [oid, indexName], 'reading a replica identity')).length > 0
}

function identityText({ identity, indexName }: IdentityRule): string {
  return identity === 'INDEX' ? `USING INDEX ${quoteIdentifier(indexName ?? '')}` : identity
}
