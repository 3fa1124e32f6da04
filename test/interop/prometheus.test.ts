/** A real Prometheus scrapes a hub under load: every expression of the dashboard and of the alerts must be one that it understands, and must give data. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createConsumer, createProducer } from '../../hub/client/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { program, service } from '../services.ts'

const run = promisify(execFile)
const config = new URL('../../config/', import.meta.url)
const LONG = process.env['MILLRACE_LONG'] !== undefined
const ALERTS = new URL('prometheus-alerts.yml', config).pathname

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

const dashboard = JSON.parse(await readFile(new URL('grafana-broker.json', config), 'utf8')) as Dashboard
const alerts = parse(await readFile(ALERTS, 'utf8')) as Alerts
const panels = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const))
/** What an alert looks at: its expression up to the comparison, which is true only when something is wrong. */
const looks = alerts.groups.flatMap(({ rules }) =>
  rules.map(({ alert, expr }) => [alert, expr.replace(/ (?:[<>]|[!=]=) [\d.]+$/, '')] as const),
)

describe.skipIf(!LONG)('a Prometheus that scrapes a hub', () => {
  let hub: TestHub
  let url = ''
  const opened = new AsyncDisposableStack()

  beforeAll(async () => {
    hub = opened.use(await startHub({ overrides: { 'millrace.http.listeners': 'http://127.0.0.1:0' } }))
    const address = new URL(hub.httpAddresses[0] ?? '').host
    const found = await service('prometheus', { environment: { PROM_TARGETS: `"${address}"` } })
    if (found.value === undefined) {
      console.log(`skipped: ${found.reason}`)
      return
    }
    url = found.value.url
    opened.defer(() => found.value.stop())
    const stop = new AbortController()
    const load = loads(hub.bootstrap, stop.signal)
    opened.defer(async () => {
      stop.abort()
      await load
    })
  }, 300_000)
  afterAll(() => opened.disposeAsync())

  it.for([...panels, ...looks])('gives data for %s: %s', async ([, expression], { skip }) => {
    skip(url === '', 'there is no Prometheus')
    await expect.poll(() => seriesCount(url, expression), { timeout: 60_000, interval: 500 }).toBeGreaterThan(0)
  })

  it('takes the alert rules', async ({ skip }) => {
    const promtool = await program('promtool', ['--version'])
    skip(promtool.value === undefined, promtool.reason)
    const { stdout } = await run(promtool.value ?? '', ['check', 'rules', ALERTS])
    expect(stdout).toMatch(/SUCCESS: 10 rules found/)
  })
})

/** How many series an expression gives now; throws what Prometheus says of one that it doesn't understand. */
async function seriesCount(url: string, expression: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)
  const answer = (await response.json()) as { readonly error?: string; readonly data?: { readonly result: readonly unknown[] } }
  if (answer.data === undefined) throw new Error(answer.error)
  return answer.data.result.length
}

/** Produces and consumes in a group, with some lag, until told to stop. */
async function loads(bootstrapServers: string, signal: AbortSignal): Promise<void> {
  const producer = createProducer({ bootstrapServers })
  const consumer = createConsumer({ bootstrapServers, groupId: 'scraped', offsetReset: 'earliest', autoCommit: false })
  try {
    await producer.send({ topic: 'scraped', value: 'first' })
    consumer.subscribe(['scraped'])
    while (!signal.aborted) {
      await producer.send({ topic: 'scraped', value: Buffer.alloc(100) })
      await consumer.poll(20)
      if (consumer.assignment().length > 0) await consumer.commit()
    }
  } finally {
    await consumer.close()
    await producer.close()
  }
}
