import { FatalError, isEngineError, RetriableError } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { ConnectionError, toOwnError } from '../../../../connectors/postgres/replication/errors.ts'
import { ServerError, sqlStateOf, toEngineError } from '../../../../connectors/postgres/replication/index.ts'
import { versionNumber } from '../../../../connectors/postgres/replication/link.ts'

const what = 'streaming from slot "s" of h:5432/d'
const of = (code: string, message: string, detail: string | null = null) =>
  toEngineError(new ServerError(code, message, detail, null), what)

/** Messages as PostgreSQL 15 to 18 write them. */
const fatal: readonly (readonly [string, string, string, RegExp])[] = [
  ['28P01', 'password authentication failed for user "u"', 'wrong-password', /database\.password/],
  [
    '28000',
    'no pg_hba.conf entry for replication connection from host "::1", user "u", no encryption',
    'replication-not-allowed',
    /pg_hba/,
  ],
  ['28000', 'role "u" does not exist', 'login-refused', /database\.user/],
  ['3D000', 'database "d" does not exist', 'no-such-database', /database\.dbname/],
  ['42501', 'permission denied to use replication slots', 'replication-not-allowed', /ALTER ROLE/],
  ['42501', 'must be superuser or replication role to start walsender', 'replication-not-allowed', /ALTER ROLE/],
  ['42501', 'permission denied to start WAL sender', 'replication-not-allowed', /ALTER ROLE/],
  ['42501', 'permission denied for table t', 'no-privilege', /grant/],
  ['42501', 'query would be affected by row-level security policy for table "t"', 'rows-hidden', /BYPASSRLS/],
  ['08P01', 'unsupported startup parameter: replication', 'pooler', /database\.hostname/],
  ['55000', 'logical decoding requires "wal_level" >= "logical"', 'wal-level', /wal_level = logical/],
  ['55000', 'logical decoding requires wal_level >= logical', 'wal-level', /wal_level = logical/],
  ['55000', 'replication slot "s" was not created in this database', 'slot-elsewhere', /slot\.name/],
  ['55000', 'can no longer get changes from replication slot "s"', 'slot-lost', /new snapshot/],
  ['55000', 'cannot read from logical replication slot "s"', 'slot-lost', /new snapshot/],
  ['55000', 'skipped loading publication "p"', 'publication-missing', /when_needed/],
  ['53400', 'all replication slots are in use', 'no-slot-left', /max_replication_slots/],
  ['42710', 'replication slot "s" already exists', 'already-there', /another name/],
  ['42704', 'replication slot "s" does not exist', 'slot-missing', /slot\.name/],
  ['42704', 'publication "p" does not exist', 'publication-missing', /create the publication/],
  ['58P01', 'requested WAL segment 000000010000000000000001 has already been removed', 'log-removed', /new snapshot/],
  ['22023', 'option "proto_version" = "1" is unknown', 'slot-elsewhere', /another plugin/],
]

const retriable: readonly (readonly [string, string])[] = [
  ['57P01', 'terminating connection due to administrator command'],
  ['57P02', 'terminating connection because of crash of another server process'],
  ['57P03', 'the database system is starting up'],
  ['57014', 'canceling statement due to user request'],
  ['53300', 'sorry, too many clients already'],
  ['53300', 'number of requested standby connections exceeds "max_wal_senders" (currently 10)'],
  ['53100', 'could not extend file: No space left on device'],
  ['55006', 'replication slot "s" is active for PID 42'],
  ['55P03', 'canceling statement due to lock timeout'],
  ['40001', 'could not serialize access'],
  ['40P01', 'deadlock detected'],
  ['08006', 'connection failure'],
  ['25P03', 'terminating connection due to idle-in-transaction timeout'],
]

describe('toEngineError', () => {
  it.each(fatal)('%s %s fails with code %s', (state, message, code, remedy) => {
    const error = of(state, message, 'a detail\nof two lines')
    expect(error).toBeInstanceOf(FatalError)
    expect(error).toMatchObject({ code, remedy: expect.stringMatching(remedy) as string })
    expect(error.message).toBe(`${what}: ${message} (a detail of two lines); ${(error as FatalError).remedy}`)
    expect(sqlStateOf(error)).toBe(state)
  })

  it.each(retriable)('%s %s is retried', (state, message) => {
    const error = of(state, message)
    expect(error).toBeInstanceOf(RetriableError)
    expect(error.message).toContain(`${what}: ${message}; it is tried again`)
  })

  it('says what an unknown SQLSTATE is, and fails', () => {
    const error = toEngineError(new ServerError('22012', 'division by zero', null, 'do not'), what)
    expect(error).toMatchObject({ next: 'fail', code: '22012', message: `${what}: division by zero [SQLSTATE 22012]; do not` })
  })

  it('retries the way to the server, but not certificates', () => {
    const way = (message: string, code: string | null) => toEngineError(new ConnectionError(message, code), what)
    expect(way('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')).toMatchObject({
      next: 'retry',
      message: `${what}: connect ECONNREFUSED 127.0.0.1:1; it is tried again`,
    })
    expect(way('getaddrinfo ENOTFOUND nowhere', 'ENOTFOUND')).toMatchObject({
      next: 'retry',
      message: expect.stringContaining('database.hostname') as string,
    })
    expect(way('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT')).toMatchObject({ next: 'fail', code: 'tls' })
    expect(way('altnames', 'ERR_TLS_CERT_ALTNAME_INVALID')).toMatchObject({ next: 'fail', code: 'tls' })
  })

  it('leaves an error of the sdk as it is, and fails with all others', () => {
    const retry = new RetriableError('x')
    expect(toEngineError(retry, what)).toBe(retry)
    expect(toEngineError(new TypeError('a bug'), what)).toMatchObject({ next: 'fail', message: `${what}: a bug` })
    expect(isEngineError(toEngineError('text', what))).toBe(true)
    expect(sqlStateOf(new Error('none'))).toBeNull()
  })
})

describe('toOwnError', () => {
  it('takes a SQLSTATE for the server’s only with a severity: Node’s EPIPE has five letters too', () => {
    expect(toOwnError(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toMatchObject({ name: 'ConnectionError', code: 'EPIPE' })
    expect(toOwnError(Object.assign(new Error('m'), { code: '57P01', severity: 'FATAL', detail: 'd' }))).toMatchObject({
      name: 'ServerError',
      code: '57P01',
      detail: 'd',
    })
  })

  it('has a message where Node gives none: all addresses of a host were tried', () => {
    const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')], '')
    expect(toOwnError(Object.assign(refused, { code: 'ECONNREFUSED' }))).toMatchObject({
      code: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1',
    })
  })
})

describe('versionNumber', () => {
  it.each([
    ['15.18 (Debian 15.18-1.pgdg)', 150_018],
    ['18.4', 180_004],
    ['18beta1', 180_000],
    ['9.6.24', 90_624],
    ['', 0],
  ])('%s', (text, number) => expect(versionNumber(text)).toBe(number))
})
