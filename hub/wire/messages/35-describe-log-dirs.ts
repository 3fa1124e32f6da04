/**
 * @module wire/messages/35-describe-log-dirs — tells log directories, their replicas and sizes.
 *
 * - 2: flexible
 * - 3: error code of the whole answer
 * - 4: size and free space of the volume (KIP-827)
 * - 5: cordoned directories (KIP-1066)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, offset, string } from '../schema.ts'

export const DescribeLogDirs = api(35, 'DescribeLogDirs', {
  versions: '1-5',
  flexible: 2,
  request: {
    topics: array({
      topic: string,
      partitions: array(int32),
    }).orNull(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: errorCode.in('3+'),
    results: array({
      errorCode,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: offset,
          offsetLag: offset,
          isFutureKey: bool,
        }),
      }),
      totalBytes: offset.in('4+').default(-1),
      usableBytes: offset.in('4+').default(-1),
      isCordoned: bool.in('5+').default(false),
    }),
  },
})

export type DescribeLogDirsRequest = RequestOf<typeof DescribeLogDirs>
export type DescribeLogDirsResponse = ResponseOf<typeof DescribeLogDirs>
export type DescribeLogDirsRequestInput = RequestInput<typeof DescribeLogDirs>
export type DescribeLogDirsResponseInput = ResponseInput<typeof DescribeLogDirs>
