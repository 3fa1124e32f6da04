import { describe, expect, it } from 'vitest'
import { batchHeader, decodeEndTransactionMarker, decodeRecords, ErrorCode } from '../../hub/wire/index.ts'
import { abortedOf, TestProducer } from './transaction-world.ts'
import { batchOf, client, CONFIG, EVERYTHING, openLog, range, START_MS, testWorld, TOPIC_ID } from './world.ts'

const codeOf = (answer: { readonly kind: string; readonly errorCode?: number }): unknown =>
  answer.kind === 'refused' ? answer.errorCode : answer.kind

describe('the last stable offset', () => {
  it('is the high watermark without transactions, idempotent producers or not', async () => {
    const { log, directory } = await openLog()
    log.append(batchOf(['a']), client)
    log.append(new TestProducer(1).batch(2, { transactional: false }), client)
    expect(log.lastStableOffset(3)).toBe(3)
    expect(log.lastStableOffset(3)).toBe(3)
    expect(log.hasAbortedTransactions).toBe(false)
    expect(log.abortedTransactions(0, 3)).toEqual([])
    await directory.close()
  })

  it('stops before the earliest open transaction, whoever ends first', async () => {
    const { log, directory } = await openLog()
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    log.append(batchOf(['a']), client)
    expect([one.send(log, 2), two.send(log, 1)]).toEqual([1, 3])
    log.append(batchOf(['b']), client)
    expect(log.lastStableOffset(5)).toBe(1)
    expect(two.end(log, true)).toBe(5)
    expect(log.lastStableOffset(6)).toBe(1)
    expect(one.end(log, false)).toBe(6)
    expect(log.lastStableOffset(7)).toBe(7)
    expect(await abortedOf(log, 0, 7)).toEqual([[1, 1]])
    await directory.close()
  })

  it('counts a transaction as undecided until the high watermark has passed its marker', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    one.send(log, 3)
    one.end(log, true)
    expect(log.logEndOffset).toBe(4)
    expect([log.lastStableOffset(2), log.lastStableOffset(3), log.lastStableOffset(4)]).toEqual([0, 0, 4])
    await directory.close()
  })

  it('does not lie below the log’s start', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    one.send(log, 2)
    log.append(batchOf(['a', 'b']), client)
    await log.whenSynced(4)
    let calls = 0
    log.onAdvance(() => calls++)
    await log.advanceLogStart(3)
    expect(log.lastStableOffset(4)).toBe(3)
    expect(calls).toBe(1)
    await directory.close()
  })
})

describe('a transactional batch', () => {
  it('needs a guard that is valid, once', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    const trying = (verification?: { readonly producerId: number }) =>
      codeOf(log.append(one.batch(), { ...client, ...(verification === undefined ? {} : { verification }) }))
    expect(trying()).toBe(ErrorCode.INVALID_TXN_STATE)
    const guard = log.beginVerification(1, 0, 0, false)
    expect(trying({ producerId: 1 })).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(guard).toBeDefined()
    expect(log.beginVerification(1, 0, 0, false)).toBe(guard)
    expect(trying(guard)).toBe('appended')
    one.sent()
    // Open here: nothing is to be verified, and nothing asked for.
    expect(log.beginVerification(1, 0, 1, false)).toBeUndefined()
    expect(trying()).toBe('appended')
    one.sent()
    one.end(log, true)
    expect(trying(guard)).toBe(ErrorCode.INVALID_TXN_STATE)
    await directory.close()
  })

  it('does not begin another transaction when a marker came while it was verified', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    const guard = log.beginVerification(1, 0, 0, false)
    one.end(log, false)
    expect(codeOf(log.append(one.batch(), { ...client, verification: guard }))).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(log.lastStableOffset(1)).toBe(1)
    const fresh = log.beginVerification(1, 0, 0, false)
    expect(fresh).not.toBe(guard)
    expect(codeOf(log.append(one.batch(), { ...client, verification: guard }))).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(codeOf(log.append(one.batch(), { ...client, verification: fresh }))).toBe('appended')
    await directory.close()
  })

  it('comes after those with lower sequences that are being verified', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    const guard = log.beginVerification(1, 0, 5, false)
    expect(log.beginVerification(1, 0, 3, false)).toBe(guard)
    const trying = (baseSequence: number) => codeOf(log.append(one.batch(2, { baseSequence }), { ...client, verification: guard }))
    expect(trying(5)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    // A higher epoch begins anew.
    one.epoch = 1
    expect(log.beginVerification(1, 1, 4, false)).toBe(guard)
    expect([trying(5), trying(4)]).toEqual([ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 'appended'])
    await directory.close()
  })

  it('of version 2 begins with sequence 0', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    const guard = log.beginVerification(1, 0, 2, true)
    expect(codeOf(log.append(one.batch(1, { baseSequence: 2 }), { ...client, verification: guard }))).toBe(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    )
    expect(log.beginVerification(1, 0, 0, true)).toBe(guard)
    expect(codeOf(log.append(one.batch(), { ...client, verification: guard }))).toBe('appended')
    await directory.close()
  })

  it('of an old epoch hears that first', async () => {
    const { log, directory } = await openLog()
    const [old, one] = [new TestProducer(1, 0), new TestProducer(1, 1)]
    one.send(log)
    expect(log.beginVerification(1, 0, 0, true)).toBeUndefined()
    expect(codeOf(log.append(old.batch(), client))).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    // A newer epoch than that of the open transaction is to be verified: the coordinator may have ended it.
    expect(log.beginVerification(1, 2, 0, true)).toBeDefined()
    await directory.close()
  })

  it('is a retry before it is anything else', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    const batch = one.batch(2)
    const again = Buffer.from(batch)
    log.append(batch, { ...client, verification: 'trusted' })
    one.sent(2)
    one.end(log, true)
    expect(log.append(again, client)).toMatchObject({ kind: 'appended', duplicate: true, baseOffset: 0, lastOffset: 1 })
    expect(log.lastStableOffset(3)).toBe(3)
    await directory.close()
  })

  it('keeps its producer inside of the transaction', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    one.send(log)
    expect(codeOf(log.append(one.batch(1, { transactional: false }), client))).toBe(ErrorCode.INVALID_TXN_STATE)
    one.end(log, true)
    expect(codeOf(log.append(one.batch(1, { transactional: false }), client))).toBe('appended')
    await directory.close()
  })

  it('stays one when it is compressed anew', async () => {
    const { log, directory } = await openLog({ compressionType: 'lz4' })
    const one = new TestProducer(1)
    one.send(log)
    const { records } = await log.read(0, EVERYTHING)
    expect(batchHeader.isTransactional(records[0] as Buffer, 0)).toBe(true)
    expect(log.lastStableOffset(1)).toBe(0)
    await directory.close()
  })

  it('of a coordinator is judged by its epoch, not by its sequence', async () => {
    const { log, directory } = await openLog()
    const [old, one] = [new TestProducer(1, 0), new TestProducer(1, 1)]
    const own = { origin: 'coordinator', leaderEpoch: 0, verification: 'trusted' } as const
    const zero = { baseSequence: 0 }
    for (let n = 0; n < 3; n++) expect(codeOf(log.append(one.batch(1, zero), own))).toBe('appended')
    expect(codeOf(log.append(old.batch(1, zero), own))).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(log.lastStableOffset(3)).toBe(0)
    one.end(log, true)
    expect(codeOf(log.append(one.batch(1, zero), { origin: 'coordinator', leaderEpoch: 0 }))).toBe(ErrorCode.INVALID_TXN_STATE)
    await directory.close()
  })
})

describe('a marker', () => {
  // As Kafka 4.3.1 writes it: batch header, then the record: 0 length, key (version, type), value (version, coordinator epoch).
  it('is Kafka’s control record', async () => {
    const { log, directory, world } = await openLog()
    const one = new TestProducer(1000, 3)
    one.send(log)
    one.end(log, true, { coordinatorEpoch: 0x01020304 })
    one.send(log)
    one.end(log, false, { coordinatorEpoch: 0x01020304, transactionVersion: 2 })
    const markers = []
    for (const offset of [1, 3]) {
      const { records } = await log.read(offset, EVERYTHING)
      const buffer = records[0] as Buffer
      expect(batchHeader.baseOffset(buffer, 0)).toBe(offset)
      const size = batchHeader.sizeBytes(buffer, 0)
      expect(buffer.subarray(21, 27).toString('hex')).toBe('003000000000') // transactional and control, last offset delta 0
      expect(batchHeader.baseSequence(buffer, 0)).toBe(-1)
      expect([batchHeader.producerId(buffer, 0), batchHeader.maxTimestampMs(buffer, 0)]).toEqual([1000, world.clock.nowMs()])
      markers.push([batchHeader.producerEpoch(buffer, 0), buffer.toString('hex', 61, size)])
    }
    const [length, attributesAndDeltas] = ['20', '000000']
    expect(markers).toEqual([
      [3, `${length}${attributesAndDeltas}08000000010c00000102030400`],
      [4, `${length}${attributesAndDeltas}08000000000c00000102030400`],
    ])
    const { records } = await log.read(3, EVERYTHING)
    const [record] = decodeRecords(records[0] as Buffer, 0)
    expect(decodeEndTransactionMarker(record?.key ?? null, record?.value ?? null)).toEqual({ commit: false, coordinatorEpoch: 0x01020304 })
    await directory.close()
  })

  it('of an old coordinator is fenced', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    one.send(log)
    one.end(log, true, { coordinatorEpoch: 5 })
    one.send(log)
    expect(codeOf(log.appendMarker(one.marker(false, { coordinatorEpoch: 4 }), 0))).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    expect(codeOf(log.appendMarker(one.marker(false, { coordinatorEpoch: 5 }), 0))).toBe('appended')
    await directory.close()
  })

  it.each([
    // version, epoch of the marker less that of the records, open?, outcome
    [1, -1, true, ErrorCode.INVALID_PRODUCER_EPOCH],
    [1, 0, true, 'appended'],
    [1, 1, true, 'appended'],
    [1, 0, false, 'appended'],
    [2, -1, true, ErrorCode.INVALID_PRODUCER_EPOCH],
    [2, 0, true, ErrorCode.INVALID_PRODUCER_EPOCH],
    [2, 1, true, 'appended'],
    [2, 0, false, 'appended'],
    [2, -1, false, ErrorCode.INVALID_PRODUCER_EPOCH],
  ] as const)('of version %i with an epoch %i off (transaction open: %s): %s', async (transactionVersion, off, isOpen, outcome) => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1, 5)
    one.send(log)
    if (!isOpen) one.end(log, true)
    expect(codeOf(log.appendMarker(one.marker(true, { transactionVersion, producerEpoch: 5 + off }), 0))).toBe(outcome)
    await directory.close()
  })

  it('for a producer that is unknown, or has nothing open, changes nothing for readers', async () => {
    const { log, directory } = await openLog()
    new TestProducer(9, 2).end(log, false)
    expect(log.lastStableOffset(1)).toBe(1)
    expect(log.hasAbortedTransactions).toBe(false)
    expect(log.producers()).toMatchObject([{ producerId: 9, producerEpoch: 2, lastSequence: -1, currentTransactionStartOffset: -1 }])
    await directory.close()
  })

  it('of a new epoch begins the sequences anew, one of the same epoch does not', async () => {
    const { log, directory } = await openLog()
    const one = new TestProducer(1)
    one.send(log, 3)
    one.end(log, true)
    expect(codeOf(log.append(one.batch(1, { baseSequence: 0 }), { ...client, verification: 'trusted' }))).toBe(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    )
    one.send(log)
    one.end(log, true, { transactionVersion: 2 })
    expect(codeOf(log.append(one.batch(1, { baseSequence: 4 }), { ...client, verification: 'trusted' }))).toBe(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    )
    expect(one.send(log)).toBe(6)
    await directory.close()
  })
})

describe('aborted transactions', () => {
  it('are found over segments that are not open any more, as far as a range needs them', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 300, fileDeleteDelayMs: 0 }, { closedSegmentsOpenMax: 1 })
    const one = new TestProducer(1)
    const expected: (readonly [number, number])[] = []
    for (let n = 0; n < 20; n++) {
      const first = one.send(log, 1, 'trusted', 50)
      one.send(log, 1, 'trusted', 50)
      one.end(log, n % 2 === 0)
      if (n % 2 === 1) expected.push([1, first])
    }
    await log.whenSynced(log.logEndOffset)
    expect(log.segmentCount).toBeGreaterThan(10)
    expect(await abortedOf(log, 0, log.logEndOffset)).toEqual(expected)
    // [4, 5): the second record of the transaction at 3, whose marker stands at 5.
    for (const offset of range(0, log.logEndOffset)) {
      const transaction = Math.floor(offset / 3)
      expect(await abortedOf(log, offset, offset + 1)).toEqual(transaction % 2 === 1 ? [[1, transaction * 3]] : [])
    }
    await log.advanceLogStart(31)
    expect(await abortedOf(log, 31, log.logEndOffset)).toEqual(expected.filter(([, first]) => first + 2 >= 31))
    await world.clock.advance(2000)
    const names = await world.disk.list(log.directory)
    const bases = (suffix: string) => names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, 20))
    expect(bases('.txnindex').every((base) => bases('.log').includes(base))).toBe(true)
    await directory.close()
  })

  it('have Kafka’s index file', async () => {
    const { log, directory, world } = await openLog()
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    one.send(log)
    two.send(log)
    one.end(log, false)
    two.end(log, false)
    await directory.close()
    const content = await world.disk.readFile(`${log.directory}/00000000000000000000.txnindex`)
    const entry = (...fields: readonly number[]) => `0000${fields.map((field) => field.toString(16).padStart(16, '0')).join('')}`
    // Producer id, first offset, offset of the marker, last stable offset: that of the first is held back by the second.
    expect(content.toString('hex')).toBe(entry(1, 0, 2, 1) + entry(2, 1, 3, 4))
  })

  it('make no file where there are none', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 300 })
    const one = new TestProducer(1)
    for (let n = 0; n < 10; n++) {
      one.send(log, 1, 'trusted', 100)
      one.end(log, true)
    }
    await directory.close()
    expect((await world.disk.list(log.directory)).filter((name) => name.endsWith('.txnindex'))).toEqual([])
  })
})

describe('an open transaction', () => {
  it('keeps its producer from being forgotten', async () => {
    const { log, directory, world } = await openLog({}, { producerIdExpirationMs: 1000, retentionCheckMs: 100 })
    const [open, idle] = [new TestProducer(1), new TestProducer(2)]
    open.send(log)
    idle.send(log)
    idle.end(log, true)
    await log.whenSynced(3)
    for (let n = 0; n < 5; n++) await world.clock.advance(1000)
    expect(log.producers().map(({ producerId }) => producerId)).toEqual([1])
    expect(log.producerCount).toBe(1)
    await directory.close()
  })

  it('is late when nobody ended it in time', async () => {
    const { log, directory } = await openLog()
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    expect(log.hasLateTransaction(START_MS * 2, 1000)).toBe(false)
    one.send(log)
    two.send(log)
    const dueMs = START_MS + 1000 + 5 * 60 * 1000
    expect([log.hasLateTransaction(dueMs, 1000), log.hasLateTransaction(dueMs + 1, 1000)]).toEqual([false, true])
    two.end(log, true)
    expect(log.hasLateTransaction(dueMs + 1, 1000)).toBe(true)
    one.end(log, true)
    expect(log.hasLateTransaction(dueMs + 1, 1000)).toBe(false)
    await directory.close()
  })

  it.each(['close', 'abandon', 'power cut'] as const)('is still open after %s', async (how) => {
    const { log, directory, world } = await openLog({ segmentBytes: 400 })
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    const first = one.send(log, 1, 'trusted', 100)
    for (let n = 0; n < 6; n++) {
      two.send(log, 1, 'trusted', 100)
      two.end(log, n % 2 === 0, { coordinatorEpoch: n })
      await log.whenSynced(log.logEndOffset)
      if (n === 3) await world.clock.advance(1500)
    }
    const before = { lso: log.lastStableOffset(log.logEndOffset), aborted: await abortedOf(log, 0, log.logEndOffset) }
    expect(before.lso).toBe(first)
    expect(before.aborted).toHaveLength(3)
    const producers = log.producers()
    if (how === 'close') await directory.close()
    else await directory.abandon()
    const next = testWorld(how === 'power cut' ? world.disk.crash(() => 0.5) : world.disk, world.clock)
    const again = await (await next.open()).openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 400 })
    expect({ lso: again.lastStableOffset(again.logEndOffset), aborted: await abortedOf(again, 0, again.logEndOffset) }).toEqual(before)
    expect(again.producers()).toEqual(producers)
    expect(codeOf(again.append(one.batch(1, { transactional: false }), client))).toBe(ErrorCode.INVALID_TXN_STATE)
    one.end(again, false)
    expect(await abortedOf(again, 0, 1)).toEqual([[1, first]])
    expect(again.lastStableOffset(again.logEndOffset)).toBe(again.logEndOffset)
  })

  it('outlives the deletion of its first records and a power cut right behind that', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 300, fileDeleteDelayMs: 0 })
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    one.send(log, 1, 'trusted', 100)
    for (let n = 0; n < 6; n++) {
      two.send(log, 1, 'trusted', 100)
      two.end(log, true)
    }
    await log.whenSynced(log.logEndOffset)
    await log.advanceLogStart(log.logEndOffset - 1)
    expect(log.segmentCount).toBe(1)
    const producers = log.producers()
    await directory.abandon()
    const next = testWorld(
      world.disk.crash(() => 0),
      world.clock,
    )
    const again = await (await next.open()).openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 300 })
    expect(again.producers()).toEqual(producers)
    expect(again.lastStableOffset(again.logEndOffset)).toBe(again.logStartOffset)
  })

  it('is taken back with its batches when the disk is full, and so is a marker', async () => {
    const { log, directory, world } = await openLog()
    const [one, two] = [new TestProducer(1), new TestProducer(2)]
    const begun = one.send(log)
    await log.whenSynced(1)
    const before = log.producers()
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'write' && path.endsWith('.log')) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
    }
    one.end(log, false, { transactionVersion: 2 })
    two.send(log)
    await expect(log.whenSynced(3)).rejects.toThrow()
    world.disk.intercept = undefined
    await world.clock.advance(2500)
    expect(log.logEndOffset).toBe(1)
    expect(log.lastStableOffset(1)).toBe(begun)
    expect(await abortedOf(log, 0, 1)).toEqual([])
    expect(log.producers()).toEqual([...before, expect.objectContaining({ producerId: 2, currentTransactionStartOffset: -1 })])
    one.epoch = 0
    one.end(log, false, { transactionVersion: 2 })
    expect(await abortedOf(log, 0, 2)).toEqual([[1, 0]])
    expect(log.lastStableOffset(2)).toBe(2)
    await directory.close()
  })
})

describe('a damaged index of aborted transactions', () => {
  it.each([
    ['cut to nothing that fits', (content: Buffer) => Buffer.from(content.map(() => 0))],
    ['of another version', (content: Buffer) => Buffer.concat([Buffer.from([0, 9]), content.subarray(2)])],
  ])('is made anew: %s', async (_, damage) => {
    const { log, directory, world } = await openLog({ segmentBytes: 300 })
    const one = new TestProducer(1)
    for (let n = 0; n < 12; n++) {
      one.send(log, 1, 'trusted', 100)
      one.end(log, false)
    }
    const expected = await abortedOf(log, 0, log.logEndOffset)
    expect(expected).toHaveLength(12)
    await directory.close()
    const name = (await world.disk.list(log.directory)).filter((each) => each.endsWith('.txnindex'))[1] as string
    const path = `${log.directory}/${name}`
    const intact = await world.disk.readFile(path)
    await world.disk.writeFileAtomic(path, damage(intact))
    const reopened = await testWorld(world.disk, world.clock).open()
    const again = await reopened.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 300 })
    expect(await abortedOf(again, 0, again.logEndOffset)).toEqual(expected)
    expect(again.lastStableOffset(again.logEndOffset)).toBe(again.logEndOffset)
    await reopened.close()
    expect((await world.disk.readFile(path)).equals(intact)).toBe(true)
  })
})
