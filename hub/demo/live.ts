/** @module demo/live — the endless way: changes go on, and what flows is shown until Ctrl-C. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bucket, openBucket } from './bucket.ts'
import { changeEventOf } from './change-event.ts'
import { OBJECTS_PREFIX, SHOP_TOPICS, viewOf } from './connectors.ts'
import { type Addresses, changeText, lookCommands, objectText, screenLines } from './screen.ts'
import { ShopBook, keepShop } from './shopkeeper.ts'
import type { Site } from './site.ts'
import { type ObjectLine, Tally } from './tally.ts'
import { openScreen, type Output } from './terminal.ts'
import { readTopics } from './topics.ts'

/** How often each thing is looked at. */
const PACE = { drawMs: 250, bucketMs: 500, statusMs: 1_000 } as const

export interface LiveOptions {
  readonly site: Site
  readonly addresses: Addresses
  readonly changesPerSecond: number
  readonly output: Output
  /** The output can be drawn over; else everything is said in lines. */
  readonly hasScreen: boolean
  readonly hasColor: boolean
  readonly signal: AbortSignal
}

/** Shows what flows until the signal; resolves with what was seen. Rejects when the topics cannot be read any more. */
export async function runLive({ site, addresses, changesPerSecond, output, hasScreen, hasColor, signal }: LiveOptions): Promise<Tally> {
  const tally = new Tally(Date.now())
  const book = new ShopBook()
  const say = (line: string): void => {
    if (!hasScreen) output.write(`${line}\n`)
  }
  for (const [name, command] of lookCommands(addresses)) say(`${name.padEnd(7)} ${command}`)
  const failing = new AbortController()
  const ending = AbortSignal.any([signal, failing.signal])
  const screen = hasScreen ? openScreen(output, hasColor, (size) => screenLines(tally, addresses, size, Date.now())) : undefined
  try {
    const work = [
      keepShop(site.shop, changesPerSecond, book, ending, {
        rows: (count) => (tally.rowCount = count),
        problem: (text) => (text === undefined ? tally.notices.delete('PostgreSQL') : tally.notices.set('PostgreSQL', text)),
      }),
      watchTopics(site, tally, ending, say),
      watchBucket(site, tally, ending, say),
      repeat(PACE.statusMs, ending, () => watchConnectors(site, tally, ending)),
      repeat(PACE.drawMs, ending, async () => {
        tally.changeCount = book.total
        tally.sample(Date.now())
        screen?.draw()
      }),
    ].map((task) => task.catch((error: unknown) => failing.abort(error)))
    await Promise.all(work)
    if (failing.signal.aborted && !signal.aborted) throw failing.signal.reason
  } finally {
    screen?.close()
  }
  return tally
}

async function watchTopics({ hub }: Site, tally: Tally, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  await readTopics(hub.bootstrap, SHOP_TOPICS, signal, ({ topic, offset, value }) => {
    const event = value === null ? undefined : changeEventOf(value.toString())
    if (event === undefined) tally.tombstoneCount++
    else say(changeText(tally.sawRecord(event, { topic, offset }, Date.now())))
  })
}

/**
 * Reads objects that are new or other than before. Names rise with the offsets, so that only the newest of a topic may yet be written anew: the
 * list begins there. A server that does not answer is asked again.
 */
async function watchBucket({ s3, bucket: name }: Site, tally: Tally, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  const bucket = openBucket(s3.endpoint, name)
  const newest = new Map<string, readonly SeenObject[]>()
  await repeat(PACE.bucketMs, signal, async () => {
    try {
      for (const topic of SHOP_TOPICS) newest.set(topic, await newObjects(bucket, topic, newest.get(topic) ?? [], signal, tally, say))
      tally.notices.delete('S3 server')
    } catch (error) {
      if (!signal.aborted) tally.notices.set('S3 server', (error as Error).message)
    }
  })
}

type SeenObject = ObjectLine & { readonly tag: string }

/** What has come to a topic's objects since; resolves with the last two, behind the first of which the next list begins. */
async function newObjects(
  bucket: Bucket,
  topic: string,
  seen: readonly SeenObject[],
  signal: AbortSignal,
  tally: Tally,
  say: (line: string) => void,
): Promise<readonly SeenObject[]> {
  const settled = seen.length < 2 ? '' : (seen[0]?.key ?? '')
  const now = [...seen]
  for (const { key, tag, byteCount } of await bucket.list(`${OBJECTS_PREFIX}${topic}/`, settled, signal)) {
    const at = now.findIndex((object) => object.key === key)
    if (now[at]?.tag === tag) continue
    const identities = ((await bucket.read(key, signal)) ?? '').split('\n').flatMap((line) => changeEventOf(line)?.identity ?? [])
    const object = { key, tag, byteCount, recordCount: identities.length, seenMs: Date.now() }
    tally.sawObject(object, identities, now[at])
    if (at === -1) now.push(object)
    else now[at] = object
    say(objectText(object))
  }
  return now.slice(-2)
}

async function watchConnectors({ rest }: Site, tally: Tally, signal: AbortSignal): Promise<void> {
  try {
    const listed = Object.entries(await rest.connectors(signal)).toSorted(([a], [b]) =>
      a === 'capture' ? -1 : b === 'capture' ? 1 : a.localeCompare(b),
    )
    tally.notices.delete('Connect worker')
    tally.connectors.clear()
    for (const [name, { status }] of listed) tally.connectors.set(name, viewOf(status))
  } catch (error) {
    if (!signal.aborted) tally.notices.set('Connect worker', (error as Error).message)
  }
}

/** Does something at once and then after each pause, until the signal. */
async function repeat(pauseMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
}
