/**
 * @module wire/messages/00-produce — appends record batches to partitions.
 *
 * - 3: record batches of magic 2, the transactional id (KIP-98)
 * - 5: the response tells the log start offset
 * - 7: zstd may be used (KIP-110)
 * - 8: errors per record (KIP-467)
 * - 9: flexible
 * - 10: the response carries the current leader and its endpoint (KIP-951)
 * - 11, 12: transactions V2 (KIP-890): a partition joins the transaction with its first batch
 * - 13: topic ids instead of names (KIP-516)
 * - 0-2 are gone but stay advertised: librdkafka before 2.11.1 picks compression by them (KAFKA-18659)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int16, int32, offset, records, string, struct, uuid } from '../schema.ts'

export const Produce = api(0, 'Produce', {
  versions: '3-13',
  flexible: 9,
  advertised: '0-13',
  request: {
    transactionalId: string.nullable(),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.in('3-12'),
      topicId: uuid.in('13+'),
      partitionData: array({
        index: int32,
        records: records.orNull(),
      }),
    }),
  },
  response: {
    responses: array({
      name: string.in('3-12'),
      topicId: uuid.in('13+'),
      partitionResponses: array({
        index: int32,
        errorCode,
        baseOffset: offset,
        logAppendTimeMs: offset.default(-1),
        logStartOffset: offset.in('5+').default(-1),
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: string.nullable(),
        }).in('8+'),
        errorMessage: string.in('8+').nullable(),
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .in('10+')
          .tag(0),
      }),
    }),
    throttleTimeMs: int32.default(0),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable(),
    })
      .in('10+')
      .tag(0),
  },
})

export type ProduceRequest = RequestOf<typeof Produce>
export type ProduceResponse = ResponseOf<typeof Produce>
export type ProduceRequestInput = RequestInput<typeof Produce>
export type ProduceResponseInput = ResponseInput<typeof Produce>
