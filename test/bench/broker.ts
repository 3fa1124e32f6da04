/**
 * @module test/bench/broker — produce, consume and latency of a hub beside Apache Kafka, taken in the same minutes: every load runs on each side in turn.
 * The load generator checks order, loss and duplication in the runs that verify.
 */
import { type Figures, load } from './load.ts'
import { hubSide, kafkaSide, type Side } from './sides.ts'

/** One load and the figures that are shown of it. */
interface Load {
  readonly name: string
  readonly verb: string
  readonly flags: Readonly<Record<string, string | number | true>>
  readonly shown: readonly string[]
}

const seconds = process.env['BENCH_SECONDS'] ?? '6'
const throughput = ['rate', 'throughput', 'broker_cpu_per_GB', 'ack_p50', 'ack_p99', 'broker_rss', 'other_cpu']
const loads: readonly Load[] = [
  // First: the disk of a virtual machine throttles after bursts, and a broker's tail with it.
  {
    name: 'latency 5,000/s 1 KiB acks=all linger 0',
    verb: 'latency',
    flags: { topic: 'lat', create: true, rate: 5000, records: 40_000, warmup: 10_000, linger: '0', size: 1024 },
    shown: ['ack_p50', 'ack_p95', 'ack_p99', 'ack_p999', 'e2e_p50', 'e2e_p99', 'broker_cpu_per_Mrec', 'other_cpu'],
  },
  { name: 'warm-up', verb: 'produce', flags: { topic: 'warm', create: true, duration: '4s', size: 1024, linger: '5ms' }, shown: [] },
  ...(['all', '1'] as const).map(
    (acks): Load => ({
      name: `produce 1 KiB acks=${acks}`,
      verb: 'produce',
      flags: { topic: 'load', create: true, duration: `${seconds}s`, size: 1024, acks, linger: '5ms' },
      shown: throughput,
    }),
  ),
  {
    name: 'produce 100 B acks=all',
    verb: 'produce',
    flags: { topic: 'load', create: true, duration: `${seconds}s`, size: 100, linger: '5ms' },
    shown: throughput,
  },
  {
    name: 'produce 1 KiB lz4 acks=all',
    verb: 'produce',
    flags: { topic: 'load', create: true, duration: `${seconds}s`, size: 1024, linger: '5ms', compression: 'lz4', payload: 'json' },
    shown: throughput,
  },
  { name: 'fill 1 KiB', verb: 'produce', flags: { topic: 'c1024', create: true, records: 1_000_000, size: 1024, verify: true }, shown: [] },
  {
    name: 'consume 1 KiB',
    verb: 'consume',
    flags: { topic: 'c1024', records: 1_000_000 },
    shown: ['rate', 'throughput', 'broker_cpu_per_GB', 'other_cpu'],
  },
  {
    name: 'consume 1 KiB, every record checked',
    verb: 'consume',
    flags: { topic: 'c1024', records: 0, verify: true, expect: 1_000_000 },
    shown: ['rate', 'throughput'],
  },
]

/** Runs the loads on every side and prints a table; the last columns are ratios against the first side of Kafka that ran. */
export async function benchBroker(tool: string): Promise<void> {
  const sides: Side[] = []
  try {
    sides.push(await hubSide())
    for (const [port, properties, name] of [
      [32092, [], 'kafka (page cache)'],
      [32192, ['log.flush.interval.messages=1'], 'kafka (sync each)'],
    ] as const) {
      const side = await kafkaSide(port, properties, name)
      if (side === undefined) console.log(`${name}: not here`)
      else sides.push(side)
    }
    for (const { name, verb, flags, shown } of loads) {
      const results: (Figures | undefined)[] = []
      for (const side of sides) {
        try {
          results.push(await load(tool, verb, { brokers: side.bootstrap, 'broker-pid': side.pid, timeout: '90s', ...flags }))
        } catch (error) {
          results.push(undefined)
          console.log(`FAILED ${name} on ${side.name}: ${(error as Error).message.trim().split('\n').at(-1)}`)
        }
      }
      for (const figure of shown) print(`${name}: ${figure}`, sides, results, figure)
    }
  } finally {
    for (const side of sides) await side.stop()
  }
}

function print(label: string, sides: readonly Side[], results: readonly (Figures | undefined)[], figure: string): void {
  const first = results[0]?.get(figure)
  const cells = sides.map((side, index) => {
    const found = results[index]?.get(figure)
    if (found === undefined) return `${side.name} –`
    const ratio = index > 0 && first !== undefined && found.value > 0 ? ` (×${(first.value / found.value).toFixed(2)})` : ''
    return `${side.name} ${found.value.toLocaleString('en', { maximumFractionDigits: 2 })} ${found.unit}${ratio}`
  })
  console.log(`${label.padEnd(52)} ${cells.join('   ')}`)
}
