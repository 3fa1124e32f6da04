/** @module test/connect/stores/store-setup — stores against a real broker in this process. */
import { type Admin, createAdmin } from '../../../hub/client/index.ts'
import { type ConnectConfig, connectConfigOf, hubConnectDefaults } from '../../../hub/config/index.ts'
import type { StoreOptions } from '../../../hub/connect/stores/backing-log.ts'
import { nodeWorld } from '../../../hub/io/index.ts'
import { type MemoryLogger, memoryLogger } from '../../../hub/observe/index.ts'

/** A worker's configuration on a broker, with few partitions so that tests are quick. */
export function connectConfig(bootstrap: string, settings: Readonly<Record<string, string>> = {}): ConnectConfig {
  const quick = { 'offset.storage.partitions': '3', 'status.storage.partitions': '2', 'reconnect.backoff.max.ms': '100' }
  return connectConfigOf(new Map(Object.entries({ ...quick, ...settings })), hubConnectDefaults(bootstrap)).config
}

export interface StoreSetup extends StoreOptions {
  readonly logger: MemoryLogger
}

/** What a store is opened with. */
export function storeSetup(bootstrap: string, settings: Readonly<Record<string, string>> = {}): StoreSetup {
  return { config: connectConfig(bootstrap, settings), world: nodeWorld(), logger: memoryLogger() }
}

/** Calls with an admin that is closed afterwards. */
export async function withAdmin<T>(bootstrap: string, call: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = createAdmin({ bootstrapServers: bootstrap })
  try {
    return await call(admin)
  } finally {
    await admin.close()
  }
}

/** Waits until something holds: looked at each turn of the event loop, for as long as the test may run. */
export async function until(holds: () => boolean): Promise<void> {
  const { clock } = nodeWorld()
  const hold = clock.hold()
  try {
    while (!holds()) await new Promise<void>((resolve) => clock.soon(resolve))
  } finally {
    hold.release()
  }
}
