import { describe, expect, it } from 'vitest'
import { conditionsOf, dependenciesOf, pluginFieldOf } from '../../../hub/connect/plugins/package-field.ts'

const field = (millrace: unknown, ...conditions: string[]) =>
  pluginFieldOf(JSON.stringify({ millrace }), new Set([...conditions, 'default']))

describe('the millrace field', () => {
  it('gives a path, or the path of the first condition that holds', () => {
    const byCondition = { plugins: { 'millrace-source': './index.ts', default: './dist/index.js' } }
    expect(field({ plugins: './x.js' })).toEqual({ kind: 'module', path: './x.js' })
    expect(field(byCondition)).toEqual({ kind: 'module', path: './dist/index.js' })
    expect(field(byCondition, 'millrace-source')).toEqual({ kind: 'module', path: './index.ts' })
    expect(field(undefined)).toEqual({ kind: 'absent' })
  })

  it.each([
    ['no object', './x.js'],
    ['no plugins', {}],
    ['a list', { plugins: ['./x.js'] }],
    ['no condition that holds', { plugins: { browser: './x.js' } }],
    ['a condition that is no path', { plugins: { default: 3 } }],
    ['a path out of the package', { plugins: '../x.js' }],
    ['a path out of the package, later', { plugins: './a/../../x.js' }],
    ['an absolute path', { plugins: '/etc/x.js' }],
    ['null', null],
  ])('is broken with %s', (_what, millrace) => {
    expect(field(millrace).kind).toBe('broken')
  })

  it('is broken in what is no JSON', () => {
    expect(pluginFieldOf('{', new Set())).toMatchObject({ kind: 'broken' })
  })
})

describe('conditions of a process', () => {
  it.each([
    [['--conditions=mine'], ''],
    [['--conditions', 'mine'], ''],
    [['-C', 'mine'], ''],
    [[], '--max-old-space-size=100 --conditions=mine'],
  ])('%j and NODE_OPTIONS=%s', (execArgv, nodeOptions) => {
    expect(conditionsOf(execArgv, nodeOptions).has('mine')).toBe(true)
    expect(conditionsOf([], '').has('mine')).toBe(false)
  })
})

it('lists dependencies', () => {
  expect(dependenciesOf('{"dependencies": {"b": "1", "a": "2"}}')).toEqual(['b', 'a'])
  expect(dependenciesOf('{}')).toEqual([])
})
