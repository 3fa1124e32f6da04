import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, openStream, type SslMode, type SslSettings } from '../../../../connectors/postgres/replication/index.ts'
import { program, service } from '../../../services.ts'
import { addressOf } from './address-of.ts'

const found = await service('postgres')
const openssl = await program('openssl', ['version'])
/** The server's configuration is changed: only one that was started for this file may be used. */
const reason =
  found.value === undefined ? found.reason : found.value.faults === undefined ? 'TLS: the server is not ours to configure' : openssl.reason
if (reason !== undefined) console.log(`skipped: ${reason}`)
const url = found.value?.url ?? ''
const { signal } = new AbortController()
const directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
const file = (name: string): string => join(directory, name)
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  await found.value?.stop()
})

/** Its value is the program's name. */
function run(...args: string[]): void {
  execFileSync(openssl.value ?? '', args, { stdio: 'pipe' })
}

function sign(name: string, subject: string, more: readonly string[] = []): void {
  run('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', `/CN=${subject}`)
  writeFileSync(file('extensions'), [`subjectAltName=DNS:${subject}`, ...more].join('\n'))
  run(
    'x509',
    '-req',
    '-in',
    file(`${name}.csr`),
    '-CA',
    file('ca.crt'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-days',
    '3650',
    '-extfile',
    file('extensions'),
    '-out',
    file(`${name}.crt`),
  )
}

function makeCertificates(): void {
  for (const name of ['ca', 'other']) {
    run(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '3650',
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.crt`),
      '-subj',
      `/CN=${name}`,
    )
  }
  sign('server', 'localhost')
  sign('client', 'certified')
  run(
    'pkcs8',
    '-topk8',
    '-in',
    file('client.key'),
    '-outform',
    'DER',
    '-out',
    file('client.pk8'),
    '-passout',
    'pass:secret',
    '-v2',
    'aes-256-cbc',
  )
  run('pkcs12', '-export', '-in', file('client.crt'), '-inkey', file('client.key'), '-out', file('client.p12'), '-passout', 'pass:secret')
}

describe.skipIf(reason !== undefined)('database.sslmode', () => {
  beforeAll(async () => {
    makeCertificates()
    const session = await connect(addressOf(url), signal)
    const [{ home, hba } = { home: '', hba: '' }] = await session.query<{ home: string; hba: string }>(
      `SELECT current_setting('data_directory') AS home, current_setting('hba_file') AS hba`,
    )
    const put = async (content: Buffer | string, path: string): Promise<void> => {
      // By way of the server's own shell, since its directory is another user's.
      await session.query(`COPY (SELECT '${Buffer.from(content).toString('base64')}') TO PROGRAM 'umask 077; base64 -d > ${path}'`)
    }
    for (const name of ['server.crt', 'server.key', 'ca.crt']) await put(readFileSync(file(name)), `${home}/${name}`)
    const lines = ['hostnossl all tls_only all reject', 'hostssl all plain_only all reject', 'hostssl all certified all cert']
    await put(
      [...lines, 'host all all all scram-sha-256', 'host replication all all scram-sha-256', 'local all all scram-sha-256', ''].join('\n'),
      hba,
    )
    for (const role of ['tls_only', 'plain_only', 'certified']) await session.query(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'p'`)
    await session.query(`ALTER SYSTEM SET ssl_ca_file = 'ca.crt'`)
    await session.query(`ALTER SYSTEM SET ssl = on`)
    await session.query('SELECT pg_reload_conf()')
    const deadlineMs = Date.now() + 5_000
    for (let isOn = false; !isOn && Date.now() < deadlineMs; ) {
      const [row] = await session.query<{ on: boolean }>(`SELECT current_setting('ssl') = 'on' AS on`)
      isOn = row?.on === true
    }
    await session.close()
  })

  const none = { rootCertFile: null, certFile: null, keyFile: null, keyPassword: null }

  /** Whether the connection is encrypted, or the code of the error. */
  async function outcome(mode: SslMode, user: string, ssl: Partial<SslSettings> = {}, hostname = '127.0.0.1'): Promise<string> {
    const change = { ssl: { mode, ...none, ...ssl }, hostname, user, ...(user === 'postgres' ? {} : { password: 'p' }) }
    try {
      const session = await connect(addressOf(url, change), signal)
      const [row] = await session.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
      await session.close()
      return row?.ssl === true ? 'encrypted' : 'plain'
    } catch (error) {
      return (error as { code?: string; message: string }).code ?? (error as Error).message
    }
  }

  it.each<[SslMode, string, string]>([
    ['disable', 'postgres', 'plain'],
    ['allow', 'postgres', 'plain'],
    ['prefer', 'postgres', 'encrypted'],
    ['require', 'postgres', 'encrypted'],
    ['disable', 'tls_only', 'login-refused'],
    ['allow', 'tls_only', 'encrypted'],
    ['prefer', 'plain_only', 'plain'],
    ['require', 'plain_only', 'login-refused'],
  ])('%s as %s: %s', async (mode, user, expected) => {
    expect(await outcome(mode, user)).toBe(expected)
  })

  it('verify-ca wants a trusted authority, verify-full its host name too', async () => {
    const trusting = { rootCertFile: file('ca.crt') }
    expect(await outcome('verify-ca', 'postgres', trusting)).toBe('encrypted')
    expect(await outcome('verify-ca', 'postgres', { rootCertFile: file('other.crt') })).toBe('tls')
    expect(await outcome('verify-ca', 'postgres')).toBe('tls')
    expect(await outcome('verify-full', 'postgres', trusting)).toBe('tls')
    expect(await outcome('verify-full', 'postgres', trusting, 'localhost')).toBe('encrypted')
    expect(await outcome('verify-full', 'postgres', { rootCertFile: file('other.crt') }, 'localhost')).toBe('tls')
    expect(await outcome('verify-ca', 'postgres', { rootCertFile: file('missing.crt') })).toBe('tls')
  })

  it('shows a certificate: key in PEM, in DER with a password, or both in PKCS-12', async () => {
    const certFile = file('client.crt')
    expect(await outcome('require', 'certified', { certFile, keyFile: file('client.key') })).toBe('encrypted')
    expect(await outcome('require', 'certified', { certFile, keyFile: file('client.pk8'), keyPassword: 'secret' })).toBe('encrypted')
    expect(await outcome('require', 'certified', { keyFile: file('client.p12'), keyPassword: 'secret' })).toBe('encrypted')
    expect(await outcome('require', 'certified', { certFile, keyFile: file('client.pk8'), keyPassword: 'wrong' })).toBe('tls')
    expect(await outcome('require', 'certified')).toBe('login-refused')
  })

  it('streams over TLS', async () => {
    const address = addressOf(url, { ssl: { mode: 'verify-ca', ...none, rootCertFile: file('ca.crt') } })
    const session = await connect(address, signal)
    await session.query(`CREATE TABLE t (v text); CREATE PUBLICATION p FOR TABLE t`)
    await session.query(`SELECT pg_create_logical_replication_slot('tls', 'pgoutput')`)
    const request = { slotName: 'tls', publicationNames: ['p'], startLsn: 0, statusIntervalMs: 100, bufferBytesMax: 50_000, signal }
    const stream = await openStream(address, request)
    await session.query(`INSERT INTO t SELECT repeat('x', 100000) FROM generate_series(1, 20)`)
    let byteCount = 0
    while (byteCount < 2_000_000) for (const item of await stream.next()) if (item.kind === 'data') byteCount += item.bytes.length
    await stream.close()
    await session.close()
  })
})

describe.skipIf(found.value?.faults === undefined)('a server without TLS', () => {
  it('is refused by require', async () => {
    const { value } = await service('postgres')
    try {
      const ssl = { mode: 'require' as const, rootCertFile: null, certFile: null, keyFile: null, keyPassword: null }
      await expect(connect(addressOf(value?.url ?? '', { ssl }), signal)).rejects.toMatchObject({
        next: 'fail',
        message: expect.stringMatching(/The server does not support SSL connections; check .*database\.sslmode/) as string,
      })
    } finally {
      await value?.stop()
    }
  })
})
