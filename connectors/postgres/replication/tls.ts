/** @module connector-postgres/replication/tls — `database.sslmode` and its files as attempts for `pg`. */
import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { FatalError } from '@millrace/sdk'
import type { SslSettings } from './address.ts'

/** What `pg` takes as `ssl`: false is a plain connection. */
export type TlsAttempt = false | ConnectionOptions

/** What to try, in order; a later attempt only when the server refused the one before. Throws FatalError for a file that cannot be read. */
export async function tlsAttempts(ssl: SslSettings): Promise<readonly TlsAttempt[]> {
  if (ssl.mode === 'disable') return [false]
  const secured = await tlsOptions(ssl)
  switch (ssl.mode) {
    case 'allow':
      return [false, secured]
    case 'prefer':
      return [secured, false]
    default:
      return [secured]
  }
}

async function tlsOptions(ssl: SslSettings): Promise<ConnectionOptions> {
  const { mode, rootCertFile, certFile, keyFile } = ssl
  const isVerified = mode === 'verify-ca' || mode === 'verify-full'
  return {
    rejectUnauthorized: isVerified,
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
    ...(isVerified && rootCertFile !== null ? { ca: await fileOf('database.sslrootcert', rootCertFile) } : {}),
    ...(certFile === null ? {} : { cert: await fileOf('database.sslcert', certFile) }),
    ...(keyFile === null ? {} : await keyOptions(keyFile, ssl.keyPassword)),
  }
}

/** `pg` passes a key on as it is; what is not PEM is made so. */
async function keyOptions(keyFile: string, keyPassword: string | null): Promise<ConnectionOptions> {
  const content = await fileOf('database.sslkey', keyFile)
  const passphrase = keyPassword === null ? {} : { passphrase: keyPassword }
  if (/\.(p12|pfx)$/i.test(keyFile)) return { pfx: content, ...passphrase }
  if (content.includes('-----BEGIN')) return { key: content, ...passphrase }
  try {
    const key = createPrivateKey({ key: content, format: 'der', type: 'pkcs8', ...passphrase })
    return { key: key.export({ format: 'pem', type: 'pkcs8' }) }
  } catch (error) {
    throw new FatalError('tls', `database.sslkey: ${keyFile} holds no key that could be read`, 'check the file and database.sslpassword', {
      cause: error,
    })
  }
}

async function fileOf(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new FatalError('tls', `${key}: ${(error as Error).message}`, `set ${key} to a file that can be read`, { cause: error })
  }
}
