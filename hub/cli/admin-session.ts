/** @module cli/admin-session — an admin client for the length of a command. */
import { type Admin, adminOptionsFrom, createAdmin } from '../client/index.ts'
import type { CommandIo } from './command.ts'
import { loadProperties } from './command-config.ts'
import { hostPorts, reachAny } from './reach.ts'

/** Where to connect, and how. */
export interface AdminSessionOptions {
  /** `host:port,…` */
  readonly bootstrapServers: string
  /** Path of a properties file. */
  readonly commandConfig: string | undefined
  readonly clientId?: string
  /** Instead of the properties' default.api.timeout.ms. */
  readonly timeoutMs?: number | undefined
}

/** Connects, runs, closes. Rejects with one line in the error's message when no broker can be reached. */
export async function withAdmin<T>(options: AdminSessionOptions, io: CommandIo, run: (admin: Admin) => Promise<T>): Promise<T> {
  const { bootstrapServers, commandConfig, clientId = 'adminclient-1', timeoutMs } = options
  const properties = await loadProperties(commandConfig)
  const settings = adminOptionsFrom({
    'client.id': clientId,
    ...Object.fromEntries(properties),
    'bootstrap.servers': bootstrapServers,
  })
  // What is no address, createAdmin refuses in its own words.
  const servers = hostPorts(bootstrapServers)
  if (servers !== undefined) await reachAny(servers, io.signal)
  const admin = createAdmin(timeoutMs === undefined ? settings : { ...settings, apiTimeoutMs: timeoutMs })
  try {
    return await run(admin)
  } finally {
    await admin.close()
  }
}
