/**
 * @module connector-postgres/config-check — judges a configuration as a whole, and asks the server whether it would let us in.
 */
import { type ConfigIssue, type EngineError, isEngineError, type TaskConfig } from '@millrace/sdk'
import { addressOf, type Config, type definition } from './config.ts'
import { issuesOfChanging } from './config-lacked.ts'
import { connect, type Session } from './replication/index.ts'

type Key = keyof typeof definition

const issue = (key: Key, message: string): ConfigIssue => ({ key, message })

/** What is wrong between keys; nothing is asked. Pure. */
export function judge(config: Config): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  for (const what of ['schema', 'table', 'column', 'message.prefix'] as const) {
    const include: Key = `${what}.include.list`
    const exclude: Key = `${what}.exclude.list`
    if (config[include] === null || config[exclude] === null) continue
    issues.push(issue(exclude, `The '${exclude}' value is invalid: "${include}" is already specified`))
  }
  if (config['max.queue.size'] <= config['max.batch.size']) {
    issues.push(issue('max.queue.size', `The 'max.queue.size' value is invalid: Must be larger than the maximum batch size`))
  }
  return issues
}

/** Everything: the keys together, and when those are right the server. Never rejects for what the server says. */
export async function checkConfig(
  config: Config,
  { properties, signal }: { readonly properties: TaskConfig; readonly signal: AbortSignal },
): Promise<readonly ConfigIssue[]> {
  const issues = [...issuesOfChanging(properties), ...judge(config)]
  if (issues.length > 0) return issues
  const timeoutMs = config['connection.validation.timeout.ms']
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  try {
    const session = await connect(addressOf(config, timeoutMs), AbortSignal.any([signal, late.signal]))
    try {
      return await askServer(session, config)
    } finally {
      await session.close()
    }
  } catch (error) {
    if (late.signal.aborted) return [issue('database.hostname', `Connection validation timed out after ${timeoutMs} ms`)]
    const message = (error instanceof Error ? error.message : String(error)).replace('; it is tried again', '')
    return [issue(keyOf(error), `Error while validating connector config: ${message}`)]
  } finally {
    clearTimeout(timer)
  }
}

const keys: Readonly<Record<string, Key>> = {
  'wrong-password': 'database.password',
  'login-refused': 'database.user',
  'replication-not-allowed': 'database.user',
  'no-such-database': 'database.dbname',
  tls: 'database.sslmode',
}

/** The key to look at. */
function keyOf(error: unknown): Key {
  if (error instanceof Error && /\bSSL\b/.test(error.message)) return 'database.sslmode'
  const code = isEngineError(error) ? (error as EngineError & { readonly code?: string }).code : undefined
  return keys[code ?? ''] ?? 'database.hostname'
}

async function askServer(session: Session, config: Config): Promise<readonly ConfigIssue[]> {
  const issues: ConfigIssue[] = []
  const [server] = await session.query<{ wal: string; role: string; replicates: boolean }>(
    `SELECT current_setting('wal_level') AS wal, current_user::text AS role, EXISTS (
       SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname = current_user AND (r.rolreplication OR r.rolsuper)
       UNION ALL
       SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname IN ('rds_superuser', 'rdsadmin', 'rdsrepladmin', 'rds_replication')
         AND pg_has_role(current_user, r.oid, 'MEMBER')) AS replicates`,
    [],
    'checking the server',
  )
  if (server === undefined || config['snapshot.mode'] === 'initial_only') return issues
  const { wal, role, replicates } = server
  if (wal !== 'logical') {
    const message = `the server's wal_level is ${wal}, which has no changes to capture; set wal_level = logical in its configuration and restart it`
    issues.push(issue('database.hostname', `Error while validating connector config: ${message}`))
  }
  if (!replicates) {
    const message = `Postgres roles LOGIN and REPLICATION are not assigned to user: ${role}; run ALTER ROLE ... REPLICATION, on RDS GRANT rds_replication`
    issues.push(issue('database.user', `Error while validating connector config: ${message}`))
  }
  return issues
}
