/** @module connector-s3/store-errors — what an error of the AWS SDK means for the task: wait, stop with a remedy, or begin an object again. Pure. */
import { FatalError, isEngineError, RetriableError } from '@millrace/sdk'
import { LostUpload } from './object-store.ts'

/** What was tried, for messages. */
export interface StoreCall {
  /** `write`, `look into` … */
  readonly action: string
  /** `s3://bucket/name` or `s3://bucket`. */
  readonly target: string
  readonly bucket: string
  readonly region: string
  /** null: Amazon S3. */
  readonly endpoint: string | null
}

/** Remedies by the code of S3's answer; what is here does not pass by itself. */
const remedies: Readonly<Record<string, (call: StoreCall) => string>> = {
  NoSuchBucket: ({ bucket }) => `create the bucket ${bucket}, or correct s3.bucket.name`,
  InvalidBucketName: () => 'correct s3.bucket.name',
  InvalidAccessKeyId: () => 'correct aws.access.key.id',
  // versitygw's word for it.
  XAdminUserNotFound: () => 'correct aws.access.key.id',
  SignatureDoesNotMatch: () => 'correct aws.secret.access.key',
  InvalidToken: () => 'renew the credentials',
  AccessDenied: ({ bucket }) => `allow these credentials s3:PutObject and s3:AbortMultipartUpload in ${bucket}, or give others`,
  AllAccessDisabled: () => 'ask who owns the bucket',
  AccountProblem: () => 'see to the account',
  NotSignedUp: () => 'see to the account',
  PermanentRedirect: ({ region }) => `set s3.region to the region of the bucket; it is ${region} now`,
  IllegalLocationConstraintException: ({ region }) => `set s3.region to the region of the bucket; it is ${region} now`,
  AuthorizationHeaderMalformed: ({ region }) => `set s3.region to the region of the bucket; it is ${region} now`,
  KeyTooLongError: () => 'shorten topics.dir or the directories of the partitioner',
  'KMS.DisabledException': () => 'enable the key of s3.sse.kms.key.id',
  'KMS.NotFoundException': () => 'correct s3.sse.kms.key.id',
}

/** Refusals with a status below 500 that pass by themselves. */
const passing = new Set([
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'TokenRefreshRequired',
  'OperationAborted',
  'ConditionalRequestConflict',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'RequestLimitExceeded',
  // The bytes were changed on their way.
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  'IncompleteBody',
])

/** Errors of connections and names, by Node's codes. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'UND_ERR_SOCKET',
  'HPE_INVALID_CONSTANT',
])

/** Certificates and the speech itself: they do not pass by themselves. */
const untrusted: Readonly<Record<string, string>> = {
  __proto__: null as never,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'start the hub with NODE_EXTRA_CA_CERTS naming a file with this certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'start the hub with NODE_EXTRA_CA_CERTS naming a file with the certificate of its authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'start the hub with NODE_EXTRA_CA_CERTS naming a file with the certificate of its authority',
  UNABLE_TO_GET_ISSUER_CERT: 'start the hub with NODE_EXTRA_CA_CERTS naming a file with the certificate of its authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'start the hub with NODE_EXTRA_CA_CERTS naming a file with the certificate of its authority',
  CERT_HAS_EXPIRED: 'renew the certificate of the store',
  CERT_NOT_YET_VALID: 'set the clocks of this machine and of the store right',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'give store.url the name that stands in the certificate, or set s3.path.style.access.enabled=true where the bucket is the part that is missing there',
  EPROTO: 'check whether store.url must begin with http instead of https',
  ERR_SSL_WRONG_VERSION_NUMBER: 'check whether store.url must begin with http instead of https',
}

interface SdkError extends Error {
  readonly Code?: string
  readonly code?: string
  readonly errors?: readonly unknown[]
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** The error that the engine, or the sink itself, understands. What is none of a store (a mistake in a program) comes back as it is. */
export function toStoreError(error: unknown, call: StoreCall): unknown {
  if (!(error instanceof Error) || isEngineError(error)) return error
  const given = error as SdkError
  const status = given.$metadata?.httpStatusCode
  const code = codeOf(given)
  if (code === 'NoSuchUpload') return new LostUpload(`${call.target}: the store knows the upload no more`, { cause: error })
  if (status === undefined) return withoutStatus(given, code, call)
  const what = `cannot ${call.action} ${call.target}: ${described(given, code, status)}`
  if (passing.has(code) || status >= 500 || status === 429 || status === 408) {
    return status === 501 ? fatal('not-implemented', what, call, code, error) : new RetriableError(what, { cause: error })
  }
  // An answer that cannot be read is one of something between us and the store.
  if (status < 300) return new RetriableError(what, { cause: error })
  return fatal(status === 403 ? 'access-denied' : status === 404 ? 'not-found' : 'refused', what, call, code, error)
}

function withoutStatus(error: SdkError, code: string, call: StoreCall): unknown {
  const endpoint = call.endpoint ?? `Amazon S3 in ${call.region}`
  if (unreachable.has(code) || error.name === 'TimeoutError' || /socket hang up|stream has been aborted/.test(error.message)) {
    const why = error.message === '' ? code : error.message
    return new RetriableError(`cannot ${call.action} ${call.target}: ${endpoint} cannot be reached: ${why}`, { cause: error })
  }
  const trust = untrusted[code]
  if (trust !== undefined) {
    const what = `cannot ${call.action} ${call.target}: ${endpoint} is not trusted: ${error.message.replace(/\s+/g, ' ').trim()}`
    return new FatalError('not-trusted', what, `${trust}, then restart the task`, { cause: error })
  }
  if (error.name === 'CredentialsProviderError' || /could not load credentials/i.test(error.message)) {
    const remedy =
      'set aws.access.key.id and aws.secret.access.key, or give the process credentials of its own (environment, shared files, role)'
    return new FatalError('no-credentials', `cannot ${call.action} ${call.target}: no credentials were found`, remedy, { cause: error })
  }
  return error
}

/** The code of S3's answer or of the system. */
function codeOf(error: SdkError): string {
  const [inner] = error.errors ?? []
  const nested = typeof inner === 'object' && inner !== null && 'code' in inner ? String(inner.code) : undefined
  return error.Code ?? error.code ?? nested ?? error.name
}

function described(error: SdkError, code: string, status: number): string {
  // An answer without a body leaves the SDK with these words.
  const isNameless = code === 'Error' || code === 'UnknownError' || code === 'Unknown' || /^\d+$/.test(code)
  const message = error.message === '' || error.message === 'UnknownError' || error.message === code ? '' : `: ${error.message}`
  return isNameless ? `HTTP ${status}${message}` : `${code}${message}`
}

function fatal(name: string, what: string, call: StoreCall, code: string, cause: Error): FatalError {
  const remedy = Object.hasOwn(remedies, code) ? remedies[code]?.(call) : undefined
  const general = name === 'access-denied' ? 'check credentials and policies' : 'check store.url, s3.bucket.name and what the store allows'
  return new FatalError(name, what, `${remedy ?? general}, then restart the task`, { cause })
}
