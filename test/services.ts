/**
 * @module test/services — where a test gets a real service or program from: the environment, the scripts that start services beside the
 * repository, or what is installed on the machine; else the reason why the test is skipped (design §5).
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
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
}

const scripts = new URL('../../shared/services/', import.meta.url).pathname

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

/** A service by name: `TEST_<NAME>_URL`, else a fresh one with no data, started by the script of that name and gone with its data on `stop`. */
export async function service(name: string): Promise<Found<Service>> {
  const url = process.env[`TEST_${name.toUpperCase()}_URL`]
  if (url !== undefined) return { value: { url, stop: () => Promise.resolve() } }
  const script = join(scripts, name)
  if (!existsSync(script)) return { reason: `${name}: neither TEST_${name.toUpperCase()}_URL nor a script that starts it` }
  const directory = await mkdtemp(join(tmpdir(), `millrace-${name}-`))
  const env = { ...process.env, SERVICES_DATA: directory }
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
    return { reason: `${name} did not start: ${(error as Error).message.split('\n')[0]}` }
  }
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
