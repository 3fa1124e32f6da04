/** A partition as a broker keeps it for idempotent producers: sequences checked, the last five batches known (rule 1 of Kafka's ProducerAppendInfo). */
import { batchHeader, decodeRecords, ErrorCode } from '../../hub/wire/index.ts'

const REMEMBERED_BATCHES = 5

export class LogModel {
  readonly values: string[] = []
  #producer: {
    id: number
    epoch: number
    batches: { base: number; last: number; offset: number }[]
  } | null = null

  /** Appends the batch or refuses it. */
  append(buffer: Buffer): { errorCode: number; baseOffset: number } {
    const id = batchHeader.producerId(buffer, 0)
    const epoch = batchHeader.producerEpoch(buffer, 0)
    const base = batchHeader.baseSequence(buffer, 0)
    const last = batchHeader.lastSequence(buffer, 0)
    const known = this.#producer?.id === id ? this.#producer : null
    if (known !== null && id >= 0) {
      if (epoch < known.epoch) return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, baseOffset: -1 }
      const duplicate = epoch === known.epoch ? known.batches.find((one) => one.base === base && one.last === last) : undefined
      if (duplicate !== undefined) return { errorCode: 0, baseOffset: duplicate.offset }
      const due = epoch > known.epoch ? 0 : ((known.batches.at(-1)?.last ?? -1) + 1) % 2 ** 31
      if (base !== due)
        return {
          errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
          baseOffset: -1,
        }
    }
    const offset = this.values.length
    for (const { value } of decodeRecords(buffer, 0)) this.values.push(String(value))
    if (id >= 0) {
      const before = known !== null && known.epoch === epoch ? known.batches : []
      this.#producer = {
        id,
        epoch,
        batches: [...before, { base, last, offset }].slice(-REMEMBERED_BATCHES),
      }
    }
    return { errorCode: 0, baseOffset: offset }
  }
}
