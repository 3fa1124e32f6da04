import { describe, expect, it } from 'vitest'
import { compareVersions, meetsVersion, shownRequirement } from '../../../hub/connect/validation/versions.ts'

describe('version requirements', () => {
  it.each([
    ['4.3.1', '4.3.1', true],
    ['4.3.1', '9', false],
    ['4.3.0', '4.3', true],
    ['4.3.1', 'latest', true],
    ['4.3.1', '[4.0,5.0)', true],
    ['5.0', '[4.0,5.0)', false],
    ['5.0', '[4.0,5.0]', true],
    ['4.0', '(4.0,5.0)', false],
    ['1.5', '(,1.5]', true],
    ['1.6', '(,1.5]', false],
    ['99', '[2,)', true],
    ['3.5', '[1,2),[3,4)', true],
    ['2.5', '[1,2), [3,4)', false],
    ['2.0', '[2.0]', true],
    ['1.10.0', '[1.9,1.11)', true],
    ['1.0', 'not-a-version', false],
    ['1.0', '[1.0', undefined],
    ['1.0', '[1,2) and more', undefined],
  ])('%s meets %s: %s', (version, requirement, expected) => {
    expect(meetsVersion(version, requirement)).toBe(expected)
  })

  it('takes no more time than the requirement is long', () => {
    expect(meetsVersion('1.0', `[${' '.repeat(100_000)}x`)).toBeUndefined()
    expect(meetsVersion('1.0', `[${' '.repeat(100_000)}1${' '.repeat(100_000)},2 ]`)).toBe(true)
  })

  it('puts a release behind its candidates', () => {
    expect(compareVersions('1.0-rc1', '1.0')).toBe(-1)
    expect(compareVersions('1.0', '1.0-rc1')).toBe(1)
    expect(compareVersions('1.0-rc1', '1.0-rc2')).toBe(-1)
    expect(compareVersions('v1.0', '1.0.0')).toBe(0)
  })

  it('shows a lone version as the range of it', () => {
    expect(shownRequirement('9')).toBe('[9,9]')
    expect(shownRequirement(' [1,2) ')).toBe('[1,2)')
  })
})
