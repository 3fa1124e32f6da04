/** @module test/demo/pure — the small pure parts of the demo: options, events, the shop's deeds, the bucket's list, statuses, counts. */
import { describe, expect, it } from 'vitest'
import { parseList } from '../../hub/demo/bucket.ts'
import { changeEventOf, describeChange } from '../../hub/demo/change-event.ts'
import { viewOf } from '../../hub/demo/connectors.ts'
import { demoOptions } from '../../hub/demo/options.ts'
import { deedAt, SHOP_DEEDS } from '../../hub/demo/shop.ts'
import { Tally } from '../../hub/demo/tally.ts'
import { event, eventText, NOON_MS } from './views.ts'

describe('the command line', () => {
  it('has defaults, and takes values after a space or =', () => {
    expect(demoOptions([])).toEqual({ isOnce: false, changeCount: 1_000, changesPerSecond: 4, isVerbose: false, isHelp: false })
    expect(demoOptions(['--once', '--changes', '20', '--verbose'])).toMatchObject({ isOnce: true, changeCount: 20, isVerbose: true })
    expect(demoOptions(['--rate=50'])).toMatchObject({ isOnce: false, changesPerSecond: 50 })
  })

  it.each([
    [['--twice'], 'unknown option --twice'],
    [['fast'], 'demo takes no fast'],
    [['--rate'], '--rate needs a number from 1 to 2000'],
    [['--rate', '0'], '--rate needs a number from 1 to 2000'],
    [['--changes', '1e3'], '--changes needs a number from 1 to 100000'],
  ])('refuses %j', (args, message) => {
    expect(() => demoOptions(args)).toThrow(message)
  })
})

describe('a change event', () => {
  it('is read with its table, its operation and its time to the microsecond', () => {
    const text = `{"before": null, "after": {"id": 1}, "source": {"table": "t", "ts_ms": 1700000000123, "ts_us": 1700000000123456}, "op": "c"}`
    expect(changeEventOf(text)).toEqual({
      operation: 'c',
      table: 't',
      committedMs: 1_700_000_000_123.456,
      before: null,
      after: { id: 1 },
      identity: text.replaceAll(' ', ''),
    })
    expect(['', 'null', '[]', '{"op":"c"}', '{"op":"m","source":{}}', 'x'].map(changeEventOf)).toEqual(Array(6).fill(undefined))
  })

  it('is told in a few words', () => {
    const row = { id: 7, name: 'Ada', stock: 3, placed: '2026-11-25T03:22:21.5Z', nothing: null }
    expect(describeChange(event('c', 't', null, row))).toBe('7: Ada, stock 3, 03:22:21')
    expect(describeChange(event('u', 't', row, { ...row, stock: 2, nothing: 'x' }))).toBe('7: stock 3 → 2, nothing null → x')
    expect(describeChange(event('u', 't', row, row))).toBe('7: nothing new')
    expect(describeChange(event('u', 't', null, row))).toBe('7: Ada, stock 3, 03:22:21')
    expect(describeChange(event('d', 't', { id: 7, name: 'Ada' }, null))).toBe('7: Ada')
    expect(describeChange(event('t', 't', null, null))).toBe('emptied')
  })
})

describe('the shop', () => {
  it('does each deed as often as it weighs, among those that change few enough rows', () => {
    const counts = new Map<string, number>()
    for (let at = 0; at < 1_000; at++) {
      const { name } = deedAt(at / 1_000, Number.POSITIVE_INFINITY)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    const sum = SHOP_DEEDS.reduce((total, { weight }) => total + weight, 0)
    for (const { name, weight } of SHOP_DEEDS) expect(Math.abs((counts.get(name) ?? 0) - (weight * 1_000) / sum)).toBeLessThanOrEqual(2)
    for (let at = 0; at < 100; at++) expect(deedAt(at / 100, 1).changeCountMax).toBe(1)
    expect(() => deedAt(0.5, 0)).toThrow('no deed changes at most 0 rows')
  })
})

describe('the list of a bucket', () => {
  it('is read with its keys as they are, page by page', () => {
    const page = parseList(`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>
      <Contents><Key>x/a&amp;b&#x2B;&#43;&lt;.json</Key><ETag>&quot;1&quot;</ETag><Size>12</Size></Contents>
      <Contents><Key>x/c</Key><ETag>"2"</ETag><Size>0</Size></Contents></ListBucketResult>`)
    expect(page).toEqual({
      objects: [
        { key: 'x/a&b++<.json', tag: '"1"', byteCount: 12 },
        { key: 'x/c', tag: '"2"', byteCount: 0 },
      ],
      nextToken: 'a&b',
    })
    expect(parseList('<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>')).toEqual({ objects: [], nextToken: undefined })
  })
})

describe('a connector’s state', () => {
  type Status = NonNullable<Parameters<typeof viewOf>[0]>
  type State = Status['connector']['state']
  const status = (connector: State, ...tasks: State[]): Status => ({
    name: 'c',
    type: 'source',
    connector: { state: connector, worker_id: 'w' },
    tasks: tasks.map((state, id) => ({ id, state, worker_id: 'w', ...(state === 'FAILED' ? { trace: 'first line\nsecond' } : {}) })),
  })

  it('is RUNNING only when all of it runs, and FAILED with the first line when any part is', () => {
    expect(viewOf(undefined)).toEqual({ state: 'UNASSIGNED', problem: undefined })
    expect(viewOf(status('RUNNING'))).toEqual({ state: 'UNASSIGNED', problem: undefined })
    expect(viewOf(status('RUNNING', 'RUNNING'))).toEqual({ state: 'RUNNING', problem: undefined })
    expect(viewOf(status('RUNNING', 'RUNNING', 'PAUSED'))).toEqual({ state: 'PAUSED', problem: undefined })
    expect(viewOf(status('RUNNING', 'RUNNING', 'FAILED'))).toEqual({ state: 'FAILED', problem: 'first line' })
  })
})

describe('the tally', () => {
  it('tells rates over the last seconds and latencies without the snapshot', () => {
    const tally = new Tally(NOON_MS)
    expect([tally.latencyMs(0.5), tally.rates(NOON_MS)]).toEqual([undefined, { changes: 0, records: 0, objectRecords: 0 }])
    tally.sawRecord(event('r', 't', null, { id: 0 }, 1, NOON_MS - 90_000), { topic: 't', offset: 0 }, NOON_MS)
    for (let second = 0; second <= 10; second++) {
      for (let at = 0; at < second; at++) {
        tally.sawRecord(event('c', 't', null, { id: at }, second * 100 + at), { topic: 't', offset: at }, NOON_MS + second)
      }
      tally.sample(NOON_MS + second * 1_000)
    }
    // Seconds 6 to 10 brought 40 records.
    expect(tally.rates(NOON_MS + 10_000).records).toBe(8)
    expect([tally.latencyMs(0), tally.latencyMs(0.5), tally.latencyMs(1)]).toEqual([1, 7, 10])
    expect([tally.recordCount, tally.snapshotCount]).toEqual([56, 1])
  })

  it('marks a change with the object that holds it, and counts a rewritten object once', () => {
    const tally = new Tally(NOON_MS)
    const line = tally.sawRecord(event('c', 't', null, { id: 1 }), { topic: 't', offset: 0 }, NOON_MS)
    const identity = JSON.stringify(JSON.parse(eventText('c', 't', null, { id: 1 })))
    const first = { key: 'k', recordCount: 1, byteCount: 10, seenMs: NOON_MS }
    tally.sawObject(first, ['other'], undefined)
    expect(line.object).toBeUndefined()
    tally.sawObject({ ...first, recordCount: 2, byteCount: 20 }, ['other', identity], first)
    expect(line.object).toBe('k')
    expect([tally.objectCount, tally.objectRecordCount, tally.objectByteCount]).toEqual([1, 2, 20])
    const early = event('c', 't', null, { id: 2 })
    tally.sawObject({ ...first, key: 'l' }, [early.identity], undefined)
    expect(tally.sawRecord(early, { topic: 't', offset: 1 }, NOON_MS).object).toBe('l')
  })
})
