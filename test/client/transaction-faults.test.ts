/** A transactional producer against a coordinator by script, in both generations: lost answers, refusals, fencing, timeouts. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTransactionalProducer, type ProducerOptions, type TransactionalProducer } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { scriptedPeer } from './scripted-peer.ts'
import { type Fate, scriptTransactions } from './scripted-transactions.ts'

type World = ReturnType<typeof memoryWorld>
const generations = [1, 2] as const
const group = { groupId: 'g', generationId: 3, memberId: 'm', groupInstanceId: null }

/** Moves time on until the promise settles, and passes on its outcome. */
async function settle<T>(world: World, promise: Promise<T>, limitMs = 600_000): Promise<T> {
  let settled = false
  void Promise.allSettled([promise]).then(() => (settled = true))
  for (let passedMs = 0; !settled && passedMs < limitMs; passedMs += 20) await world.clock.advance(20)
  if (!settled) throw new Error(`nothing came of it in ${limitMs} ms`)
  return promise
}

async function failure(world: World, promise: Promise<unknown>): Promise<unknown> {
  return settle(
    world,
    promise.then(
      () => {
        throw new Error('nothing failed')
      },
      (error: unknown) => error,
    ),
  )
}

/** `fates`: what becomes of the first, second … request of an API; what is not told is answered. */
async function setUp(generation: 1 | 2, options: Partial<ProducerOptions> = {}) {
  const world = memoryWorld()
  const peer = await scriptedPeer(world.net)
  const fates = new Map<string, Fate[]>()
  const script = scriptTransactions(peer, generation, (api) => fates.get(api)?.shift() ?? 'answered')
  const producer = createTransactionalProducer({ bootstrapServers: peer.bootstrap, transactionalId: 'tx', world, lingerMs: 0, ...options })
  await settle(world, producer.initTransactions())
  peer.asked.length = 0
  const send = (value: string, partition = 0) => producer.send({ topic: 'orders', partition, value })
  return { world, peer, producer, script, fates, send }
}

async function commitOne(world: World, producer: TransactionalProducer, value: string): Promise<void> {
  producer.beginTransaction()
  await settle(world, Promise.all([producer.send({ topic: 'orders', partition: 0, value }), producer.commitTransaction()]))
}

describe.each(generations)('a transaction of generation %s', (generation) => {
  it('asks for what its generation asks for, and keeps or raises the epoch', async () => {
    const { world, peer, producer, script, send } = await setUp(generation)
    const first = script.identity
    producer.beginTransaction()
    await settle(world, Promise.all([send('a'), send('b', 1), producer.sendOffsets([{ topic: 'in', partition: 0, offset: 9 }], group)]))
    await settle(world, producer.commitTransaction())
    const asked = [...new Set(peer.asked)].filter((name) => name !== 'Metadata' && name !== 'FindCoordinator')
    const explicit = generation === 1 ? ['AddOffsetsToTxn', 'AddPartitionsToTxn'] : []
    expect(asked.toSorted()).toEqual([...explicit, 'EndTxn', 'Produce', 'TxnOffsetCommit'])
    expect(script.committed(0)).toEqual(['a'])
    expect(script.committed(1)).toEqual(['b'])
    expect(script.offsets).toEqual(new Map([['in-0', 9]]))
    expect(script.identity.epoch).toBe(first.epoch + (generation === 1 ? 0 : 1))
    await commitOne(world, producer, 'c')
    expect(script.committed(0)).toEqual(['a', 'c'])
    await settle(world, producer.close())
  })

  it('leaves nothing behind when it is aborted, and says so to whoever waits for what was not sent', async () => {
    const { world, producer, script, send, peer } = await setUp(generation, { lingerMs: 10_000 })
    producer.beginTransaction()
    await settle(world, Promise.all([send('sent'), producer.flush()]))
    const unsent = failure(world, send('unsent'))
    await settle(world, producer.abortTransaction())
    expect(await unsent).toMatchObject({ message: 'the transaction was aborted' })
    expect(script.open()).toEqual([])
    // Nothing was begun at the coordinator, so there is nothing to end.
    peer.asked.length = 0
    producer.beginTransaction()
    await settle(world, producer.abortTransaction())
    producer.beginTransaction()
    await settle(world, producer.commitTransaction())
    expect(peer.asked).toEqual([])
    await settle(world, Promise.all([producer.close()]))
    expect(script.committed(0)).toEqual([])
  })

  it('is carried out once whatever request or answer is lost on the way', async () => {
    const apis = ['FindCoordinator', 'InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'Produce', 'EndTxn']
    const fate = fc.constantFrom<Fate>(
      'answered',
      'answered',
      'answer lost',
      'request lost',
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
    )
    const round = fc.record({ commits: fc.boolean(), partitions: fc.array(fc.nat(1), { maxLength: 4 }), withOffsets: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(round, { minLength: 1, maxLength: 5 }),
        fc.array(fc.array(fate, { maxLength: 6 }), { minLength: 7, maxLength: 7 }),
        async (rounds, lists) => {
          const { world, producer, script, fates } = await setUp(generation)
          // A partition has no coordinator's errors.
          lists.forEach((list, index) => {
            const api = apis[index] ?? ''
            fates.set(api, api === 'Produce' ? list.map((one) => (typeof one === 'number' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : one)) : list)
          })
          const expected: string[][] = [[], []]
          let offset = -1
          for (const [index, { commits, partitions, withOffsets }] of rounds.entries()) {
            producer.beginTransaction()
            const sent = partitions.map((partition, at) => producer.send({ topic: 'orders', partition, value: `${index} ${at}` }))
            if (withOffsets) await settle(world, producer.sendOffsets([{ topic: 'in', partition: 0, offset: index }], group))
            if (commits) {
              await settle(world, Promise.all([...sent, producer.commitTransaction()]))
              for (const [at, partition] of partitions.entries()) expected[partition]?.push(`${index} ${at}`)
              if (withOffsets) offset = index
            } else await settle(world, Promise.all([Promise.allSettled(sent), producer.abortTransaction()]))
          }
          expect([script.committed(0), script.committed(1)]).toEqual(expected)
          expect(script.open()).toEqual([])
          expect(script.offsets.get('in-0') ?? -1).toBe(offset)
          await settle(world, producer.close())
        },
      ),
      { numRuns: process.env['MILLRACE_LONG'] === undefined ? 40 : 1_000 },
    )
  }, 120_000)

  it('waits while the markers of the one before it are being written', async () => {
    const { world, producer, script, fates } = await setUp(generation)
    for (const api of ['AddPartitionsToTxn', 'Produce', 'EndTxn']) {
      fates.set(api, [ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.CONCURRENT_TRANSACTIONS])
    }
    const begunMs = world.clock.monotonicMs()
    await commitOne(world, producer, 'v')
    expect(script.committed(0)).toEqual(['v'])
    expect(world.clock.monotonicMs() - begunMs).toBeLessThan(400)
    await settle(world, producer.close())
  })

  it('asks the next coordinator when the first one moves', async () => {
    const { world, peer, producer, script, fates } = await setUp(generation)
    fates.set('EndTxn', [ErrorCode.NOT_COORDINATOR, ErrorCode.NOT_COORDINATOR])
    await commitOne(world, producer, 'v')
    expect(script.committed(0)).toEqual(['v'])
    expect(peer.asked.filter((name) => name === 'FindCoordinator')).toHaveLength(2)
    await settle(world, producer.close())
  })

  it('goes on where it was when a call is given up', async () => {
    const { world, producer, script, fates, send } = await setUp(generation, { blockMsMax: 1_000 })
    fates.set('EndTxn', Array<Fate>(40).fill(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS))
    producer.beginTransaction()
    await settle(world, send('v'))
    expect(await failure(world, producer.commitTransaction())).toMatchObject({ kind: 'timeout' })
    expect(producer.transactionStatus).toBe('committing')
    expect(await failure(world, producer.abortTransaction())).toMatchObject({ kind: 'state' })
    const stop = new AbortController()
    const given = failure(world, producer.commitTransaction(stop.signal))
    stop.abort(new Error('enough'))
    expect(await given).toMatchObject({ message: 'enough' })
    fates.clear()
    await settle(world, producer.commitTransaction())
    expect(script.committed(0)).toEqual(['v'])
    await settle(world, producer.close())
  })

  it('is over for good when another producer has the id', async () => {
    for (const step of ['send', 'offsets', 'commit', 'abort'] as const) {
      const { world, producer, script, send } = await setUp(generation)
      producer.beginTransaction()
      await settle(world, send('first'))
      script.fence()
      if (step === 'send') await failure(world, send('second'))
      if (step === 'offsets')
        expect(await failure(world, producer.sendOffsets([{ topic: 'in', partition: 0, offset: 1 }], group))).toMatchObject({
          kind: 'fatal',
        })
      // A leader only sees an old epoch: the producer may still try to abort, and hears it then.
      if (step === 'commit') expect(await failure(world, producer.commitTransaction())).toMatchObject({ kind: 'fatal' })
      else await failure(world, producer.abortTransaction())
      expect(producer.transactionStatus).toBe('fatal-error')
      expect(() => producer.beginTransaction()).toThrow('cannot go on')
      expect(await failure(world, send('never'))).toMatchObject({ kind: 'fatal' })
      await settle(world, producer.close())
      expect(script.committed(0)).toEqual([])
    }
  })

  it.each([ErrorCode.TRANSACTION_ABORTABLE, ErrorCode.TOPIC_AUTHORIZATION_FAILED, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER])(
    'can only be aborted after a leader has answered %s, and the next one is whole',
    async (code) => {
      const { world, producer, script, fates, send } = await setUp(generation)
      producer.beginTransaction()
      await settle(world, send('first'))
      fates.set('Produce', [code])
      const refused = failure(world, send('second'))
      const late = failure(world, Promise.all([send('third'), send('fourth')]))
      expect(await refused).toMatchObject({ code })
      await late
      expect(producer.transactionStatus).toBe('abortable-error')
      expect(await failure(world, producer.commitTransaction())).toMatchObject({ kind: 'abortable', cause: { code } })
      await settle(world, producer.abortTransaction())
      await commitOne(world, producer, 'after')
      expect(script.committed(0)).toEqual(['after'])
      expect(script.open()).toEqual([])
      await settle(world, producer.close())
    },
  )

  it.each([ErrorCode.ILLEGAL_GENERATION, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID, ErrorCode.STALE_MEMBER_EPOCH])(
    'can only be aborted after the group has answered %s',
    async (code) => {
      const { world, producer, script, fates } = await setUp(generation)
      producer.beginTransaction()
      fates.set('TxnOffsetCommit', [code])
      expect(await failure(world, producer.sendOffsets([{ topic: 'in', partition: 0, offset: 1 }], group))).toMatchObject({
        kind: 'abortable',
        cause: { code },
      })
      await settle(world, producer.abortTransaction())
      expect(script.offsets.size).toBe(0)
      await commitOne(world, producer, 'after')
      await settle(world, producer.close())
    },
  )

  it('is torn when a record runs out of time, and its late arrival does no harm', async () => {
    const { world, producer, script, fates, send } = await setUp(generation, { requestTimeoutMs: 1_000, deliveryTimeoutMs: 2_000 })
    producer.beginTransaction()
    await settle(world, send('first'))
    fates.set('Produce', ['answer lost', ...Array<Fate>(60).fill('request lost')])
    expect(await failure(world, send('late'))).toMatchObject({ kind: 'timeout' })
    expect(await failure(world, producer.commitTransaction())).toMatchObject({ kind: 'abortable' })
    fates.clear()
    await settle(world, producer.abortTransaction())
    await commitOne(world, producer, 'after')
    expect(script.committed(0)).toEqual(['after'])
    await settle(world, producer.close())
  })

  it('is fatal when it may not be begun, or when the coordinator no longer lets it end', async () => {
    const { world, producer, fates, send } = await setUp(generation)
    fates.set('EndTxn', [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
    producer.beginTransaction()
    await settle(world, send('v'))
    expect(await failure(world, producer.commitTransaction())).toMatchObject({
      kind: 'fatal',
      cause: { name: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' },
    })
    await settle(world, producer.close())

    const other = await setUp(generation)
    other.fates.set('EndTxn', [ErrorCode.TRANSACTION_ABORTABLE, ErrorCode.TRANSACTION_ABORTABLE])
    other.producer.beginTransaction()
    await settle(other.world, other.send('v'))
    expect(await failure(other.world, other.producer.commitTransaction())).toMatchObject({ kind: 'abortable' })
    // An abort that is to be aborted would go round for ever (KIP-1050).
    expect(await failure(other.world, other.producer.abortTransaction())).toMatchObject({ kind: 'fatal' })
    await settle(other.world, other.producer.close())
  })

  it('does not begin for a producer that cannot get an identity', async () => {
    const world = memoryWorld()
    const peer = await scriptedPeer(world.net)
    const fates: Fate[] = [ErrorCode.CONCURRENT_TRANSACTIONS, 'request lost', ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]
    scriptTransactions(peer, generation, (api) => (api === 'InitProducerId' ? (fates.shift() ?? 'answered') : 'answered'))
    const producer = createTransactionalProducer({ bootstrapServers: peer.bootstrap, transactionalId: 'tx', world })
    expect(await failure(world, producer.initTransactions())).toMatchObject({
      kind: 'fatal',
      cause: { name: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' },
    })
    expect(fates).toEqual([])
    await settle(world, producer.close())
  })
})

describe('a transaction of the first generation', () => {
  it('gets another epoch when the coordinator has forgotten the producer', async () => {
    const { world, peer, producer, script, fates } = await setUp(1)
    fates.set('AddPartitionsToTxn', [ErrorCode.INVALID_PRODUCER_ID_MAPPING])
    producer.beginTransaction()
    const sent = failure(world, producer.send({ topic: 'orders', partition: 0, value: 'lost' }))
    expect(await failure(world, producer.commitTransaction())).toMatchObject({ kind: 'abortable' })
    await sent
    peer.asked.length = 0
    await settle(world, producer.abortTransaction())
    // EndTxn would be refused.
    expect(peer.asked).toEqual(['InitProducerId'])
    await commitOne(world, producer, 'after')
    expect(script.committed(0)).toEqual(['after'])
    await settle(world, producer.close())
  })
})
