/** @module server — listeners, connections and their limits. */
export { defaultServerLimits, type ServerLimits } from './limits.ts'
export { ListenError, Server } from './server.ts'
