/** @module test/connectors/postgres/replication/address-of — a server's URL as the connector's address. */
import type { ServerAddress } from '../../../../connectors/postgres/replication/index.ts'

/** The address in a URL, with short times to wait; `change` wins. */
export function addressOf(text: string, change: Partial<ServerAddress> = {}): ServerAddress {
  const url = new URL(text)
  return {
    hostname: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ssl: { mode: 'prefer', rootCertFile: null, certFile: null, keyFile: null, keyPassword: null },
    tcpKeepAlive: true,
    initialStatements: [],
    connectTimeoutMs: 5_000,
    queryTimeoutMs: 30_000,
    applicationName: 'millrace-test',
    ...change,
  }
}
