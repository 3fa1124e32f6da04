import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DatePatternError, simpleDateFormat } from '../../../connectors/transforms/simple-date-format/index.ts'

const long = process.env['MILLRACE_LONG'] !== undefined

/** What ours makes of a question, in the oracle's words. */
function answer(operation: string, pattern: string, text: string): string {
  try {
    const format = simpleDateFormat(pattern)
    return String(operation === 'format' ? format.format(BigInt(text)) : format.parse(text))
  } catch (error) {
    if (error instanceof DatePatternError) return `refused: ${error.message}`
    throw error
  }
}

// Each answer was given by Java 17 (en-US, UTC), also.
const facts: readonly (readonly [string, string, string, string])[] = [
  ['format', 'yyyy-MM-dd HH:mm:ss.SSS', '1483430400123', '2017-01-03 08:00:00.123'],
  ['format', "EEEE, d MMMM yyyy 'at' h 'o''clock' a z", '1483430400123', "Tuesday, 3 January 2017 at 8 o'clock AM UTC"],
  ['format', "YYYY-'W'ww-u D F W k K", '1483430400123', '2017-W01-2 3 1 1 8 8'],
  ['format', 'yy y yyyyy G', '-62135769600001', '01 1 00001 BC'],
  ['format', 'yyyy-MM-dd', '-12219292800000', '1582-10-15'],
  ['format', 'yyyy-MM-dd', '-12219292800001', '1582-10-04'],
  ['format', 'X XX Z', '0', 'Z Z +0000'],
  ['format', 'HH:mm:ss.SSSS', '-1', '23:59:59.0999'],
  ['format', 'b', '0', "refused: Illegal pattern character 'b'"],
  ['format', "yyyy'T", '0', 'refused: Unterminated quote'],
  ['format', 'XXXX', '0', 'refused: invalid ISO 8601 format: length=4'],
  ['parse', "yyyy-MM-dd'T'HH:mm:ss.SSSX", '2017-01-03T09:00:00.123+01', '1483430400123'],
  ['parse', 'EEE, d MMM yyyy HH:mm:ss Z', 'Tue, 3 JAN 2017 08:00:00 GMT+0:00', '1483430400000'],
  ['parse', 'yyyyMMddHHmmss', '20170103080000', '1483430400000'],
  ['parse', 'yyyy-MM-dd', '2017-02-31', '1488499200000'],
  ['parse', 'yyyy-MM-dd', '2017-1-3 and more', '1483401600000'],
  ['parse', 'yyyy-DDD', '2017-003', '1483401600000'],
  ['parse', 'hh:mm a', '12:30 am', '1800000'],
  ['parse', 'yyyy-MM-dd', 'garbage', 'undefined'],
  ['parse', 'yyyy', '', 'undefined'],
]

describe('SimpleDateFormat', () => {
  it.each(facts)('%s %j %j: %j', (operation, pattern, text, wanted) => {
    expect(answer(operation, pattern, text)).toBe(wanted)
  })

  it('two digits of a year lie in the century from 80 years ago on', () => {
    const thisYear = new Date().getUTCFullYear()
    const format = simpleDateFormat('yy')
    for (const year of [thisYear - 79, thisYear - 1, thisYear, thisYear + 19]) {
      expect(format.parse(String(year % 100).padStart(2, '0')), String(year)).toBe(BigInt(Date.UTC(year, 0, 1)))
    }
  })

  it('says which letters it cannot read', () => {
    expect(simpleDateFormat('YYYY-ww')).toMatchObject({ unreadable: 'Yw' })
    expect(simpleDateFormat('YYYY').parse('2017')).toBeUndefined()
  })

  it('reads what it writes', () => {
    const patterns = fc.constantFrom(
      "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
      'GGG yyyy MMMM d k m s S Z',
      'yyyyMMddHHmmssSSS',
      'D yyyy KK:mm:ss.SSS a z',
    )
    const moments = fc.bigInt({ min: -62_000_000_000_000n, max: 250_000_000_000_000n })
    fc.assert(
      fc.property(patterns, moments, (pattern, ms) => {
        const format = simpleDateFormat(pattern)
        expect(format.parse(format.format(ms))).toBe(ms)
      }),
      { numRuns: long ? 20_000 : 500 },
    )
  })
})

const hasJava = spawnSync('javac', ['-version']).status === 0
const reason = hasJava ? (long ? '' : ' (skipped: part of the long run)') : ' (skipped: no Java development kit on this machine)'
const letters = 'yyyy yy MM M MMM MMMM dd d HH H hh h K k mm m ss s SSS S a E EEEE Z X XX z D G'.split(' ').concat('X'.repeat(3))
const patterns = fc
  .array(fc.tuple(fc.constantFrom(...letters), fc.constantFrom('-', ':', ' ', '.', '', '/', ', ', "'T'")), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.flat().join(''))
  // Years of one digit before a month of many: lenient arithmetic over the year 1582 is not Java's to the day.
  .filter((pattern) => !/yyM/.test(pattern))

describe('real java.text.SimpleDateFormat', () => {
  it.skipIf(reason !== '')(`answers the same${reason}`, () => {
    // From 1621 on: months beyond the twelfth, which come of digits in a row, carry over differently before the calendar changed.
    const moments = fc.bigInt({ min: -11_000_000_000_000n, max: 4_000_000_000_000n })
    const edits = fc.tuple(fc.nat(20), fc.constantFrom('', '', '', '1', ' ', '-', 'x', '99', 'Z', 'jan', 'pm'))
    const questions = fc
      .sample(fc.tuple(patterns, moments, edits), { numRuns: 20_000, seed: 431 })
      .flatMap(([pattern, ms, [at, insert]]): readonly (readonly [string, string, string])[] => {
        const text = answer('format', pattern, String(ms))
        return [
          ['format', pattern, String(ms)],
          // Java knows zones by hundreds of names, which an insertion can make; ours are UTC and GMT.
          ['parse', pattern, /z/i.test(pattern) ? text : text.slice(0, at) + insert + text.slice(at)],
        ]
      })
    const program = new URL('SimpleDateFormatOracle.java', import.meta.url).pathname
    const input = `${questions.map((question) => question.join('\t')).join('\n')}\n`
    const { stdout } = spawnSync('java', [program], { input, encoding: 'utf8', maxBuffer: 1 << 28 })
    const answers = stdout.split('\n')
    for (const [at, question] of questions.entries()) expect(answer(...question), JSON.stringify(question)).toBe(answers[at])
  })
})
