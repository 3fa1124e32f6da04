import { describe, expect, it } from 'vitest'
import { createRegistry, type Emit, type Registry } from '../../hub/observe/index.ts'

async function shown(registry: Registry, name: string): Promise<string[]> {
  return (await registry.exposition()).split('\n').filter((line) => line.startsWith(`${name}{`))
}

describe('the registry', () => {
  it('writes the text that Prometheus reads', async () => {
    const registry = createRegistry()
    const requests = registry.counter('requests_total', 'Requests\nby API.', ['api', 'version'])
    const connections = registry.gauge('connections', 'Open connections.')
    registry.observed('gauge', 'groups', 'Groups.', [], (emit) => emit(5))
    const latency = registry.histogram('flush_seconds', 'Flushes.', ['log'], [0.1, 1])
    requests.inc(1, 'Fetch', '17')
    requests.inc(2, 'Fetch', '17')
    requests.inc(undefined, 'a "quoted"\\\n', '0')
    connections.add(3)
    connections.add(-1)
    for (const seconds of [0.05, 0.1, 0.5, 7]) latency.observe(seconds, 'data')
    expect(await registry.exposition()).toBe(
      [
        '# HELP millrace_metrics_series_beyond_limit Series of a metric that were not told one by one, since there are too many.',
        '# TYPE millrace_metrics_series_beyond_limit gauge',
        '# HELP requests_total Requests\\nby API.',
        '# TYPE requests_total counter',
        'requests_total{api="Fetch",version="17"} 3',
        'requests_total{api="a \\"quoted\\"\\\\\\n",version="0"} 1',
        '# HELP connections Open connections.',
        '# TYPE connections gauge',
        'connections 2',
        '# HELP groups Groups.',
        '# TYPE groups gauge',
        'groups 5',
        '# HELP flush_seconds Flushes.',
        '# TYPE flush_seconds histogram',
        'flush_seconds_bucket{log="data",le="0.1"} 2',
        'flush_seconds_bucket{log="data",le="1"} 3',
        'flush_seconds_bucket{log="data",le="+Inf"} 4',
        'flush_seconds_sum{log="data"} 7.65',
        'flush_seconds_count{log="data"} 4',
        '',
      ].join('\n'),
    )
  })

  it('shows metrics without labels from the start', async () => {
    const registry = createRegistry()
    registry.counter('a_total', 'A.')
    registry.histogram('b', 'B.', [], [1])
    expect(await registry.exposition()).toContain('a_total 0\n')
    expect(await registry.exposition()).toContain('b_bucket{le="1"} 0\nb_bucket{le="+Inf"} 0\nb_sum 0\nb_count 0\n')
  })

  it('bounds the label values of a metric and keeps the sum', async () => {
    const registry = createRegistry(4)
    const topics = registry.counter('topics_total', 'By topic.', ['topic'])
    for (let index = 0; index < 100; index++) topics.inc(1, `t${index}`)
    const lines = (await registry.exposition()).split('\n').filter((line) => line.startsWith('topics_total{'))
    expect(lines).toEqual([
      'topics_total{topic="t0"} 1',
      'topics_total{topic="t1"} 1',
      'topics_total{topic="t2"} 1',
      'topics_total{topic="other"} 97',
    ])
  })

  it('asks observed metrics at each exposition, and tells what is beyond their limit', async () => {
    const registry = createRegistry(1000, 2)
    let count = 1
    const each = (emit: Emit): void => {
      for (let index = 0; index < count; index++) emit(index + 1, `t${index}`)
      emit(undefined, 'not known')
    }
    registry.observed('gauge', 'sizes', 'Sizes.', ['topic'], each)
    registry.observed('counter', 'sent_total', 'Sent.', ['topic'], each)
    expect(await shown(registry, 'sizes')).toEqual(['sizes{topic="t0"} 1'])
    count = 5
    expect(await shown(registry, 'sizes')).toEqual(['sizes{topic="t0"} 1', 'sizes{topic="t1"} 2'])
    expect(await shown(registry, 'sent_total')).toEqual([
      'sent_total{topic="t0"} 1',
      'sent_total{topic="t1"} 2',
      'sent_total{topic="other"} 12',
    ])
    expect(await shown(registry, 'millrace_metrics_series_beyond_limit')).toEqual([
      'millrace_metrics_series_beyond_limit{metric="sizes"} 3',
      'millrace_metrics_series_beyond_limit{metric="sent_total"} 3',
    ])
    count = 2
    await registry.exposition()
    expect(await shown(registry, 'millrace_metrics_series_beyond_limit')).toEqual([
      'millrace_metrics_series_beyond_limit{metric="sizes"} 0',
      'millrace_metrics_series_beyond_limit{metric="sent_total"} 0',
    ])
  })

  it('lets others have their turn while it writes thousands of lines', async () => {
    const registry = createRegistry()
    registry.observed('gauge', 'sizes', 'Sizes.', ['partition'], (emit) => {
      for (let index = 0; index < 9_000; index++) emit(index, String(index))
    })
    let pauses = 0
    const text = await registry.exposition(async () => {
      pauses++
    })
    expect(pauses).toBe(4)
    expect(text.split('\n').filter((line) => line.startsWith('sizes{'))).toHaveLength(9_000)
  })

  it('shows numbers that are not finite', async () => {
    const registry = createRegistry()
    registry.gauge('g', 'G.').set(Number.POSITIVE_INFINITY)
    registry.gauge('h', 'H.').set(Number.NaN)
    expect(await registry.exposition()).toContain('g +Inf\n')
    expect(await registry.exposition()).toContain('h NaN\n')
  })

  it('refuses names twice, bad names, wrong label counts and counters that go back', () => {
    const registry = createRegistry()
    const counter = registry.counter('a', 'A.', ['x'])
    expect(() => registry.gauge('a', 'A.')).toThrow('registered already')
    expect(() => registry.gauge('1a', 'A.')).toThrow('no name')
    expect(() => counter.inc(1)).toThrow('0 values for the labels x')
    expect(() => counter.inc(-1, 'y')).toThrow('cannot go back')
  })
})
