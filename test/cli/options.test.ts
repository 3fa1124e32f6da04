/** @module test/cli/options — the parser, and the option tables against Kafka's. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { brokerApiVersionsOptions } from '../../hub/cli/broker-api-versions.ts'
import { configsOptions } from '../../hub/cli/configs-options.ts'
import { consoleConsumerOptions } from '../../hub/cli/console-consumer-options.ts'
import { consoleProducerOptions } from '../../hub/cli/console-producer-options.ts'
import { consumerGroupsOptions } from '../../hub/cli/consumer-groups-options.ts'
import { deleteRecordsOptions } from '../../hub/cli/delete-records.ts'
import { getOffsetsOptions } from '../../hub/cli/get-offsets.ts'
import { logDirsOptions } from '../../hub/cli/log-dirs.ts'
import { OptionError, type OptionSpec, type OptionTable, parseOptions } from '../../hub/cli/options.ts'
import { topicsOptions } from '../../hub/cli/topics-options.ts'
import { usageText, wrap } from '../../hub/cli/usage.ts'

const table = {
  list: { help: 'List.' },
  topic: { argument: 'required', argumentName: 'name', help: 'The topic.' },
  count: { argument: 'required', type: 'Integer', default: '7', help: 'How many.' },
  size: { argument: 'required', type: 'Long', help: 'How large.' },
  state: { argument: 'optional', availableIf: ['list'], help: 'Which state.' },
  help: { help: 'Help.' },
} as const satisfies OptionTable

const parse = (...args: string[]) => parseOptions(table, args)

describe('parseOptions', () => {
  it('takes values behind a blank, behind =, and after one dash', () => {
    expect(parse('--topic', 'a').text('topic')).toBe('a')
    expect(parse('--topic=a=b').text('topic')).toBe('a=b')
    expect(parse('-topic', 'a').text('topic')).toBe('a')
    // An empty value behind = is no value: the next word is taken.
    expect(parse('--topic=', 'a').text('topic')).toBe('a')
  })

  it('takes whatever follows an option that needs a value, and nothing that looks like an option for one that may have one', () => {
    expect(parse('--size', '-5').number('size')).toBe(-5)
    expect(parse('--list', '--state', 'empty').text('state')).toBe('empty')
    const bare = parse('--state', '--list')
    expect([bare.has('state'), bare.text('state')]).toEqual([true, undefined])
  })

  it('keeps repeated values in order, refuses them where one is asked for', () => {
    const options = parse('--topic', 'a', '--topic', 'b')
    expect(options.texts('topic')).toEqual(['a', 'b'])
    expect(() => options.text('topic')).toThrow('Found multiple arguments for option topic, but you asked for only one')
  })

  it('has defaults, which do not count as given', () => {
    const options = parse('--list')
    expect([options.has('count'), options.number('count'), options.texts('count')]).toEqual([false, 7, ['7']])
  })

  it('passes over what is no option, and everything behind --', () => {
    const options = parse('word', '-', '--list', '--', '--topic', 'a')
    expect([options.has('list'), options.has('topic')]).toEqual([true, false])
  })

  it.each([
    [['--bogus'], 'bogus is not a recognized option'],
    [['--top', 'a'], 'top is not a recognized option'],
    [['-xyz'], 'x is not a recognized option'],
    [['--constructor'], 'constructor is not a recognized option'],
    [['--topic'], 'Option topic requires an argument'],
    [['--state'], 'Option(s) [state] are unavailable given other options on the command line'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(new OptionError(message))
  })

  it('allows any company for --help', () => {
    expect(parse('--state', '--help').has('help')).toBe(true)
  })

  it.each(['x', '1.5', '', '2147483648', '-2147483649'])('refuses %j as an Integer', (text) => {
    expect(() => parse('--count', text).number('count')).toThrow(`Cannot parse argument '${text}' of option count`)
  })

  it('reads Integers and Longs up to their ends', () => {
    expect(parse('--count', '2147483647').number('count')).toBe(2 ** 31 - 1)
    expect(parse('--count', '+3').number('count')).toBe(3)
    expect(parse('--size', '9223372036854775807').number('size')).toBe(2 ** 63)
    expect(() => parse('--size', '9223372036854775808').number('size')).toThrow('Cannot parse')
  })
})

interface RecordedOption {
  readonly names: readonly string[]
  readonly argument: 'none' | 'required' | 'optional'
  readonly argumentName?: string
  readonly type?: string
  readonly default?: readonly string[]
  readonly deprecated?: boolean
  readonly statedRequired?: boolean
}

const recorded = JSON.parse(readFileSync(new URL('../golden/cli/options.json', import.meta.url), 'utf8')) as Record<
  string,
  { readonly options: readonly RecordedOption[] }
>

describe.each([
  ['kafka-topics', topicsOptions],
  ['kafka-console-producer', consoleProducerOptions],
  ['kafka-console-consumer', consoleConsumerOptions],
  ['kafka-consumer-groups', consumerGroupsOptions],
  ['kafka-get-offsets', getOffsetsOptions],
  ['kafka-configs', configsOptions],
  ['kafka-log-dirs', logDirsOptions],
  ['kafka-broker-api-versions', brokerApiVersionsOptions],
  ['kafka-delete-records', deleteRecordsOptions],
] as const)('the options of %s', (tool, ours: OptionTable) => {
  const asRecorded = (name: string, spec: OptionSpec): RecordedOption => ({
    names: [`--${name}`],
    argument: spec.argument ?? 'none',
    ...(spec.argumentName === undefined ? {} : { argumentName: spec.argumentName }),
    ...(spec.argument === undefined ? {} : { type: spec.type ?? 'String' }),
    ...(spec.isRequired === true ? { statedRequired: true } : {}),
    ...(spec.isDeprecated === true ? { deprecated: true } : {}),
    ...(spec.default === undefined ? {} : { default: [spec.default] }),
  })

  it('are Kafka’s', () => {
    const names = Object.keys(ours).filter((name) => ours[name]?.isOurs !== true)
    const list = names.sort().map((name) => asRecorded(name, ours[name] as OptionSpec))
    expect(list).toEqual(
      [...(recorded[tool]?.options ?? [])].sort((one, other) => ((one.names[0] ?? '') < (other.names[0] ?? '') ? -1 : 1)),
    )
  })

  it('are all in the help, within its width', () => {
    const lines = usageText({ name: tool, options: ours }).split('\n')
    for (const name of Object.keys(ours))
      expect(
        lines.some((line) => line.startsWith(`  --${name}`)),
        name,
      ).toBe(true)
  })
})

describe('usageText', () => {
  it('lays options out in two columns', () => {
    expect(usageText({ name: 'try', options: table })).toBe(
      [
        '',
        'Usage: millrace try [option]…',
        '',
        '  --count <Integer>               How many. (default: 7)',
        '  --help                          Help.',
        '  --list                          List.',
        '  --size <Long>                   How large.',
        '  --state [value]                 Which state.',
        '  --topic <name>                  The topic.',
        '',
      ].join('\n'),
    )
  })

  it('breaks texts between words', () => {
    expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four'])
    expect(wrap('extraordinarily long', 5)).toEqual(['extraordinarily', 'long'])
  })
})
