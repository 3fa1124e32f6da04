/**
 * @module wire/records/access — metadata records of access control and credentials in `__cluster_metadata`.
 */
import { record } from '../message.ts'
import { array, bytes, int8, int32, offset, string, uuid } from '../schema.ts'

/** An access control entry. */
export const AccessControlEntryRecord = record(18, 'AccessControlEntryRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    id: uuid,
    resourceType: int8,
    resourceName: string,
    patternType: int8,
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8,
  },
})

/** An access control entry goes. */
export const RemoveAccessControlEntryRecord = record(19, 'RemoveAccessControlEntryRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    id: uuid,
  },
})

/** A SCRAM credential of a user (KIP-900). */
export const UserScramCredentialRecord = record(11, 'UserScramCredentialRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    name: string,
    mechanism: int8,
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: int32,
  },
})

/** A SCRAM credential goes. */
export const RemoveUserScramCredentialRecord = record(22, 'RemoveUserScramCredentialRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    name: string,
    mechanism: int8,
  },
})

/** A delegation token (KIP-900). */
export const DelegationTokenRecord = record(10, 'DelegationTokenRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    owner: string,
    requester: string,
    renewers: array(string),
    issueTimestamp: offset,
    maxTimestamp: offset,
    expirationTimestamp: offset,
    tokenId: string,
  },
})

/** A delegation token goes. */
export const RemoveDelegationTokenRecord = record(26, 'RemoveDelegationTokenRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    tokenId: string,
  },
})
