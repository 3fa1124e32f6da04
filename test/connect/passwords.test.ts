/** Which values of configurations are hidden, and what `[hidden]` stands for when it is written back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Passwords, standsForPasswords } from '../../hub/connect/passwords.ts'
import type { PluginDescription } from '../../hub/connect/plugins/types.ts'
import type { ConfigText } from '../../hub/connect/types.ts'

const plugin = (className: string, kind: PluginDescription['kind'], configTypes: Readonly<Record<string, string>>): PluginDescription => ({
  class: className,
  kind,
  version: '1.0.0',
  aliases: [],
  taskClass: null,
  configTypes,
  moduleUrl: 'file:///plugins.js',
  exportName: className,
})
const plugins = [
  plugin('x.DbSink', 'sink', { pin: 'PASSWORD', 'token.field': 'STRING', url: 'STRING', 'url.key': 'PASSWORD' }),
  plugin('x.OpenSink', 'sink', { pin: 'STRING' }),
  plugin('x.Mask', 'transformation', { pepper: 'PASSWORD', 'password.field': 'STRING', 'inner.type': 'PASSWORD' }),
  plugin('x.Old', 'predicate', { salt: 'PASSWORD' }),
  plugin('x.SealConverter', 'converter', { seal: 'PASSWORD' }),
  plugin('x.SealHeaderConverter', 'header_converter', { seal: 'PASSWORD' }),
]
const passwordsOf = (known: readonly PluginDescription[] = plugins): Passwords =>
  new Passwords({
    plugins: () => known,
    workerDefaults: { 'key.converter': 'x.SealConverter' },
    providers: new Set(['file', 'env']),
  })
const passwords = passwordsOf()
const variable = (inside: string): string => `\${${inside}}`
const db = (more: ConfigText): ConfigText => ({ 'connector.class': 'x.DbSink', ...more })
const masked = { transforms: 'm', 'transforms.m.type': 'x.Mask' }

describe('a value is hidden', () => {
  it.each<[string, boolean, ConfigText?]>([
    ['pin', true],
    ['url', false],
    ['url.key', true],
    // A definition knows better than a name.
    ['token.field', false],
    ['other.password', true],
    ['sasl.jaas.config', true],
    ['other', false],
    ['name', false],
    ['topics', false],
    ['transforms.m.pepper', true, masked],
    ['transforms.m.password.field', false, masked],
    ['transforms.m.inner.type', true, masked],
    ['transforms.m.type', false, masked],
    ['transforms.m.predicate', false, masked],
    ['transforms.m.secret', true, masked],
    // Out of use, and yet there.
    ['transforms.m.pepper', true, { 'transforms.m.type': 'Mask' }],
    ['transforms.m.pepper', false, { ...masked, 'transforms.m.type': 'x.Gone' }],
    ['transforms.m.password', true, { ...masked, 'transforms.m.type': 'x.Gone' }],
    ['transforms.token.negate', false, { transforms: 'token', 'transforms.token.type': 'x.Gone' }],
    ['transforms.token.field', false, { transforms: 'token', 'transforms.token.type': 'x.Gone' }],
    ['transforms.a.b.pepper', true, { transforms: 'a.b', 'transforms.a.b.type': 'x.Mask' }],
    ['constructor.type', false],
    ['predicates.o.salt', true, { predicates: 'o', 'predicates.o.type': 'x.Old' }],
    ['value.converter.seal', true, { 'value.converter': 'Seal' }],
    ['value.converter.seal', false],
    ['value.converter.secret', true],
    ['header.converter.seal', true, { 'header.converter': 'x.SealHeaderConverter' }],
    // Of the worker's own converter.
    ['key.converter.seal', true],
    ['producer.override.sasl.jaas.config', true],
    ['consumer.override.ssl.keystore.password', true],
    ['admin.override.ssl.keystore.key', true],
    ['producer.override.linger.ms', false],
    ['producer.override.sasl.oauthbearer.token.endpoint.url', false],
    ['producer.override.unknown.secret', true],
    ['topic.creation.token.partitions', false],
  ])('%s: %j', (key, isHidden, more = {}) => {
    const config = db({ ...more, [key]: more[key] ?? 'as written' })
    expect(passwords.shown(config)).toEqual({ ...config, [key]: isHidden ? '[hidden]' : config[key] })
  })

  it.each([
    [variable('file:/x:y'), false],
    [`${variable('file:/x:y')}${variable('env:Y')}`, false],
    [`a${variable('file:/x:y')}`, true],
    [`${variable('file:/x:y')} `, true],
    // No provider of this worker, so that it is the password itself.
    [variable('vault:/x:y'), true],
    [`${variable('file:/x:y')}${variable('vault:y')}`, true],
    [variable('file'), true],
    ['', true],
  ])('written as %j: %j', (value, isHidden) => {
    expect(passwords.shown(db({ pin: value }))['pin']).toBe(isHidden ? '[hidden]' : value)
  })

  it('by its name where its plugin is gone', () => {
    const config = db({ pin: '1', 'db.password': '2', 'transforms.m.type': 'x.Mask', 'transforms.m.pepper': '3' })
    expect(passwordsOf([]).shown(config)).toEqual({ ...config, 'db.password': '[hidden]' })
  })
})

describe('a task', () => {
  it('is judged by its own configuration and by that of its connector, and gone through for passwords', () => {
    const connector = db({ pin: 'postgres', url: 'pg://postgres', 'value.converter': 'x.SealConverter' })
    const task = {
      ...connector,
      'task.class': 'x.DbTask',
      address: 'pg://ada:postgres@db',
      seat: variable('file:/x:y'),
      'value.converter.seal': 'wax',
    }
    expect(passwords.shownTask(task, connector)).toEqual({
      ...task,
      pin: '[hidden]',
      address: 'pg://ada:[hidden]@db',
      'value.converter.seal': '[hidden]',
    })
    // The connector has another class by now.
    expect(passwords.shownTask(db({ pin: 'x' }), { 'connector.class': 'x.OpenSink' })).toEqual(db({ pin: '[hidden]' }))
    expect(passwords.shownTask({ pin: 'x' }, db({ pin: 'y' }))).toEqual({ pin: '[hidden]' })
  })
})

it('passwords are told as they are written and as plugins get them, placeholders are none', () => {
  const config = db({ pin: ' 123 ', 'url.key': variable('file:/x:y'), url: 'open' })
  expect(passwords.valuesOf(config)).toEqual([' 123 ', '123'])
  expect(passwords.valuesOf({ pin: 'of the task' }, config)).toEqual(['of the task', 'of the task', ' 123 ', '123'])
})

const refusal = (key: string): object =>
  expect.objectContaining({
    status: 400,
    message: `the value of ${key} is [hidden], which stands for a password that is not shown; write the password or a \${file:…} placeholder`,
  }) as object

describe('[hidden]', () => {
  const hidden = '[hidden]'

  it('keeps what is stored', () => {
    const stored = db({ pin: '1', 'transforms.m.pepper': '2', ...masked, url: 'old' })
    const asked = db({ pin: hidden, 'transforms.m.pepper': hidden, ...masked, url: 'new' })
    expect(passwords.restored(asked, stored)).toEqual({ ...stored, url: 'new' })
    expect(passwords.restored(db({ pin: hidden }), db({ pin: variable('file:/x:y') }))).toEqual(db({ pin: variable('file:/x:y') }))
  })

  it.each<[string, ConfigText, ConfigText | undefined]>([
    ['pin', db({ pin: hidden }), undefined],
    ['pin', db({ pin: hidden }), db({})],
    ['url.key', db({ pin: hidden, 'url.key': hidden }), db({ pin: '1' })],
    ['other.secret', db({ 'other.secret': hidden }), db({})],
    // What was a password does not become readable under another plugin's name.
    ['pin', { 'connector.class': 'x.OpenSink', pin: hidden }, db({ pin: '1' })],
    [
      'transforms.m.pepper',
      db({ ...masked, 'transforms.m.type': 'x.Gone', 'transforms.m.pepper': hidden }),
      db({ ...masked, 'transforms.m.pepper': '1' }),
    ],
    ['transforms.m.pepper', db({ 'transforms.m.pepper': hidden }), db({ ...masked, 'transforms.m.pepper': '1' })],
  ])('of %s is refused in %j where %j is stored', (key, asked, stored) => {
    expect(() => passwords.restored(asked, stored)).toThrow(refusal(key))
  })

  it.each<[ConfigText, ConfigText | undefined]>([
    [db({ url: hidden }), undefined],
    [db({ url: hidden }), db({ url: 'x', pin: '1' })],
    [db({ pin: `${hidden}!` }), db({ pin: '1' })],
    // Refused as a whole later, by its text: no password may be in it.
    [{ pin: hidden }, db({ pin: '1' })],
  ])('is taken as it is in %j', (asked, stored) => {
    expect(passwords.restored(asked, stored)).toEqual(asked)
  })

  it('whatever is shown can be written back', () => {
    const keys = ['pin', 'url', 'token.field', 'transforms.m.pepper', 'key.converter.seal', 'x.password', '__proto__', 'transforms.m.type']
    const value = fc.oneof(fc.string(), fc.constantFrom(hidden, 'x.Mask', variable('file:/x:y')))
    const anyConfig = fc.dictionary(fc.constantFrom(...keys), value).map((more): ConfigText => ({ ...more, 'connector.class': 'x.DbSink' }))
    fc.assert(
      fc.property(anyConfig, (stored) => {
        const shown = passwords.shown(stored)
        expect(passwords.restored(shown, stored)).toEqual(stored)
        if (Object.hasOwn(stored, 'pin') && stored['pin'] !== variable('file:/x:y')) {
          expect(shown['pin']).toBe(hidden)
          expect(standsForPasswords(shown)).toBe(true)
        }
      }),
    )
  })
})
