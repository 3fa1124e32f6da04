import { describe, expect, it } from 'vitest'
import { type Logger, type LoggerOptions, createLogger, memoryLogger } from '../../hub/observe/index.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly [fact: string]: unknown
}

async function jsonLogger(options: Partial<LoggerOptions> = {}): Promise<{ logger: Logger; lines: () => Line[]; text: () => string }> {
  let text = ''
  const output = { write: (line: string) => (text += line) }
  const logger = await createLogger({ output, nowMs: () => 1_700_000_000_000, level: 'debug', ...options })
  const lines = (): Line[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line)
  return { logger, lines, text: () => text }
}

/** Both loggers under the same calls; `read` gives level, message and facts. */
const loggers: [string, () => Promise<{ logger: Logger; read: () => unknown[] }>][] = [
  [
    'the logger on pino',
    async () => {
      const { logger, lines } = await jsonLogger()
      return { logger, read: () => lines().map(({ level, message, time: _time, ...facts }) => ({ level, message, facts })) }
    },
  ],
  [
    'the logger in memory',
    async () => {
      const logger = memoryLogger()
      return { logger, read: () => [...logger.entries] }
    },
  ],
]

describe.each(loggers)('%s', (_name, make) => {
  it('tells level, message and facts, given in either order', async () => {
    const { logger, read } = await make()
    logger.error('broken', { partition: 3 })
    logger.warn({ path: '/data' }, 'odd')
    logger.info('fine')
    logger.debug('detail', { list: [1, 2] })
    expect(read()).toEqual([
      { level: 'error', message: 'broken', facts: { partition: 3 } },
      { level: 'warn', message: 'odd', facts: { path: '/data' } },
      { level: 'info', message: 'fine', facts: {} },
      { level: 'debug', message: 'detail', facts: { list: [1, 2] } },
    ])
  })

  it('adds the bindings of its parents', async () => {
    const { logger, read } = await make()
    logger.child({ room: 'log' }).child({ topic: 't' }).info('opened', { count: 1 })
    expect(read()).toEqual([{ level: 'info', message: 'opened', facts: { room: 'log', topic: 't', count: 1 } }])
  })
})

describe('a line', () => {
  it('has a time and one line, whatever the message holds', async () => {
    const { logger, text, lines } = await jsonLogger()
    logger.info('two\nlines "quoted"')
    expect(text().split('\n').length).toBe(2)
    expect(lines()[0]).toEqual({ level: 'info', time: '2023-11-14T22:13:20.000Z', message: 'two\nlines "quoted"' })
  })

  it('is left out below the level', async () => {
    const { logger, lines } = await jsonLogger({ level: 'warn' })
    logger.info('no')
    logger.warn('yes')
    expect(lines().map(({ message }) => message)).toEqual(['yes'])
  })

  it('shows errors with code and cause, bigints, maps, sets and buffers', async () => {
    const { logger, lines } = await jsonLogger()
    const error = Object.assign(new Error('no space', { cause: new Error('full') }), { code: 'ENOSPC' })
    logger.error('write failed', { error, big: 2n ** 60n, map: new Map([['a', 1]]), set: new Set(['x']), bytes: Buffer.alloc(3) })
    expect(lines()[0]).toMatchObject({
      error: { type: 'Error', message: 'no space', code: 'ENOSPC', cause: { message: 'full' } },
      big: '1152921504606846976',
      map: { a: 1 },
      set: ['x'],
      bytes: '<3 bytes>',
    })
  })

  it('survives facts that point at themselves', async () => {
    const { logger, lines } = await jsonLogger()
    const self: Record<string, unknown> = {}
    self['self'] = self
    logger.info('round', self)
    expect(lines().length).toBe(1)
  })
})

describe('secrets', () => {
  it('are hidden under their names, at any depth, in children too', async () => {
    const { logger, text } = await jsonLogger({ secrets: { isSecretName: (name) => name.endsWith('password') } })
    logger.info('a', { 'ssl.key.password': 's3cret', deep: [{ config: new Map([['x.password', 's3cret']]) }] })
    logger.child({ password: 's3cret' }).info('b')
    expect(text()).not.toContain('s3cret')
    expect(text().match(/\[hidden\]/g)?.length).toBe(3)
  })

  it('are blotted out of messages and errors by their values', async () => {
    const values: string[] = []
    const { logger, text } = await jsonLogger({ secrets: { values: () => values } })
    values.push('p"ss\\wörd', 'abc')
    logger.error('cannot log in with p"ss\\wörd at abc', { error: new Error('bad p"ss\\wörd') })
    expect(text()).not.toContain('wörd')
    expect(text()).toContain('at abc')
  })
})

describe('a terminal', () => {
  it('gets readable lines', async () => {
    let written = ''
    const output = { isTTY: true, write: (line: string) => (written += line) }
    const logger = await createLogger({ output, nowMs: () => 0, secrets: { values: () => ['s3cret'] } })
    logger.warn('look here', { partition: 7, note: 's3cret' })
    expect(written).toContain('look here')
    expect(written).toContain('partition')
    expect(written).not.toContain('s3cret')
    expect(written).not.toContain('{"level"')
  })
})
