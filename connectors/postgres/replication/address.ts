/** @module connector-postgres/replication/address — which server, as whom, and how. */

/** `database.sslmode`, as libpq means it: see {@link SslSettings}. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

/**
 * | mode | connection | certificate of the server |
 * |---|---|---|
 * | disable | plain | – |
 * | allow | plain, TLS if the server refuses | not looked at |
 * | prefer | TLS, plain if the server has none or refuses | not looked at |
 * | require | TLS | not looked at |
 * | verify-ca | TLS | of a trusted authority |
 * | verify-full | TLS | of a trusted authority, and made out to the host name |
 */
export interface SslSettings {
  readonly mode: SslMode
  /** PEM file of the authorities to trust; null: those that Node brings along. */
  readonly rootCertFile: string | null
  /** PEM file of the client's certificate; null: none is shown. */
  readonly certFile: string | null
  /** The certificate's key: PEM, PKCS-8 in DER, or PKCS-12 (`.p12`, `.pfx`, with the certificate in it). */
  readonly keyFile: string | null
  /** Password of the key file; null: it has none. */
  readonly keyPassword: string | null
}

/** A server and what a session with it begins with. */
export interface ServerAddress {
  readonly hostname: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly ssl: SslSettings
  readonly tcpKeepAlive: boolean
  /** Statements that each session begins with. */
  readonly initialStatements: readonly string[]
  /** Milliseconds to reach the server and to be let in. */
  readonly connectTimeoutMs: number
  /** Milliseconds that a statement may take without an answer; 0: any time. */
  readonly queryTimeoutMs: number
  readonly applicationName: string
}

/** `host:port/database`: how errors name the server. */
export function serverName({ hostname, port, database }: Pick<ServerAddress, 'hostname' | 'port' | 'database'>): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}/${database}`
}
