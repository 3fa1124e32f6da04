import { afterEach, describe, expect, it } from 'vitest'
import type { MetadataImage, TopicImage } from '../../hub/cluster/index.ts'
import { type MemoryClock, type MemoryDisk, memoryClock, memoryDisk } from '../../hub/io/index.ts'
import { type LogDirectory, openLogDirectory } from '../../hub/log/index.ts'
import { type MemoryLogger, memoryLogger } from '../../hub/observe/index.ts'
import { Partitions } from '../../hub/replica/index.ts'
import { encodeBatch } from '../../hub/wire/index.ts'
import { logConfig } from './log-config.ts'

const NODE_ID = 1
const IDS = { a: 'aaaaaaaaaaaaaaaaaaaaaQ', b: 'bbbbbbbbbbbbbbbbbbbbbQ', c: 'cccccccccccccccccccccQ' } as const

function topic(name: string, topicId: string, partitionCount = 1): TopicImage {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({
    partition,
    leader: NODE_ID,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [NODE_ID],
    isr: [NODE_ID],
    directories: [],
    removingReplicas: [],
    addingReplicas: [],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }))
  return { name, topicId, partitions }
}

function imageOf(...topics: TopicImage[]): MetadataImage {
  return {
    clusterId: 'c',
    offset: 0,
    epoch: 0,
    topicsByName: new Map(topics.map((one) => [one.name, one])),
    topicsById: new Map(topics.map((one) => [one.topicId, one])),
    brokers: new Map(),
    controllerId: NODE_ID,
    configs: new Map(),
    features: new Map(),
    scramCredentials: new Map(),
    nextProducerId: 0,
  }
}

interface World {
  readonly disk: MemoryDisk
  readonly clock: MemoryClock
  readonly logger: MemoryLogger
  readonly directory: LogDirectory
  readonly partitions: Partitions
  readonly deleted: string[]
  /** Puts an image in force. */
  readonly apply: (...topics: TopicImage[]) => void
}

const worlds: World[] = []
afterEach(async () => {
  for (const { partitions, directory, disk } of worlds.splice(0)) {
    disk.intercept = undefined
    await partitions.close()
    await directory.abandon()
  }
})

async function open(topics: readonly TopicImage[] = [], disk: MemoryDisk = memoryDisk()): Promise<World> {
  const clock = memoryClock()
  const logger = memoryLogger()
  const formatIfEmpty = { clusterId: 'c', nodeId: NODE_ID, directoryId: 'd' }
  const limits = { freeBytesMin: 0 }
  const directory = await openLogDirectory('/data', { clock, disk, logger, randomFloat: () => 0.5, formatIfEmpty, limits })
  const deleted: string[] = []
  let image = imageOf(...topics)
  const partitions = new Partitions(image, {
    nodeId: NODE_ID,
    clock,
    directory,
    durability: 'fsync',
    logger,
    logConfigOf: () => logConfig,
    onTopicDeleted: ({ topicId }) => void deleted.push(topicId),
  })
  const apply = (...now: TopicImage[]): void => {
    const previous = image
    image = imageOf(...now)
    partitions.apply(image, previous)
  }
  const world = { disk, clock, logger, directory, partitions, deleted, apply }
  worlds.push(world)
  await partitions.start()
  return world
}

const batch = (): Buffer => encodeBatch({ records: [{ key: null, value: Buffer.from('v'), timestampMs: 1 }] })
const outOfFiles = (): Error => Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })

describe('hosted partitions', () => {
  it('are on a new log when their topic was deleted and made anew while other logs were being removed', async () => {
    const { disk, partitions, apply } = await open([topic('big', IDS.b, 3), topic('a', IDS.a)])
    const old = partitions.get('a', 0)
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const { promise: removing, resolve: began } = Promise.withResolvers<void>()
    disk.intercept = ({ kind, path }) => {
      if (kind !== 'rename' || !path.includes('/big-')) return undefined
      began()
      return release
    }
    apply(topic('a', IDS.a))
    await removing
    apply()
    apply(topic('a', IDS.c))
    resolve()
    await partitions.settled()
    const partition = partitions.get('a', 0)
    expect(partition?.topicId).toBe(IDS.c)
    expect(partition?.log).not.toBe(old?.log)
    const outcome = partition?.append(batch(), -1)
    if (outcome?.kind !== 'accepted') throw new Error('not accepted')
    expect(outcome.baseOffset).toBe(0)
    await outcome.durable
    expect(partition?.highWatermark.value).toBe(1)
  })

  it('are tried again, ever more seldom, when their log cannot be opened', async () => {
    const { disk, clock, partitions, apply, logger } = await open()
    let tries = 0
    disk.intercept = ({ kind, path }) => {
      if (kind !== 'open' || !path.includes('/t-0/')) return
      tries++
      throw outOfFiles()
    }
    apply(topic('t', IDS.a))
    await partitions.settled()
    expect(partitions.failure('t', 0)?.message).toContain('EMFILE')
    expect([...partitions.failures()]).toMatchObject([{ topic: 't', partition: 0, topicId: IDS.a }])
    expect(tries).toBe(1)
    const triesAfter: number[] = []
    for (const delayMs of [500, 1000, 1000, 1000, 60_000]) {
      await clock.advance(delayMs)
      await partitions.settled()
      triesAfter.push(tries)
    }
    expect(triesAfter.slice(0, 4)).toEqual([2, 3, 3, 4])
    expect(triesAfter[4]).toBeLessThan(12)
    expect(logger.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
    // Other topics do not wait for it, nor try it.
    apply(topic('t', IDS.a), topic('other', IDS.b))
    await partitions.settled()
    expect(partitions.get('other', 0)).toBeDefined()
    expect(tries).toBe(triesAfter[4])
    disk.intercept = undefined
    await clock.advance(30_000)
    await partitions.settled()
    expect(partitions.get('t', 0)?.append(batch(), 0)).toMatchObject({ kind: 'accepted' })
    expect([...partitions.failures()]).toEqual([])
    expect(clock.timerCount).toBeLessThan(5)
  })

  it('are forgotten when their topic is deleted before their log could be opened', async () => {
    const { disk, clock, partitions, apply, deleted } = await open()
    disk.intercept = ({ kind, path }) => {
      if (kind === 'open' && path.includes('/t-0/')) throw outOfFiles()
    }
    apply(topic('t', IDS.a))
    await partitions.settled()
    apply()
    await partitions.settled()
    disk.intercept = undefined
    expect(deleted).toEqual([IDS.a])
    expect([...partitions.failures()]).toEqual([])
    await clock.advance(60_000)
    expect((await disk.list('/data')).filter((name) => name.startsWith('t-0'))).toEqual([])
    apply(topic('t', IDS.b))
    await partitions.settled()
    expect(partitions.get('t', 0)?.topicId).toBe(IDS.b)
  })

  it('get their log when the directory of an earlier topic of their name is gone at last', async () => {
    const { disk, clock, partitions, apply } = await open([topic('t', IDS.a)])
    disk.intercept = ({ kind, path }) => {
      if (kind === 'rename' && path.includes('/t-0')) throw outOfFiles()
    }
    apply()
    apply(topic('t', IDS.b))
    await partitions.settled()
    expect(partitions.get('t', 0)).toBeUndefined()
    expect(partitions.failure('t', 0)).toBeDefined()
    disk.intercept = undefined
    await clock.advance(500)
    await partitions.settled()
    expect(partitions.get('t', 0)?.topicId).toBe(IDS.b)
  })

  it('are removed in the end when that failed at first', async () => {
    const { disk, clock, partitions, apply } = await open([topic('t', IDS.a)])
    disk.intercept = ({ kind, path }) => {
      if (kind === 'rename' && path.includes('/t-0')) throw outOfFiles()
    }
    apply()
    await partitions.settled()
    expect(await disk.list('/data')).toContain('t-0')
    disk.intercept = undefined
    await clock.advance(500)
    await partitions.settled()
    expect(await disk.list('/data')).not.toContain('t-0')
  })

  it('wake who waits for them when they go', async () => {
    const { partitions, apply } = await open([topic('t', IDS.a)])
    const seen = partitions.get('t', 0)?.seen()
    apply()
    expect(seen?.mark.isEnded).toBe(true)
    expect(partitions.get('t', 0)).toBeUndefined()
  })
})

describe('logs that no topic claims', () => {
  it('are kept under another name, with a warning that tells it; a folder that is no log is left alone', async () => {
    const first = await open([topic('t', IDS.a), topic('stray', IDS.b)])
    const outcome = first.partitions.get('stray', 0)?.append(batch(), -1)
    if (outcome?.kind !== 'accepted') throw new Error('not accepted')
    await outcome.durable
    worlds.length = 0
    await first.partitions.close()
    await first.directory.close()
    const { disk } = first
    await disk.makeDirectory('/data/backup-2024')
    await disk.writeFileAtomic('/data/backup-2024/precious.txt', Buffer.from('mine'))
    const { logger, partitions } = await open([topic('t', IDS.c), topic('backup', IDS.b, 1)], disk)
    const names = await disk.list('/data')
    const strays = names.filter((name) => name.endsWith('-stray'))
    expect(strays.map((name) => name.replace(/\.[0-9a-f]{32}-stray$/, ''))).toEqual(['stray-0', 't-0'])
    expect(await disk.list(`/data/${strays[0]}`)).toContain('00000000000000000000.log')
    const warnings = logger.entries.filter(({ level }) => level === 'warn').map(({ message }) => message)
    for (const stray of strays) expect(warnings.some((message) => message.includes(stray))).toBe(true)
    expect((await disk.readFile('/data/backup-2024/precious.txt')).toString()).toBe('mine')
    expect(partitions.get('t', 0)?.topicId).toBe(IDS.c)
  })
})
