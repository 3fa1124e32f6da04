import { pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decideScramCredentials } from '../../hub/cluster/scram.ts'
import { snapshotRecords } from '../../hub/cluster/snapshot-records.ts'
import { applyRecords } from '../../hub/cluster/records.ts'
import { emptyImage } from '../../hub/cluster/image.ts'
import type { ScramAlterations } from '../../hub/cluster/types.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { circumstancesOf, decided, imageOf } from './several-brokers.ts'

const SHA_256 = 1
const SHA_512 = 2
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const upsertion = (name: string, changes: Partial<ScramAlterations['upsertions'][number]> = {}) => ({
  name,
  mechanism: SHA_256,
  iterations: 4096,
  salt,
  saltedPassword: pbkdf2Sync('pencil', salt, 4096, 32, 'sha256'),
  ...changes,
})

function alter(given: Partial<ScramAlterations>, image = imageOf([])) {
  const decision = decideScramCredentials(circumstancesOf(image), { deletions: [], upsertions: [], ...given })
  return { codes: Object.fromEntries(decision.outcomes.map(({ user, errorCode }) => [user, errorCode])), image: decided(image, decision) }
}

describe('a SCRAM credential', () => {
  it('is kept as keys: those of the example of RFC 7677', () => {
    const [credential] = alter({ upsertions: [upsertion('user')] }).image.scramCredentials.values()
    expect(credential).toMatchObject({ name: 'user', mechanism: SHA_256, iterations: 4096, salt })
    expect(credential?.storedKey.toString('base64')).toBe('WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=')
    expect(credential?.serverKey.toString('base64')).toBe('wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=')
  })

  it('of each mechanism stands apart, and in a snapshot', () => {
    const { image } = alter({ upsertions: [upsertion('u')] })
    const both = alter({ upsertions: [upsertion('u', { mechanism: SHA_512, iterations: 8192 })] }, image).image
    expect([...both.scramCredentials.values()].map(({ mechanism, iterations }) => [mechanism, iterations])).toEqual([
      [SHA_256, 4096],
      [SHA_512, 8192],
    ])
    const again = applyRecords(emptyImage('cluster', 1), [...snapshotRecords(both)], { lastOffset: both.offset, epoch: 1, timestampMs: 0 })
    expect(again.scramCredentials).toEqual(both.scramCredentials)
    const one = alter({ deletions: [{ name: 'u', mechanism: SHA_256 }] }, both)
    expect([one.codes, [...one.image.scramCredentials.keys()]]).toEqual([{ u: ErrorCode.NONE }, ['2:u']])
  })

  it('is refused for a user without a name, a mechanism without one, iterations out of bounds, or twice in a request', () => {
    const { codes, image } = alter({
      deletions: [
        { name: 'nobody', mechanism: SHA_256 },
        { name: 'twice', mechanism: 9 },
        { name: 'both', mechanism: SHA_256 },
      ],
      upsertions: [
        upsertion(''),
        upsertion('mechanism', { mechanism: 3 }),
        upsertion('few', { iterations: 4095 }),
        upsertion('many', { iterations: 16_385 }),
        upsertion('most', { iterations: 16_384 }),
        upsertion('same'),
        upsertion('same'),
        upsertion('both'),
      ],
    })
    expect(codes).toEqual({
      nobody: ErrorCode.RESOURCE_NOT_FOUND,
      twice: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
      both: ErrorCode.RESOURCE_NOT_FOUND,
      '': ErrorCode.UNACCEPTABLE_CREDENTIAL,
      mechanism: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
      few: ErrorCode.UNACCEPTABLE_CREDENTIAL,
      many: ErrorCode.UNACCEPTABLE_CREDENTIAL,
      most: ErrorCode.NONE,
      same: ErrorCode.DUPLICATE_RESOURCE,
    })
    expect([...image.scramCredentials.keys()]).toEqual(['1:most'])
  })

  it('needs a metadata.version that has records for it', () => {
    const { codes } = alter({ upsertions: [upsertion('u')] }, imageOf([], { 'metadata.version': 10 }))
    expect(codes).toEqual({ u: ErrorCode.UNSUPPORTED_VERSION })
  })
})
