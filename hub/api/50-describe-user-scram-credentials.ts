/**
 * @module api/50-describe-user-scram-credentials — which users have credentials, of which mechanisms. Version 0 (KIP-554).
 *
 * Never the credentials themselves. Null or an empty list of users means all.
 */
import type { ScramCredential } from '../cluster/index.ts'
import { DescribeUserScramCredentials, ErrorCode } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

export const describeUserScramCredentials = defineHandler({
  api: DescribeUserScramCredentials,
  overlaps: false,
  create: (broker) => (request) => {
    const ofUser = byUser(broker)
    const named = request.users ?? []
    const counts = new Map<string, number>()
    for (const { name } of named) counts.set(name, (counts.get(name) ?? 0) + 1)
    const users = named.length === 0 ? [...ofUser.keys()] : [...counts.keys()]
    const results = users.map((user) => {
      if ((counts.get(user) ?? 1) > 1)
        return refused(
          user,
          ErrorCode.DUPLICATE_RESOURCE,
          `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
        )
      const credentials = ofUser.get(user)
      if (credentials === undefined)
        return refused(user, ErrorCode.RESOURCE_NOT_FOUND, `Attempt to describe a user credential that does not exist: ${user}`)
      const credentialInfos = credentials.map(({ mechanism, iterations }) => ({ mechanism, iterations }))
      return { user, errorCode: ErrorCode.NONE, errorMessage: '', credentialInfos }
    })
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: '', results }
  },
})

function byUser({ controller }: Broker): ReadonlyMap<string, ScramCredential[]> {
  return Map.groupBy(controller.image.scramCredentials.values(), ({ name }) => name)
}

function refused(user: string, errorCode: number, errorMessage: string) {
  return { user, errorCode, errorMessage, credentialInfos: [] }
}
