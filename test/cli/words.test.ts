/** @module test/cli/words — small readers and writers: times, patterns, plans, tables, Java's names. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { versionLines } from '../../hub/cli/broker-api-versions.ts'
import { keyValues } from '../../hub/cli/command-config.ts'
import { bracketPairs } from '../../hub/cli/configs.ts'
import { parseDeletions } from '../../hub/cli/delete-records.ts'
import { javaText, plainMessage } from '../../hub/cli/error-text.ts'
import { offsetAt } from '../../hub/cli/get-offsets.ts'
import { javaClassOf } from '../../hub/cli/java-names.ts'
import { parseDateTimeMs, parseDurationMs } from '../../hub/cli/java-time.ts'
import { re2Problem } from '../../hub/cli/re2.ts'
import { hostPorts } from '../../hub/cli/reach.ts'
import { parseResetPlan } from '../../hub/cli/reset-plan.ts'
import { tableLines } from '../../hub/cli/table.ts'
import { topicFilter, wholePattern } from '../../hub/cli/topic-filter.ts'
import { KafkaError } from '../../hub/client/index.ts'
import { ErrorCode } from '../../hub/wire/index.ts'

describe('times', () => {
  it.each([
    ['PT1H', 3_600_000],
    ['P1DT2H3M4.5S', 93_784_500],
    ['pt0.001s', 1],
    ['P-1D', -86_400_000],
    ['-PT1M', -60_000],
    ['PT-1.5S', -1_500],
    ['P', undefined],
    ['PT', undefined],
    ['P1DT', undefined],
    ['1H', undefined],
    ['P1M', undefined],
  ])('the duration %s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })

  it.each([
    ['1970-01-01T00:00:01.500', 1_500],
    ['1970-01-01T00:00:00.000Z', 0],
    ['1970-01-01T01:00:00.000+01:00', 0],
    ['1970-01-01T00:00:00.000-0130', 5_400_000],
    ['1970-01-01T00:00:00.000+01', -3_600_000],
    ['2023-02-30T00:00:00.000', undefined],
    ['2023-02-03', undefined],
    ['2023-02-03T00:00:00', undefined],
    ['nonsense', undefined],
  ])('the time %s', (text, ms) => {
    expect(parseDateTimeMs(text)).toBe(ms)
  })

  it('offsets by place and time', () => {
    expect([offsetAt('-1'), offsetAt('earliest'), offsetAt('1700000000000'), offsetAt('-6')]).toEqual([
      'latest',
      'earliest',
      { timestampMs: 1_700_000_000_000 },
      { timestampMs: -6 },
    ])
    expect(() => offsetAt('now')).toThrow(/^Malformed time argument now\. Please use -1 or latest/)
  })
})

describe('patterns', () => {
  it('match whole topics, with commas for alternatives', () => {
    const filter = topicFilter(' "al.*, beta" ')
    expect(['alpha', 'beta', 'betas', 'xal'].map(filter)).toEqual([true, true, false, false])
    expect(() => topicFilter('a(')).toThrow('a( is an invalid regex.')
    expect(wholePattern('(?i)ab|c').test('AB')).toBe(true)
  })

  it.each([
    ['a.*', undefined],
    ['(?i)a|(?P<name>b)', undefined],
    ['a(', 'missing closing )'],
    ['a)', 'unexpected )'],
    ['[a', 'missing closing ]'],
    ['*a', 'missing argument to repetition operator'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(a)\\1', 'invalid escape sequence'],
    ['\\(a', undefined],
  ])('%s for RE2', (pattern, problem) => {
    expect(re2Problem(pattern)).toBe(problem)
  })

  it('read addresses', () => {
    expect(hostPorts('a:1, [::1]:2,PLAINTEXT://b:3')).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
      { host: 'b', port: 3 },
    ])
    expect(['', 'a', 'a:0', 'a:70000', 'a:1,b'].map(hostPorts)).toEqual(Array(5).fill(undefined))
  })

  it('read key=value words', () => {
    expect([...keyValues(['a=b=c', 'd', 'e='])]).toEqual([
      ['a', 'b=c'],
      ['d', ''],
      ['e', ''],
    ])
  })
})

describe('reset plans', () => {
  it('have lines with or without the group', () => {
    expect(parseResetPlan('t,0,5\nt,1,6\r\n\n', ['g'])).toEqual(
      new Map([
        [
          'g',
          [
            { topic: 't', partition: 0, offset: 5 },
            { topic: 't', partition: 1, offset: 6 },
          ],
        ],
      ]),
    )
    expect([...parseResetPlan('"a ""b"", c",t,0,5\nd,t,1,6', ['x', 'y']).keys()]).toEqual(['a "b", c', 'd'])
  })

  it.each([
    ['t,0', ['g']],
    ['t,x,1', ['g']],
    ['t,0,1', ['g', 'h']],
    ['t,0,1,2,3', ['g']],
  ])('refuse %s', (text, groups) => {
    expect(() => parseResetPlan(text, groups)).toThrow(/^line 1 of the file is not /)
  })
})

describe('tables', () => {
  it('pad cells to the column’s width, and grow where allowed', () => {
    const columns = [{ title: 'A', widthMin: 4, grows: true }, { title: 'B', widthMin: 3 }, { title: 'C' }]
    expect(
      tableLines(columns, [
        ['longer', 'x', 'y'],
        ['s', 'wider', 'z'],
      ]),
    ).toEqual(['A      B   C', 'longer x   y', 's      wider z'])
    expect(tableLines([{ title: 'A', widthMin: 3 }], [], ' ')).toEqual(['A   '])
  })
})

describe('errors', () => {
  it('have Java’s class names', () => {
    const errors = JSON.parse(readFileSync(new URL('../golden/protocol/errors.json', import.meta.url), 'utf8')) as {
      code: number
      exception?: string
    }[]
    const named = errors.filter(({ exception }) => exception !== undefined && exception !== null)
    expect(named.length).toBeGreaterThan(100)
    for (const { code, exception } of named) expect(javaClassOf(code)).toBe(`org.apache.kafka.common.errors.${exception}`)
  })

  it('are told without the place that the client adds', () => {
    const places = [{ topic: 't' }, { topic: 't', partition: 3 }, { groupId: 'g' }, {}]
    expect(places.map((place) => plainMessage(new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'gone', place)))).toEqual(
      Array(4).fill('gone'),
    )
    expect(javaText(new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, 'Group g not found.', { groupId: 'g' }))).toBe(
      'org.apache.kafka.common.errors.GroupIdNotFoundException: Group g not found.',
    )
  })
})

describe('delete-records files', () => {
  it('name partitions and offsets', () => {
    expect(parseDeletions('{"partitions":[{"topic":"t","partition":0,"offset":-1}],"version":1}')).toEqual([
      { topic: 't', partition: 0, beforeOffset: -1 },
    ])
  })

  it.each([
    ['nope', 'The input string is not a valid JSON'],
    ['null', 'Missing partitions field'],
    ['{}', 'Missing partitions field'],
    ['{"partitions":[],"version":2}', 'Not supported version field value 2'],
    [
      '{"partitions":[{"topic":"t","partition":0}]}',
      '{"topic":"t","partition":0} is not {"topic": text, "partition": number, "offset": number}',
    ],
    [
      '{"partitions":[{"topic":"t","partition":0,"offset":1},{"topic":"t","partition":0,"offset":2}]}',
      'Offset json file contains duplicate topic partitions: t-0',
    ],
  ])('refuse %s', (text, message) => {
    expect(() => parseDeletions(text)).toThrow(message)
  })
})

describe('settings on the command line', () => {
  it('keep commas within brackets', () => {
    expect([...bracketPairs(['a=1,b=[x,y],c=[z]', 'd=k=v'])]).toEqual([
      ['a', '1'],
      ['b', 'x,y'],
      ['c', 'z'],
      ['d', 'k=v'],
    ])
    expect(() => bracketPairs(['a'])).toThrow(/^Invalid entity config: /)
  })
})

describe('versions of a broker', () => {
  it('are told with what both sides speak', () => {
    const lines = versionLines([
      { apiKey: 0, minVersion: 0, maxVersion: 99 },
      { apiKey: 47, minVersion: 0, maxVersion: 0 },
      { apiKey: 1, minVersion: 50, maxVersion: 60 },
      { apiKey: 30_000, minVersion: 1, maxVersion: 2 },
    ])
    expect(lines.slice(0, 3)).toEqual(['Produce(0): 0 to 99 [usable: 13]', 'Fetch(1): 50 to 60 [unusable]', 'ListOffsets(2): UNSUPPORTED'])
    expect(lines).toContain('OffsetDelete(47): 0 [usable: 0]')
    expect(lines.at(-1)).toBe('UNKNOWN(30000): 1 to 2 [unknown]')
  })
})
