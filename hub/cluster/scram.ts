/**
 * @module cluster/scram — decides on SCRAM credentials of users (KIP-554, RFC 5802): what stands in the metadata log of a password.
 *
 * The client salts the password; here its keys are derived, and the salted password itself is forgotten: it would let its holder log in.
 * Source of the rules and messages: org.apache.kafka.controller.ScramControlManager of Kafka 4.3.1.
 */
import { createHash, createHmac } from 'node:crypto'
import { ErrorCode, encodeMetadataRecord, RemoveUserScramCredentialRecord, UserScramCredentialRecord } from '../wire/index.ts'
import { type Circumstances, type Decision, type Problem, problem, SUCCESS } from './decision.ts'
import { METADATA_VERSION } from './features.ts'
import type { ScramAlterations, ScramDeletion, ScramUpsertion, UserOutcome } from './types.ts'

/** Bounds of the iteration count: RFC 7677 asks for the least, Kafka sets the most. */
const limits = { iterationsMin: 4096, iterationsMax: 16_384 } as const
/** 3.5-IV2, the first level with records of credentials. */
const METADATA_VERSION_MIN = 11

/** Mechanisms by the protocol's number. */
const HASHES: ReadonlyMap<number, string> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
])

/** Key of `MetadataImage.scramCredentials`. */
export function scramKey(name: string, mechanism: number): string {
  return `${mechanism}:${name}`
}

/** One outcome per user named. */
export function decideScramCredentials(circumstances: Circumstances, { deletions, upsertions }: ScramAlterations): Decision<UserOutcome> {
  const alterations = new Map<string, ScramDeletion | ScramUpsertion>()
  const problems = new Map<string, Problem>()
  for (const alteration of [...deletions, ...upsertions]) {
    const { name } = alteration
    if (problems.has(name)) continue
    const refused = alterations.has(name)
      ? problem(ErrorCode.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request')
      : refusal(circumstances, alteration)
    if (refused === undefined) {
      alterations.set(name, alteration)
      continue
    }
    alterations.delete(name)
    problems.set(name, refused)
  }
  const records = [...alterations.values()].map(recordOf)
  const done = [...alterations.keys()].map((user): UserOutcome => ({ user, ...SUCCESS }))
  return { records, outcomes: [...done, ...[...problems].map(([user, refused]): UserOutcome => ({ user, ...refused }))] }
}

function refusal({ image }: Circumstances, alteration: ScramDeletion | ScramUpsertion): Problem | undefined {
  const { name, mechanism } = alteration
  if ((image.features.get(METADATA_VERSION) ?? 0) < METADATA_VERSION_MIN)
    return problem(ErrorCode.UNSUPPORTED_VERSION, 'The current metadata.version does not support SCRAM')
  if (name === '') return problem(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty')
  if (!HASHES.has(mechanism)) return problem(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism')
  if ('iterations' in alteration) {
    if (alteration.iterations < limits.iterationsMin) return problem(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations')
    return alteration.iterations > limits.iterationsMax ? problem(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations') : undefined
  }
  if (image.scramCredentials.has(scramKey(name, mechanism))) return undefined
  return problem(ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist')
}

function recordOf(alteration: ScramDeletion | ScramUpsertion): Buffer {
  const { name, mechanism } = alteration
  if (!('iterations' in alteration)) return encodeMetadataRecord(RemoveUserScramCredentialRecord, { name, mechanism })
  const { salt, saltedPassword, iterations } = alteration
  const hash = HASHES.get(mechanism) as string
  const keyed = (text: string): Buffer => createHmac(hash, saltedPassword).update(text).digest()
  const storedKey = createHash(hash).update(keyed('Client Key')).digest()
  return encodeMetadataRecord(UserScramCredentialRecord, {
    name,
    mechanism,
    // A copy: what came lies in the request's buffer.
    salt: Buffer.from(salt),
    storedKey,
    serverKey: keyed('Server Key'),
    iterations,
  })
}
