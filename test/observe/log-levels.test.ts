import { describe, expect, it } from 'vitest'
import { createLogger, memoryLogger } from '../../hub/observe/index.ts'

describe('the level of a logger', () => {
  it('is its own, else that of the nearest above it, else that of root', () => {
    const log = memoryLogger()
    const logger = log.named('a.b.c')
    log.named('a')
    log.levels.set('root', 'WARN')
    logger.info('1')
    log.levels.set('a', 'INFO')
    logger.info('2')
    logger.debug('3')
    log.levels.set('a.b.c', 'TRACE')
    logger.debug('4')
    log.levels.unset('a.b.c')
    logger.debug('5')
    log.levels.unset('a')
    logger.info('6')
    logger.warn('7')
    log.levels.set('root', 'FATAL')
    logger.error('8')
    expect(log.entries.map(({ message }) => message)).toEqual(['2', '4', '7'])
    expect([...log.levels.all()]).toEqual([
      ['root', 'FATAL'],
      ['a.b.c', 'FATAL'],
      ['a', 'FATAL'],
    ])
  })

  it('changes nothing for names that no logger has, and root keeps one', () => {
    const { levels } = memoryLogger()
    levels.set('nobody', 'WARN')
    levels.unset('root')
    expect([...levels.all()]).toEqual([['root', 'DEBUG']])
  })

  it('holds for loggers that write lines, and for their children', async () => {
    const lines: string[] = []
    const logger = await createLogger({ output: { write: (text) => lines.push(text) }, nowMs: () => 0, level: 'warn' })
    const child = logger.named('room').child({ topic: 't' })
    child.info('unheard')
    logger.levels.set('room', 'DEBUG')
    child.debug('heard')
    logger.info('root goes on')
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['heard'])
  })
})
