/** @module server — listeners, connections and their limits. */
export { type ConnectionLimits, defaultServerLimits, type ServerLimits } from './limits.ts'
export type { OnAnswered, RequestTimes } from './request-times.ts'
export { ListenError, Server } from './server.ts'
