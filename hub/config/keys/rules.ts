/** @module config/keys/rules — validators of single keys. */
import { type Validator, invalidValue, rule, shownValue } from '@millrace/sdk'

/** A level of gzip, or -1 for zlib's own choice. */
export const gzipLevel: Validator = rule('[1,...,9] or -1', (value) =>
  value === -1 || (typeof value === 'number' && value >= 1 && value <= 9) ? undefined : 'Value must be between 1 and 9 or equal to -1',
)

/** Replicas under a throttle: `*`, or partition:broker pairs. */
export const throttledReplicas: Validator = {
  text: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  check: (name, value) => {
    const list = value as readonly string[] | null
    if (list === null) return invalidValue(name, shownValue(value), `${name} must be a list of partition:broker pairs`)
    const wrong = list.length === 1 && list[0] === '*' ? undefined : list.find((pair) => !/^\d+:\d+$/.test(pair))
    if (wrong === undefined) return undefined
    return invalidValue(
      name,
      `[${list.join(', ')}]`,
      `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
    )
  },
}

/** Addresses of a metadata quorum: none, or words that are not empty. */
export const quorumAddresses: Validator = rule('non-empty list', (value) => {
  const list = value as readonly string[] | null
  return list === null || list.some((address) => address === '') ? 'Expected a list of addresses without empty ones' : undefined
})

/** Where to begin without an offset: one of the words, or `by_duration:` and an ISO-8601 duration (KIP-1106). */
export function offsetReset(...words: readonly string[]): Validator {
  const allowed = [...words, 'by_duration:PnDTnHnMn.nS']
  return rule(`[${allowed.join(', ')}]`, (value) => {
    const text = String(value).toLowerCase()
    const duration = /^by_duration:p(?=\d|t\d)(\d+d)?(t(?=\d)(\d+h)?(\d+m)?(\d+(\.\d+)?s)?)?$/
    return words.includes(text) || duration.test(text) ? undefined : `the value must be one of ${allowed.join(', ')}`
  })
}

/** How a share consumer acquires records (KIP-1206); upper and lower case count the same. */
export const shareAcquireMode: Validator = rule('[batch_optimized, record_limit]', (value) =>
  ['batch_optimized', 'record_limit'].includes(String(value).toLowerCase()) ? undefined : 'must be batch_optimized or record_limit',
)
