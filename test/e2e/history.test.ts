/**
 * @module test/e2e/history — the workload and the checker of `test/sim` against a real process: killed, held still, on a full disk, with a torn last
 * write (design §4). The seed decides what the clients and the faults do, not when the machine does it.
 */
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createAdmin } from '../../hub/client/index.ts'
import { nodeClock, nodeNet, seededRandom } from '../../hub/io/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { audit } from '../sim/audit.ts'
import { cast, GROUPS } from '../sim/cast.ts'
import { check } from '../sim/checker.ts'
import { lineOf, Recorder } from '../sim/history.ts'
import { HUB_SETTINGS } from '../sim/hub-settings.ts'
import { allPartitions, type ClientProcess, clientOptions, newTopics, type Stage, TOPICS } from '../sim/stage.ts'
import { fillDisk, mountSmallDisk, tearTail } from './history-faults.ts'

const FAULT_COUNT = process.env['MILLRACE_LONG'] === undefined ? 8 : 80
const DISK_MB = 192

/** A hub that is harmed, and what was done to it. */
class Patient {
  hub: HubProcess
  readonly directory: string
  readonly #tell: (what: string) => void

  constructor(hub: HubProcess, directory: string, tell: (what: string) => void) {
    this.hub = hub
    this.directory = directory
    this.#tell = tell
  }

  async kill(whileDead: () => Promise<string> = async () => 'killed'): Promise<void> {
    await this.hub.end('SIGKILL')
    this.#tell(await whileDead())
    const port = Number(this.hub.bootstrap.split(':')[1])
    this.hub = await startHubProcess({ directory: this.directory, port, overrides: HUB_SETTINGS })
  }

  async holdStill(durationMs: number): Promise<void> {
    this.#tell(`held still for ${durationMs.toFixed(0)} ms`)
    process.kill(this.hub.pid, 'SIGSTOP')
    await sleep(durationMs)
    process.kill(this.hub.pid, 'SIGCONT')
  }

  async fillDisk(filler: string, durationMs: number): Promise<void> {
    this.#tell(`full disk for ${durationMs.toFixed(0)} ms`)
    await fillDisk(filler)
    await sleep(durationMs)
    await unlink(filler)
  }
}

async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = sleep(limitMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`${what} within ${limitMs} ms`)
  })
  timer.catch(() => {})
  return Promise.race([promise, timer]).finally(() => late.abort())
}

it(`shows no anomaly over ${FAULT_COUNT} faults of a real process`, { timeout: 20 * 60_000 }, async () => {
  const seed = Date.now()
  const random = seededRandom(seed)
  await using disk = await mountSmallDisk(DISK_MB)
  const directory = join(disk.folder, 'data')
  const beganMs = performance.now()
  const recorder = new Recorder(() => performance.now() - beganMs)
  const tell = (what: string): void => recorder.note('nemesis', { f: 'fault', what })
  const patient = new Patient(await startHubProcess({ directory, overrides: HUB_SETTINGS }), directory, tell)
  const stage: Stage = { bootstrap: patient.hub.bootstrap, recorder }
  const client = (name: string): ClientProcess => ({
    name,
    world: { clock: nodeClock(), net: nodeNet(), random: seededRandom(Math.floor(random.float() * 2 ** 48)) },
  })
  const admin = createAdmin(clientOptions(client('setter'), stage))
  const created = await admin.createTopics(newTopics())
  expect(created.map(({ error }) => error)).toEqual(created.map(() => null))
  await admin.close()

  const over = new AbortController()
  const playing = cast().map(([role, actor]) => actor(client(role), stage, over.signal))
  for (let count = 0; count < FAULT_COUNT; count++) {
    await sleep(100 + random.float() * 1_000)
    const kind = count % (disk.isOwn ? 4 : 3)
    if (kind === 0) await patient.kill()
    else if (kind === 1) await patient.holdStill(random.float() < 0.2 ? 7_000 : random.float() * 2_000)
    else if (kind === 2) await patient.kill(() => tearTail(directory, Object.keys(TOPICS), recorder.events, random))
    else await patient.fillDisk(join(disk.folder, 'filler'), 300 + random.float() * 2_000)
  }
  await patient.kill()
  await sleep(1_000)
  over.abort()
  await within(120_000, 'the actors do not end', Promise.all(playing))
  const end = new AbortController()
  await within(180_000, 'the audit does not end', audit(client('auditor'), stage, allPartitions(), GROUPS, end.signal)).finally(() =>
    end.abort(),
  )
  expect(await patient.hub.end('SIGTERM')).toBe(0)

  const { events } = recorder
  const told = check(events).map(({ kind, message, events: shown }) => [`${kind}: ${message}`, ...shown.map((at) => lineOf(events[at]!))])
  const faults = events.filter(({ action }) => action.f === 'fault').map(lineOf)
  expect(told, `seed ${seed}\n${faults.join('\n')}`).toEqual([])
  expect(events.length).toBeGreaterThan(500)
  expect(patient.hub.stderr()).not.toContain('uncaught')
})
