/** What errors tell. */
import { describe, expect, it } from 'vitest'
import { KafkaError } from '../../hub/client/index.ts'
import { ErrorCode, errorMessage } from '../../hub/wire/index.ts'

describe('a KafkaError', () => {
  it('has the broker’s words, or the code’s, with the place in its message and without it in its text', () => {
    const place = { topic: 't', partition: 3 }
    const told = new KafkaError(ErrorCode.INVALID_CONFIG, 'Unknown topic config name: x (topic t)', place)
    expect([told.text, told.message]).toEqual(['Unknown topic config name: x (topic t)', 'Unknown topic config name: x (topic t) (t-3)'])
    const untold = new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, null, { groupId: 'g' })
    expect(untold.text).toBe(errorMessage(ErrorCode.GROUP_ID_NOT_FOUND))
    expect(untold.message).toBe(`${untold.text} (group g)`)
  })
})
