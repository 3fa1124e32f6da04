/** @module test/sim/writer — an idempotent producer with many records under way. */
import { createProducer, type Producer } from '../../hub/client/index.ts'
import { type Actor, between, type ClientProcess, clientOptions, pause, pick, placed, placeFor, type Stage, valueBytes } from './stage.ts'

/** Records of one producer that are not acknowledged yet, at the most. */
const UNDERWAY_MAX = 30

/** Writes to the topics of everybody, one producer after another, each with some records under way. */
export const writer: Actor = async (process, stage, stop) => {
  for (let life = 0; !stop.aborted; life++) {
    const acks = process.world.random.float() < 0.2 ? 1 : 'all'
    const producer = createProducer({
      ...clientOptions(process, stage),
      acks,
      lingerMs: pick(process, [0, 5, 50]),
      batchSizeBytes: pick(process, [500, 16_384]),
      compression: pick(process, ['none', 'none', 'lz4', 'zstd']),
      deliveryTimeoutMs: pick(process, [5_000, 60_000]),
    })
    await write(producer, acks === 1 ? { acks } : {}, `${process.name}.${life}`, process, stage, stop)
    await producer.close()
  }
}

async function write(
  producer: Producer,
  how: { acks?: 1 },
  name: string,
  process: ClientProcess,
  { recorder }: Stage,
  stop: AbortSignal,
): Promise<void> {
  const underway = new Set<Promise<void>>()
  const send = (count: number): void => {
    const at = placeFor(process, ['plain', 'ledger', 'latest'])
    const value = `${name}:${count}`
    const begun = recorder.invoke(name, { f: 'send', ...placed(at), ...how, value })
    const sent: Promise<void> = producer
      .send({ key: value, ...at, value: valueBytes(process, value) })
      .then(({ offset }) => recorder.ok(begun, offset))
      .catch((error: unknown) => recorder.failed(begun, error))
      .finally(() => underway.delete(sent))
    underway.add(sent)
  }
  const total = between(process, 20, 200)
  for (let count = 0; count < total && !stop.aborted; count++) {
    send(count)
    if (underway.size >= UNDERWAY_MAX) await Promise.race(underway)
    if (process.world.random.float() < 0.4) await pause(process, between(process, 0, 60), stop)
  }
  await Promise.all(underway)
}
