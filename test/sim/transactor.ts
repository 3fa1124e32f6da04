/** @module test/sim/transactor — a transactional producer: commits, aborts, dies in between, and is put out by its successor. */
import { ClientError, createTransactionalProducer, type TransactionalProducer } from '../../hub/client/index.ts'
import { type Actor, between, type ClientProcess, clientOptions, pause, pick, placed, placeFor, type Stage, valueBytes } from './stage.ts'

/** Share of transactions that are aborted. */
const ABORT_SHARE = 0.25

/** Calls for one end, before the producer is given up. */
const ATTEMPTS_MAX = 5

/** The role without the number of the process: the transactional id, which outlives the process. */
export function roleOf({ name }: ClientProcess): string {
  return name.split('#', 1)[0] ?? name
}

/** A transactional producer under the id. */
export function transactionalProducer(process: ClientProcess, stage: Stage, transactionalId: string): TransactionalProducer {
  return createTransactionalProducer({
    ...clientOptions(process, stage),
    transactionalId,
    transactionTimeoutMs: pick(process, [2_000, 10_000]),
    lingerMs: pick(process, [0, 5]),
    deliveryTimeoutMs: 8_000,
    blockMsMax: 5_000,
    compression: pick(process, ['none', 'lz4']),
  })
}

/** Transactions over several partitions, one after another, by one producer after another. */
export const transactor: Actor = async (process, stage, stop) => {
  for (let life = 0; !stop.aborted; life++) {
    const producer = transactionalProducer(process, stage, roleOf(process))
    await transact(producer, `${process.name}.${life}`, process, stage, stop).catch(() => {})
    await producer.close(AbortSignal.abort()).catch(() => {})
    await pause(process, between(process, 0, 500), stop)
  }
}

/** Rejects when this producer can do no more. */
async function transact(
  producer: TransactionalProducer,
  name: string,
  process: ClientProcess,
  stage: Stage,
  stop: AbortSignal,
): Promise<void> {
  await begin(producer, stop)
  const count = between(process, 1, 30)
  for (let number = 0; number < count && !stop.aborted; number++) {
    const transaction = `${name}/${number}`
    producer.beginTransaction()
    await sendSome(producer, name, transaction, process, stage, stop)
    const aborts = process.world.random.float() < ABORT_SHARE
    if (!aborts && (await commit(producer, name, transaction, stage))) continue
    await abort(producer, name, transaction, stage)
  }
}

async function sendSome(
  producer: TransactionalProducer,
  name: string,
  transaction: string,
  process: ClientProcess,
  { recorder }: Stage,
  stop: AbortSignal,
) {
  const total = between(process, 1, 8)
  for (let count = 0; count < total; count++) {
    const at = placeFor(process, ['ledger', 'latest'])
    const value = `${transaction}:${count}`
    const begun = recorder.invoke(name, { f: 'send', ...placed(at), value, transaction })
    producer.send({ key: value, ...at, value: valueBytes(process, value) }).then(
      ({ offset }) => recorder.ok(begun, offset),
      (error: unknown) => recorder.failed(begun, error),
    )
    if (process.world.random.float() < 0.2) await pause(process, between(process, 0, 300), stop)
  }
  // Now and then longer than its timeout.
  if (process.world.random.float() < 0.02) await pause(process, between(process, 1_000, 12_000), stop)
}

/** Takes the id over from whoever had it before. */
export async function begin(producer: TransactionalProducer, stop: AbortSignal): Promise<void> {
  await insist(() => producer.initTransactions(stop))
}

/** A call that ends by its time goes on all the same: the same again waits for its end. */
async function insist(call: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof ClientError && error.kind === 'timeout') || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

/** Whether the transaction is committed; false: it may be aborted. Rejects when the producer can do no more. */
export async function commit(producer: TransactionalProducer, name: string, transaction: string, { recorder }: Stage): Promise<boolean> {
  const begun = recorder.invoke(name, { f: 'commit', transaction })
  try {
    await insist(() => producer.commitTransaction())
    recorder.ok(begun)
    return true
  } catch (error) {
    recorder.failed(begun, error)
    return false
  }
}

export async function abort(producer: TransactionalProducer, name: string, transaction: string, { recorder }: Stage): Promise<void> {
  const begun = recorder.invoke(name, { f: 'abort', transaction })
  try {
    await insist(() => producer.abortTransaction())
    recorder.ok(begun)
  } catch (error) {
    recorder.failed(begun, error)
    throw error
  }
}
