/**
 * @module wire/messages/32-describe-configs — tells settings of topics, brokers and other resources.
 *
 * - 1: synonyms and sources (KIP-226)
 * - 3: types and documentation (KIP-569)
 * - 4: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, string } from '../schema.ts'

export const DescribeConfigs = api(32, 'DescribeConfigs', {
  versions: '1-4',
  flexible: 4,
  listeners: ['broker', 'controller'],
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).orNull(),
    }),
    includeSynonyms: bool.default(false),
    includeDocumentation: bool.in('3+').default(false),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode,
      errorMessage: string.orNull(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.orNull(),
        readOnly: bool,
        configSource: int8.default(-1),
        isSensitive: bool,
        synonyms: array({
          name: string,
          value: string.orNull(),
          source: int8,
        }),
        configType: int8.in('3+').default(0),
        documentation: string.in('3+').orNull(),
      }),
    }),
  },
})

export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>
export type DescribeConfigsRequestInput = RequestInput<typeof DescribeConfigs>
export type DescribeConfigsResponseInput = ResponseInput<typeof DescribeConfigs>
