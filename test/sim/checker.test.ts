/** The checker, by hand: for each kind of anomaly a history that shows it, and one that is as near as can be and shows nothing. */
import { describe, expect, it } from 'vitest'
import type { AnomalyKind } from './anomaly.ts'
import { check } from './checker.ts'
import { POWER_CUT } from './history.ts'
import { Script } from './script.ts'

type Write = (script: Script) => unknown

const source = { group: 'g', partition: 'in', offset: 0 }

const CASES: readonly (readonly [kind: AnomalyKind, what: string, wrong: Write, right: Write])[] = [
  [
    'lost write',
    'acknowledged and not there at the end',
    (s) => s.send('w', 'p', 'a', 0).send('w', 'p', 'b', 1).readAll('p', 'p@0=a'),
    (s) => s.send('w', 'p', 'a', 0).send('w', 'p', 'b', 'info').readAll('p', 'p@0=a'),
  ],
  [
    'lost write',
    'acknowledged, and a reader went past its place',
    (s) => s.send('w', 'p', 'a', 0).send('w', 'p', 'b', 1).send('w', 'p', 'c', 2).assign('r', 'p').poll('r', 'p@0=a p@2=c'),
    (s) => s.send('w', 'p', 'a', 0).send('w', 'p', 'b', 'info').send('w', 'p', 'c', 2).assign('r', 'p').poll('r', 'p@0=a p@2=c'),
  ],
  [
    'lost write',
    'of a committed transaction',
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).commit('w', 't', 'ok').readAll('p', ''),
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).abort('w', 't', 'ok').readAll('p', ''),
  ],
  [
    'lost write',
    'acknowledged, aborted, and gone from the log itself',
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).abort('w', 't', 'ok').readAll('p', '', 'read_uncommitted'),
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).abort('w', 't', 'ok').readAll('p', 'p@0=a', 'read_uncommitted'),
  ],
  [
    'lost write',
    'the last record of its key',
    (s) => s.send('w', 'p', 'a', 0, { key: 'k' }).send('v', 'p', 'b', 1, { key: 'l' }).readAll('p', 'p@1=b'),
    (s) => s.send('w', 'p', 'a', 0, { key: 'k' }).send('v', 'p', 'b', 1, { key: 'k' }).readAll('p', 'p@1=b'),
  ],
  [
    'lost write',
    'a later record of its key was aborted',
    (s) =>
      s.send('w', 'p', 'a', 0, { key: 'k' }).send('v', 'p', 'b', 1, { key: 'k', transaction: 't' }).abort('v', 't', 'ok').readAll('p', ''),
    (s) =>
      s
        .send('w', 'p', 'a', 0, { key: 'k' })
        .send('v', 'p', 'b', 1, { key: 'k', transaction: 't' })
        .abort('v', 't', 'ok')
        .readAll('p', 'p@0=a'),
  ],
  [
    'lost write',
    'acknowledged by the leader alone, without a power cut',
    (s) => s.send('w', 'p', 'a', 0, { acks: 1 }).fault('kill the hub').readAll('p', ''),
    (s) => s.send('w', 'p', 'a', 0, { acks: 1 }).fault(POWER_CUT).readAll('p', ''),
  ],
  [
    'duplicate',
    'of a producer that promises otherwise',
    (s) => s.send('w', 'p', 'a', 'info').send('w', 'p', 'b', 'info').readAll('p', 'p@0=a p@1=b p@2=a'),
    (s) => s.send('w', 'p', 'a', 'info', { acks: 1 }).send('w', 'p', 'b', 'info', { acks: 1 }).readAll('p', 'p@0=b p@1=a p@2=b'),
  ],
  [
    'skipped poll',
    'of a compacted topic',
    (s) =>
      s.send('w', 'p', 'a', 0, { key: 'k' }).send('v', 'p', 'b', 1, { key: 'l' }).assign('r', 'p').poll('r', 'p@1=b').poll('q', 'p@0=a'),
    (s) =>
      s.send('w', 'p', 'a', 0, { key: 'k' }).send('v', 'p', 'b', 1, { key: 'k' }).assign('r', 'p').poll('r', 'p@1=b').poll('q', 'p@0=a'),
  ],
  [
    'lost read',
    'unknown outcome, read by one, gone at the end',
    (s) => s.send('w', 'p', 'a', 'info').assign('r', 'p').poll('r', 'p@0=a').readAll('p', ''),
    (s) => s.send('w', 'p', 'a', 'info').assign('r', 'p').poll('r', 'p@0=a').readAll('p', 'p@0=a'),
  ],
  ['unknown value', 'never sent', (s) => s.poll('r', 'p@0=a'), (s) => s.send('w', 'p', 'a', 'info').poll('r', 'p@0=a')],
  [
    'unknown value',
    'sent to another partition',
    (s) => s.send('w', 'q', 'a', 'info').poll('r', 'p@0=a'),
    (s) => s.send('w', 'p', 'a', 'info').poll('r', 'p@0=a'),
  ],
  [
    'duplicate',
    'at two offsets',
    (s) => s.send('w', 'p', 'a', 'info').readAll('p', 'p@0=a p@1=a'),
    (s) => s.send('w', 'p', 'a', 'info').send('w', 'p', 'b', 'info').readAll('p', 'p@0=a p@1=b'),
  ],
  [
    'inconsistent offsets',
    'two readers',
    (s) => s.send('v', 'p', 'a', 'info').send('w', 'p', 'b', 'info').poll('r', 'p@0=a').poll('q', 'p@0=b'),
    (s) => s.send('v', 'p', 'a', 'info').send('w', 'p', 'b', 'info').poll('r', 'p@0=a').poll('q', 'p@0=a p@1=b'),
  ],
  [
    'inconsistent offsets',
    'an acknowledgement and a reader',
    (s) => s.send('v', 'p', 'a', 0).send('w', 'p', 'b', 'info').poll('q', 'p@0=b'),
    (s) => s.send('v', 'p', 'a', 0).send('w', 'p', 'b', 'info').poll('q', 'p@1=b'),
  ],
  [
    'reorder',
    'one producer',
    (s) => s.send('w', 'p', 'a', 'info').send('w', 'p', 'b', 'info').readAll('p', 'p@0=b p@1=a'),
    (s) => s.send('v', 'p', 'a', 'info').send('w', 'p', 'b', 'info').readAll('p', 'p@0=b p@1=a'),
  ],
  [
    'non-monotonic send',
    'one producer, one partition',
    (s) => s.send('w', 'p', 'a', 5).send('w', 'p', 'b', 4),
    (s) => s.send('w', 'p', 'a', 5).send('w', 'q', 'b', 4).send('w', 'p', 'c', -1).send('w', 'p', 'd', 7),
  ],
  [
    'non-monotonic poll',
    'back without being told to',
    (s) => s.send('w', 'p', 'a', 0).assign('r', 'p').poll('r', 'p@0=a').poll('r', 'p@0=a'),
    (s) => s.send('w', 'p', 'a', 0).assign('r', 'p').poll('r', 'p@0=a').assign('r', 'p').poll('r', 'p@0=a'),
  ],
  [
    'non-monotonic poll',
    'within one poll',
    (s) => s.send('v', 'p', 'a', 0).send('w', 'p', 'b', 1).assign('r', 'p', { position: 0 }).poll('r', 'p@1=b p@0=a').poll('q', 'p@0=a'),
    (s) => s.send('v', 'p', 'a', 0).send('w', 'p', 'b', 1).assign('r', 'p', { position: 0 }).poll('r', 'p@0=a p@1=b').poll('q', 'p@0=a'),
  ],
  [
    'skipped poll',
    'others got it',
    (s) => s.send('w', 'p', 'a', 0).send('w', 'p', 'b', 1).assign('r', 'p').poll('r', 'p@1=b').poll('q', 'p@0=a'),
    (s) => s.send('w', 'p', 'a', 0).send('w', 'p', 'b', 1).assign('r', 'p', { position: 1 }).poll('r', 'p@1=b').poll('q', 'p@0=a'),
  ],
  [
    'skipped poll',
    'an aborted record is not for everybody',
    (s) =>
      s
        .send('w', 'p', 'a', 0, { transaction: 't' })
        .commit('w', 't', 'ok')
        .send('w', 'p', 'b', 2)
        .assign('r', 'p')
        .poll('r', 'p@2=b')
        .poll('q', 'p@0=a'),
    (s) =>
      s
        .send('w', 'p', 'a', 0, { transaction: 't' })
        .abort('w', 't', 'ok')
        .send('w', 'p', 'b', 2)
        .assign('r', 'p')
        .poll('r', 'p@2=b')
        .poll('q', 'p@0=a', 'read_uncommitted'),
  ],
  [
    'aborted read',
    'of an aborted transaction',
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).abort('w', 't', 'info').poll('r', 'p@0=a'),
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).abort('w', 't', 'info').poll('r', 'p@0=a', 'read_uncommitted'),
  ],
  [
    'aborted read',
    'of a commit that failed for certain',
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).commit('w', 't', 'fail').poll('r', 'p@0=a'),
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).commit('w', 't', 'info').commit('w', 't', 'fail').poll('r', 'p@0=a'),
  ],
  [
    'aborted read',
    'a refused record',
    (s) => s.send('w', 'p', 'a', 'fail').poll('r', 'p@0=a', 'read_uncommitted'),
    (s) => s.send('w', 'p', 'a', 'info').poll('r', 'p@0=a', 'read_uncommitted'),
  ],
  [
    'precommitted read',
    'before the request',
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).poll('r', 'p@0=a').commit('w', 't', 'ok'),
    (s) => s.send('w', 'p', 'a', 0, { transaction: 't' }).commit('w', 't', 'ok', (during) => during.poll('r', 'p@0=a')),
  ],
  [
    'torn transaction',
    'a commit of unknown outcome, half there',
    (s) =>
      s
        .send('w', 'p', 'a', 0, { transaction: 't' })
        .send('w', 'q', 'b', 0, { transaction: 't' })
        .commit('w', 't', 'info')
        .readAll('p', 'p@0=a')
        .readAll('q', ''),
    (s) =>
      s
        .send('w', 'p', 'a', 0, { transaction: 't' })
        .send('w', 'q', 'b', 0, { transaction: 't' })
        .commit('w', 't', 'info')
        .readAll('p', '')
        .readAll('q', ''),
  ],
  [
    'lost committed offset',
    'an acknowledged commit is gone',
    (s) => s.commitOffset('c', 'p', 3, 'ok').commitOffset('c', 'p', 5, 'ok').seeOffset('p', 3),
    (s) => s.commitOffset('c', 'p', 3, 'ok').commitOffset('c', 'p', 5, 'info').seeOffset('p', 3).seeOffset('p', 5),
  ],
  [
    'lost committed offset',
    'nothing is left',
    (s) => s.commitOffset('c', 'p', 3, 'ok').seeOffset('p', -1),
    (s) => s.seeOffset('p', -1, { during: (during) => during.commitOffset('c', 'p', 3, 'ok') }),
  ],
  [
    'lost committed offset',
    'of a committed transaction',
    (s) => s.commitOffset('c', 'p', 3, 'ok').commitOffset('c', 'p', 5, 'ok', 't').commit('c', 't', 'ok').seeOffset('p', 3),
    (s) => s.commitOffset('c', 'p', 3, 'ok').commitOffset('c', 'p', 5, 'ok', 't').commit('c', 't', 'info').seeOffset('p', 3),
  ],
  [
    'lost committed offset',
    'a new member begins before it',
    (s) =>
      s
        .send('w', 'p', 'a', 0)
        .send('w', 'p', 'b', 1)
        .commitOffset('c', 'p', 1, 'ok')
        .assign('r', 'p', { group: 'g' })
        .poll('r', 'p@0=a p@1=b'),
    (s) =>
      s
        .send('w', 'p', 'a', 0)
        .send('w', 'p', 'b', 1)
        .assign('r', 'p', { group: 'g' })
        .commitOffset('c', 'p', 1, 'ok')
        .poll('r', 'p@0=a p@1=b'),
  ],
  [
    'skipped poll',
    'a new member begins behind it',
    (s) =>
      s
        .send('w', 'p', 'a', 0)
        .send('w', 'p', 'b', 1)
        .commitOffset('c', 'p', 0, 'ok')
        .poll('q', 'p@0=a')
        .assign('r', 'p', { group: 'g' })
        .poll('r', 'p@1=b'),
    (s) =>
      s
        .send('w', 'p', 'a', 0)
        .send('w', 'p', 'b', 1)
        .commitOffset('c', 'p', 1, 'info')
        .poll('q', 'p@0=a')
        .assign('r', 'p', { group: 'g' })
        .poll('r', 'p@1=b'),
  ],
  [
    'aborted offset',
    'of an aborted transaction',
    (s) => s.commitOffset('c', 'p', 5, 'ok', 't').abort('c', 't', 'ok').seeOffset('p', 5),
    (s) => s.commitOffset('c', 'p', 5, 'ok', 't').commit('c', 't', 'info').seeOffset('p', 5),
  ],
  [
    'aborted offset',
    'before anybody asked for the commit',
    (s) => s.commitOffset('c', 'p', 5, 'ok', 't').seeOffset('p', 5).commit('c', 't', 'ok'),
    (s) => s.commitOffset('c', 'p', 5, 'ok', 't').seeOffset('p', 5, { during: (during) => during.commit('c', 't', 'ok') }),
  ],
  [
    'unknown offset',
    'nobody asked',
    (s) => s.commitOffset('c', 'p', 5, 'ok').seeOffset('p', 6),
    (s) => s.commitOffset('c', 'p', 5, 'ok').seeOffset('p', 5),
  ],
  [
    'processed twice',
    'two outputs, both committed',
    (s) => s.send('w', 'p', 'x1', 0, { source }).send('w', 'p', 'x2', 1, { source }).readAll('p', 'p@0=x1 p@1=x2'),
    (s) =>
      s
        .send('w', 'p', 'x1', 0, { source, transaction: 't' })
        .abort('w', 't', 'ok')
        .send('w', 'p', 'x2', 1, { source, transaction: 'u' })
        .commit('w', 'u', 'ok')
        .readAll('p', 'p@1=x2'),
  ],
  [
    'not processed',
    'the offset is committed, the output is not there',
    (s) =>
      s
        .send('w', 'in', 'a', 0)
        .send('w', 'in', 'b', 1)
        .poll('q', 'in@0=a in@1=b')
        .send('w', 'p', 'x1', 0, { source })
        .commitOffset('w', 'in', 2, 'ok')
        .poll('q', 'p@0=x1')
        .seeOffset('in', 2, { isLast: true }),
    (s) =>
      s
        .send('w', 'in', 'a', 0)
        .send('w', 'in', 'b', 1)
        .poll('q', 'in@0=a in@1=b')
        .send('w', 'p', 'x1', 0, { source })
        .commitOffset('w', 'in', 1, 'ok')
        .poll('q', 'p@0=x1')
        .seeOffset('in', 1, { isLast: true }),
  ],
]

function kindsOf(write: Write): AnomalyKind[] {
  const script = new Script()
  write(script)
  return check(script.history).map(({ kind }) => kind)
}

describe('the checker', () => {
  it.each(CASES)('finds: %s, %s', (kind, _what, wrong) => {
    expect(kindsOf(wrong)).toContain(kind)
  })

  it.each(CASES)('does not find where it is not: %s, %s', (_kind, _what, _wrong, right) => {
    expect(kindsOf(right)).toEqual([])
  })

  it('names events of the history', () => {
    for (const [, , wrong] of CASES) {
      const script = new Script()
      wrong(script)
      for (const { events } of check(script.history)) {
        expect(events.length).toBeGreaterThan(0)
        for (const index of events) expect(script.history[index]?.index).toBe(index)
      }
    }
  })
})
