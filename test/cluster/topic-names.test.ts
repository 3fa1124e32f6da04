import { describe, expect, it } from 'vitest'
import { collisionKey, topicNameProblem } from '../../hub/cluster/topic-names.ts'

describe('topic names', () => {
  it.each(['a', 'A-b_c.9', '...', '-', 'x'.repeat(249)])('%s is legal', (name) => expect(topicNameProblem(name)).toBeUndefined())

  it.each([
    ['', 'the empty string is not allowed'],
    ['.', "'.' is not allowed"],
    ['..', "'..' is not allowed"],
    ['x'.repeat(250), `the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`],
    ['a b', "'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"],
    ['a\n', "'a\n' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"],
    ['жук', "'жук' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"],
  ])('%j is refused in Kafka’s words', (name, message) => expect(topicNameProblem(name)).toBe(`Topic name is invalid: ${message}`))

  it('names that differ in . and _ alone share a collision key', () => {
    expect(collisionKey('a.b_c')).toBe(collisionKey('a_b.c'))
    expect(collisionKey('a.b')).not.toBe(collisionKey('a.c'))
    expect(collisionKey('plain-name')).toBeUndefined()
  })
})
