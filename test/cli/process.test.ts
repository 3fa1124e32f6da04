/** @module test/cli/process — the commands as processes: pipes that close, Ctrl-C, nobody at the address, help. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { overviewText, runCommand } from '../../hub/cli/index.ts'
import { reachAny } from '../../hub/cli/reach.ts'
import { createAdmin, createProducer } from '../../hub/client/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { memoryIo } from './memory-io.ts'

const bin = new URL('../../hub/bin/millrace.js', import.meta.url).pathname
/** More than pipes and buffers hold, so that a reader who leaves early is noticed. */
const RECORD_COUNT = 2_000
const RECORD_BYTES = 1_000

let hub: TestHub

beforeAll(async () => {
  hub = await startHub()
  const producer = createProducer({ bootstrapServers: hub.bootstrap })
  await producer.sendBatch(
    Array.from({ length: RECORD_COUNT }, (_, index) => ({ topic: 'many', value: String(index).padEnd(RECORD_BYTES, '.') })),
  )
  await producer.close()
})

afterAll(async () => {
  await hub.close()
})

interface Run {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  readonly ended: Promise<number | null>
  /** Resolves when stdout has the text. */
  printed(text: string): Promise<void>
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, ['--conditions=millrace-source', bin, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended: once(child, 'close').then(([exitCode]) => exitCode as number | null),
    async printed(text) {
      while (!stdout.includes(text)) await once(child.stdout, 'data')
    },
  }
}

const at = () => ['--bootstrap-server', hub.bootstrap]

describe('console-consumer', () => {
  it('ends with 0 and tells the count on Ctrl-C', async () => {
    const run = start('console-consumer', ...at(), '--topic', 'many', '--from-beginning')
    await run.printed(`${RECORD_COUNT - 1}.`)
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(run.stderr()).toBe(`Processed a total of ${RECORD_COUNT} messages\n`)
  })

  it('ends quietly with 0 when nobody reads on', async () => {
    const run = start('console-consumer', ...at(), '--topic', 'many', '--from-beginning')
    await once(run.child.stdout as NodeJS.ReadableStream, 'data')
    run.child.stdout?.destroy()
    expect(await run.ended).toBe(0)
    expect(run.stderr()).toMatch(/^Processed a total of \d+ messages\n$/)
  })

  it('commits what it printed, and no more', async () => {
    const admin = createAdmin({ bootstrapServers: hub.bootstrap })
    const io = memoryIo()
    await runCommand('console-consumer', [...at(), '--topic', 'many', '--group', 'seven', '--from-beginning', '--max-messages', '7'], io)
    const [committed] = await admin.fetchOffsets('seven')
    await admin.close()
    expect([io.stdoutText().split('\n').length, committed?.offset]).toEqual([8, 7])
  })

  it('stops at a record that cannot be printed, or skips it', async () => {
    const args = [...at(), '--topic', 'many', '--from-beginning', '--max-messages', '3', '--value-deserializer', 'LongDeserializer']
    const stopped = memoryIo()
    expect(await runCommand('console-consumer', args, stopped)).toBe(1)
    expect(stopped.stderrText()).toBe(
      'Processed a total of 1 messages\nmany-0, offset 0: Size of data received by LongDeserializer is not 8\n',
    )
    const skipped = memoryIo()
    expect(await runCommand('console-consumer', [...args, '--skip-message-on-error'], skipped)).toBe(0)
    expect(
      skipped
        .stderrText()
        .split('\n')
        .filter((line) => line.startsWith('Error processing message, skipping this message: ')),
    ).toHaveLength(3)
  })

  it('tells the broker’s time from the producer’s', async () => {
    const admin = createAdmin({ bootstrapServers: hub.bootstrap })
    await admin.createTopics([{ name: 'stamped', configs: { 'message.timestamp.type': 'LogAppendTime' } }])
    await admin.close()
    await runCommand('console-producer', [...at(), '--topic', 'stamped'], memoryIo('x\n'))
    const io = memoryIo()
    const args = [...at(), '--topic', 'stamped', '--from-beginning', '--max-messages', '1', '--formatter-property', 'print.timestamp=true']
    expect(await runCommand('console-consumer', args, io)).toBe(0)
    expect(io.stdoutText()).toMatch(/^LogAppendTime:\d{13}\tx\n$/)
  })
})

describe('console-producer', () => {
  it('delivers what was typed when Ctrl-C ends it', async () => {
    const run = start('console-producer', ...at(), '--topic', 'typed', '--property', 'parse.key=false')
    run.child.stdin?.write('one\ntwo\n')
    // It speaks before it reads, so the lines are on their way once it listens to signals.
    await run.printed('Use --reader-property instead.')
    const admin = createAdmin({ bootstrapServers: hub.bootstrap })
    let end = 0
    while (end < 2) end = (await admin.listOffsets([{ topic: 'typed', partition: 0, at: 'latest' }]))[0]?.offset ?? 0
    await admin.close()
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(0)
    expect(run.stdout()).toBe('Warning: --property is deprecated and will be removed in a future version. Use --reader-property instead.\n')
  })

  it('sends the lines before one that cannot be parsed', async () => {
    const io = memoryIo('a:1\nb\nc:3\n')
    const args = [...at(), '--topic', 'torn', '--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:']
    expect(await runCommand('console-producer', args, io)).toBe(1)
    expect(io.stderrText()).toBe("No key separator found on line number 2: 'b'\n")
    const offsets = memoryIo()
    await runCommand('get-offsets', [...at(), '--topic', 'torn'], offsets)
    expect(offsets.stdoutText()).toBe('torn:0:1\n')
  })
})

describe('an address where nobody is', () => {
  it('is told in one line, soon', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    const limits = { waitMs: 50, attemptMs: 1_000, pauseMs: 20 }
    const reached = reachAny([{ host: '127.0.0.1', port }], AbortSignal.timeout(30_000), limits)
    await expect(reached).rejects.toThrow(
      `cannot connect to 127.0.0.1:${port} (connection refused); start the broker there, or name another with --bootstrap-server`,
    )
  })

  it('is no matter while another one answers', async () => {
    const port = Number(hub.bootstrap.split(':')[1])
    await reachAny(
      [
        { host: '127.0.0.1', port: 1 },
        { host: '127.0.0.1', port },
      ],
      AbortSignal.timeout(30_000),
    )
  })
})

describe('millrace', () => {
  it('lists its commands, and guesses what a wrong one was to be', async () => {
    const io = memoryIo()
    expect(await runCommand('topicz', [], io)).toBe(2)
    expect(io.stderrText()).toBe('millrace: there is no command topicz, perhaps topics; millrace --help lists them\n')
    expect(
      overviewText()
        .split('\n')
        .filter((line) => line.length > 100),
    ).toEqual([])
  })

  it('prints the help of a command on stdout, and with an error on stderr', async () => {
    const help = memoryIo()
    expect(await runCommand('topics', ['--help'], help)).toBe(0)
    expect(help.stdoutText()).toContain('Usage: millrace topics [option]…')
    const bare = memoryIo()
    expect(await runCommand('topics', [], bare)).toBe(1)
    expect(bare.stderrText()).toMatch(/^This tool helps to create, delete, describe, or change a topic\.\n/)
  })

  it('adds the stack with --verbose', async () => {
    const io = memoryIo()
    expect(await runCommand('topics', [...at(), '--delete', '--topic', 'none', '--verbose'], io)).toBe(1)
    expect(io.stdoutText()).toBe("Error while executing topic command : Topic 'none' does not exist as expected\n")
    expect(io.stderrText()).toMatch(/^Error: Topic 'none' does not exist as expected\n {4}at /)
  })
})
