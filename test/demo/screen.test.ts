/** @module test/demo/screen — what the demo shows: lines for windows of many sizes, and how they reach a terminal. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, paintLine, pad, printable, widthOf } from '../../hub/demo/paint.ts'
import { changeText, lookCommands, screenLines } from '../../hub/demo/screen.ts'
import { Tally } from '../../hub/demo/tally.ts'
import { openScreen, type Output } from '../../hub/demo/terminal.ts'
import { ADDRESSES, event, NOON_MS, shown } from './views.ts'

/** A demo that has run for 83 seconds. */
function busyTally(): Tally {
  const tally = new Tally(NOON_MS - 83_000)
  tally.connectors.set('capture', { state: 'RUNNING', problem: undefined })
  tally.connectors.set('archive', { state: 'RUNNING', problem: undefined })
  tally.rowCount = 45
  tally.sample(NOON_MS - 4_000)
  const first = event('r', 'customers', null, { id: 1, name: 'Ada Birch', city: 'Cork' }, 1, NOON_MS - 60_000)
  const second = event('c', 'orders', null, { id: 17, product: 'Wall clock', quantity: 2, total: '55.60', status: 'placed' }, 2)
  const third = event('u', 'orders', { id: 17, status: 'placed' }, { id: 17, status: 'paid' }, 3)
  const fourth = event('d', 'customers', { id: 2, name: 'Alan Oakes', city: 'Ghent' }, null, 4)
  tally.sawRecord(first, { topic: 'shop.public.customers', offset: 0 }, NOON_MS)
  tally.sawRecord(second, { topic: 'shop.public.orders', offset: 1_041 }, NOON_MS + 4)
  tally.sawRecord(third, { topic: 'shop.public.orders', offset: 1_042 }, NOON_MS + 6)
  tally.sawRecord(fourth, { topic: 'shop.public.customers', offset: 20 }, NOON_MS + 1_300)
  const key = 'topics/shop.public.orders/partition=0/shop.public.orders+0+0000000980.json'
  tally.sawObject({ key, recordCount: 2, byteCount: 31_000, seenMs: NOON_MS }, [second.identity, third.identity], undefined)
  tally.changeCount = 1_284
  tally.sample(NOON_MS)
  return tally
}

describe('the screen', () => {
  it('shows at 80 × 24 what flows, where it is, and what to type', () => {
    expect(shown(screenLines(busyTally(), ADDRESSES, { columns: 80, rows: 24 }, NOON_MS), 80)).toEqual([
      " MILLRACE DEMO  a shop's database, captured change by change               1:23",
      '',
      ' PostgreSQL ── capture ──▶ Kafka ──── archive ─────▶ S3',
      ' 1,284 rows changed        4 records                 2 records',
      ' 321 a second              1.0 a second              in 1 object, 31 kB',
      ' 45 rows in 3 tables       6 ms after commit         2 on their way',
      '',
      ' CHANGE OF A ROW                                    RECORD    AFTER       OBJECT',
      ' 12:04:31 - customers 2: Alan Oakes, Ghent             #20    1.3 s   on its way',
      ' 12:04:31 ~ orders    17: status placed → paid       #1042     6 ms  +0000000980',
      ' 12:04:31 + orders    17: Wall clock, quantity 2,…   #1041     4 ms  +0000000980',
      ' 12:03:31 = customers 1: Ada Birch, Cork                #0 snapshot   on its way',
      '',
      '',
      '',
      '',
      ' LOOK FOR YOURSELF, in another terminal',
      ' table   psql postgresql://shop:1a2b3c4d@127.0.0.1:5432/shop \\',
      `         -c "UPDATE customers SET city = 'Here' WHERE id = 1"`,
      ' topic   npm run -s millrace -- console-consumer \\',
      '         --bootstrap-server 127.0.0.1:9092 --topic shop.public.orders',
      " task    curl -s 'http://127.0.0.1:8083/connectors?expand=status'",
      " object  curl -s 'http://127.0.0.1:4566/shop?list-type=2'",
      ' Ctrl-C ends it all and leaves nothing behind',
    ])
  })

  it('shows more changes and the last objects where there is room', () => {
    const lines = shown(screenLines(busyTally(), ADDRESSES, { columns: 140, rows: 50 }, NOON_MS), 140)
    expect(lines).toHaveLength(50)
    expect(lines).toContain(' LAST OBJECTS')
    expect(lines).toContain(' topics/shop.public.orders/partition=0/shop.public.orders+0+0000000980.json  2 records, 31 kB')
    expect(lines.some((line) => line.includes('17: Wall clock, quantity 2, 55.60, placed'))).toBe(true)
    expect(lines.at(-5)).toBe(` table   psql ${ADDRESSES.postgres} -c "UPDATE customers SET city = 'Here' WHERE id = 1"`)
    expect(lines.at(-3)).toBe(" task    curl -s 'http://127.0.0.1:8083/connectors?expand=status'  Kafka Connect's REST API")
  })

  it('keeps some lines for changes that stand in an object, however many come', () => {
    const tally = busyTally()
    for (let offset = 100; offset < 200; offset++) {
      tally.sawRecord(event('c', 'orders', null, { id: offset }, offset), { topic: 'shop.public.orders', offset }, NOON_MS)
    }
    const lines = shown(screenLines(tally, ADDRESSES, { columns: 80, rows: 20 }, NOON_MS), 80)
    const from = lines.findIndex((line) => line.startsWith(' CHANGE'))
    expect(lines.slice(from + 1, from + 5).map((line) => line.slice(52).trim().replaceAll(/ +/g, ' '))).toEqual([
      '#199 < 1 ms on its way',
      '#198 < 1 ms on its way',
      '#1042 6 ms +0000000980',
      '',
    ])
  })

  it('says what is wrong in the last line, and in the arrow of the connector', () => {
    const tally = busyTally()
    tally.connectors.set('capture', { state: 'FAILED', problem: 'slot "shop" is gone' })
    const lines = shown(screenLines(tally, ADDRESSES, { columns: 100, rows: 24 }, NOON_MS), 100)
    expect(lines[2]).toContain('capture FAILED')
    expect(lines.at(-1)).toBe(' capture: slot "shop" is gone')
    tally.notices.set('PostgreSQL', 'connect ECONNREFUSED')
    expect(shown(screenLines(tally, ADDRESSES, { columns: 100, rows: 24 }, NOON_MS), 100).at(-1)).toBe(' PostgreSQL: connect ECONNREFUSED')
  })

  it('fits every window, and lets nothing of a row out but text', () => {
    const tally = busyTally()
    tally.sawRecord(
      event('c', 'orders', null, { id: 1, product: '\x1b[2J\r\nA‮', note: '漢字'.repeat(60) }),
      { topic: 't', offset: 9 },
      NOON_MS,
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 90 }), (columns, rows) => {
        const lines = screenLines(tally, ADDRESSES, { columns, rows }, NOON_MS)
        expect(lines.length).toBeLessThanOrEqual(rows)
        for (const line of lines) {
          const text = paintLine(line, columns, false)
          expect(widthOf(text)).toBeLessThanOrEqual(columns)
          expect(text).toBe(printable(text))
        }
      }),
    )
  })

  it('shows commands that a shell takes as they stand, however they are broken', () => {
    for (const columns of [50, 64, 80, 120]) {
      const lines = shown(screenLines(busyTally(), ADDRESSES, { columns, rows: 40 }, NOON_MS), columns)
      const from = lines.findIndex((line) => line.startsWith(' LOOK'))
      const typed = lines.slice(from + 1, -1).map((line) => line.slice(9))
      const joined = typed.join('\n').replaceAll(/ \\\n/g, ' ').split('\n')
      for (const [, command] of lookCommands(ADDRESSES))
        expect(joined.some((line) => line.startsWith(command.slice(0, columns - 12)))).toBe(true)
    }
  })
})

describe('a change as plain text', () => {
  it('is one line with table, topic and time', () => {
    const tally = busyTally()
    expect(tally.changes.map(changeText)).toEqual([
      '12:04:31 - customers 2: Alan Oakes, Ghent ▸ shop.public.customers #20, 1.3 s after commit',
      '12:04:31 ~ orders 17: status placed → paid ▸ shop.public.orders #1042, 6 ms after commit',
      '12:04:31 + orders 17: Wall clock, quantity 2, 55.60, placed ▸ shop.public.orders #1041, 4 ms after commit',
      '12:03:31 = customers 1: Ada Birch, Cork ▸ shop.public.customers #0, snapshot',
    ])
  })
})

describe('a painted line', () => {
  it('is coloured, cut to the width with its colours closed, or plain', () => {
    const line = [{ text: 'green', style: 'green' as const }, { text: ' plain' }]
    expect(paintLine(line, 20, true)).toBe('\x1b[32mgreen\x1b[0m plain')
    expect(paintLine(line, 4, true)).toBe('\x1b[32mgre…\x1b[0m')
    expect(paintLine(line, 20, false)).toBe('green plain')
  })

  it('counts columns, not characters', () => {
    expect([widthOf('abc'), widthOf('漢字'), widthOf('é'), widthOf('🦊')]).toEqual([3, 4, 1, 2])
    expect([cut('漢字漢字', 5), pad('漢', 4), pad('7', 3, 'right'), cut('abc', 0)]).toEqual(['漢字…', '漢  ', '  7', ''])
  })
})

describe('the terminal', () => {
  function terminal(
    columns: number,
    rows: number,
  ): {
    written: string[]
    output: Output
    readonly resize: (columns: number, rows: number) => void
  } {
    const written: string[] = []
    const listeners: ((error: Error) => void)[] = []
    const output: Output = {
      isTTY: true,
      columns,
      rows,
      write: (text) => void written.push(text),
      on: (_event, listener) => void listeners.push(listener),
      off: () => void listeners.splice(0),
    }
    const resize = (newColumns: number, newRows: number): void => {
      Object.assign(output, { columns: newColumns, rows: newRows })
      for (const listener of listeners) listener(new Error('resized'))
    }
    return { written, output, resize }
  }

  it('is drawn over in place, only when something has changed, anew when its size changes, and given back', () => {
    const { written, output, resize } = terminal(20, 3)
    let text = 'one'
    const exitListenerCount = process.listenerCount('exit')
    const screen = openScreen(output, false, ({ columns }) => [[{ text: `${text} of ${columns}` }], [{ text: 'two' }]])
    screen.draw()
    screen.draw()
    expect(written).toEqual(['\x1b[?1049h\x1b[?25l\x1b[2J', '\x1b[?2026h\x1b[Hone of 20\x1b[K\r\ntwo\x1b[K\x1b[J\x1b[?2026l'])
    text = 'next'
    screen.draw()
    resize(4, 1)
    expect(written.slice(2)).toEqual([
      '\x1b[?2026h\x1b[Hnext of 20\x1b[K\r\ntwo\x1b[K\x1b[J\x1b[?2026l',
      '\x1b[?2026h\x1b[Hnex…\x1b[K\x1b[J\x1b[?2026l',
    ])
    screen.close()
    screen.close()
    screen.draw()
    expect(written.slice(4)).toEqual(['\x1b[?25h\x1b[?1049l'])
    expect(process.listenerCount('exit')).toBe(exitListenerCount)
  })
})
