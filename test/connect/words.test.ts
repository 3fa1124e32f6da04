/** What the worker makes of configurations and errors before anybody sees them: names, patches, plans, placeholders, traces. */
import { DataError, FatalError } from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failureFacts, firstLine, TRACE_LIMITS, traceOf } from '../../hub/connect/failure.ts'
import { Blotter, createProvide, withPlaceholders } from '../../hub/connect/provided.ts'
import { named, patched, withName } from '../../hub/connect/requests.ts'
import { storablePlan, taskCountMaxOf } from '../../hub/connect/task-plan.ts'

describe('names', () => {
  it.each([
    ['x', {}, 'x'],
    [' x\t', {}, 'x'],
    ['\u0000', {}, ''],
    [null, {}, ''],
    [null, { name: 'in config' }, 'in config'],
    ['', { name: 'in config' }, 'in config'],
    ['x', { name: 'x' }, 'x'],
  ])('%j in %j: %j', (requested, config, name) => {
    expect(named(requested, config)).toEqual({ name, config: { ...config, name } })
  })

  it.each(['.', '..', 'a\ud800'])('%j is refused: nobody could ask for it', (name) => {
    expect(() => named(name, {})).toThrow(expect.objectContaining({ status: 400 }))
    expect(() => named(null, { name })).toThrow(expect.objectContaining({ status: 400 }))
  })

  it('another name in the configuration is refused', () => {
    expect(() => withName('one', { name: 'two' })).toThrow(
      "Connector name configuration (two) doesn't match connector name in the URL (one)",
    )
  })

  it('a patch changes, adds and removes keys', () => {
    expect(patched({ a: '1', b: '2' }, { a: '3', b: null, c: '4', d: null })).toEqual({ a: '3', c: '4' })
  })
})

describe('plans', () => {
  const context = { written: { 'tasks.max': '2' }, provided: { 'tasks.max': '2' }, passwords: [], taskClass: 'x.Task' }

  it('get their task class', () => {
    expect(storablePlan('c', [{ a: '1' }], context)).toEqual({ configs: [{ a: '1', 'task.class': 'x.Task' }], warning: null })
    expect(taskCountMaxOf({})).toBe(1)
  })

  it('of more tasks than allowed fail the connector unless that is permitted', () => {
    const many = [{}, {}, {}]
    expect(() => storablePlan('c', many, context)).toThrow(/^The connector c has generated 3 tasks, which is greater than 2, the maximum/)
    const permitted = storablePlan('c', many, { ...context, provided: { 'tasks.max': '2', 'tasks.max.enforce': 'false' } })
    expect(permitted.configs).toHaveLength(3)
    expect(permitted.warning).toMatch(/greater than 2/)
  })
})

const variable = (inside: string): string => `\${${inside}}`

describe('values of providers', () => {
  it('are put in before use and taken out before storing', async () => {
    const files = { readFile: async () => Buffer.from('user=admin\npassword=s3cret-pass\nshort=ab\n') }
    const provide = createProvide({}, files, { HOST: 'db.example' })
    const written = {
      host: variable('env:HOST'),
      password: variable('file:/x:password'),
      short: variable('file:/x:short'),
      none: variable('file:/x:none'),
      plain: 'ab',
    }
    const { config, secrets } = await provide(written)
    expect(config).toEqual({ host: 'db.example', password: 's3cret-pass', short: 'ab', none: variable('file:/x:none'), plain: 'ab' })
    expect(secrets).toEqual(['db.example', 's3cret-pass', 'ab'])
    const planned = { ...config, renamed: 's3cret-pass', url: 'x', table: '1' }
    const storable = { ...written, renamed: variable('file:/x:password'), url: 'x', table: '1' }
    expect(withPlaceholders(planned, written, config, [])).toEqual(storable)
    // In parts of values only what is a password: other values may be a part of anything.
    const parts = { address: 's3cret-pass@db.example', word: 'abba' }
    const kept = { ...parts, address: `${variable('file:/x:password')}@db.example` }
    expect(withPlaceholders(parts, written, config, ['s3cret-pass', 'ab'])).toEqual(kept)
  })

  it('are blotted out of texts and facts, as they are and as JSON has them', () => {
    const blotter = new Blotter()
    blotter.add(['s3cret', 'with"quote\n', 'ab'])
    expect(blotter.text('a s3cret, {"x":"with\\"quote\\n"}, with"quote\n, abba')).toBe('a [hidden], {"x":"[hidden]"}, [hidden], abba')
    expect(blotter.facts({ url: 'pg://s3cret@x', count: 3, none: null })).toEqual({ url: 'pg://[hidden]@x', count: 3, none: null })
  })

  it('no secret survives, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 4 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.string(), { maxLength: 5 }),
        (secrets, others) => {
          fc.pre(secrets.every((secret) => !'[hidden]'.includes(secret)))
          const blotter = new Blotter()
          blotter.add(secrets)
          const blotted = blotter.text(secrets.flatMap((secret, index) => [others[index] ?? ' ', secret, ' ']).join(''))
          // What is left between two blots may by chance spell a part of the blot itself.
          for (const secret of secrets) for (const part of blotted.split('[hidden]')) expect(part.includes(secret)).toBe(false)
        },
      ),
    )
  })
})

describe('traces', () => {
  it('begin with class and message, the class that Kafka Connect would show where there is one', () => {
    expect(firstLine(traceOf(new TypeError('x is not a function')))).toBe('TypeError: x is not a function')
    expect(firstLine(traceOf(new FatalError('no-slot', 'the slot is taken', 'end the other')))).toBe(
      'org.apache.kafka.connect.errors.ConnectException: the slot is taken; end the other',
    )
    expect(firstLine(traceOf(new DataError('bad', { className: 'org.x.Bad' })))).toBe('org.x.Bad: bad')
    expect(traceOf('only text')).toBe('Error: thrown: only text')
    expect(traceOf(undefined)).toBe('Error: thrown: undefined')
    expect(traceOf(Object.assign(new Error('full'), { code: 'ENOSPC' })).split('\n')[1]).toBe('\tcode: ENOSPC')
  })

  it('are bounded, whatever is thrown', () => {
    const endless = new Error('x'.repeat(100_000))
    endless.cause = endless
    expect(traceOf(endless).length).toBeLessThanOrEqual(TRACE_LIMITS.characterCountMax)
    expect(failureFacts(null).message).toBe('thrown: null')
  })
})
