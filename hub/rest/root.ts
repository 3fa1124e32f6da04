/** @module rest/root — `/`: what this worker is, and `/health` (KIP-1017): whether it works. */
import type { Hono } from 'hono'
import type { RestContext } from './context.ts'
import { resource } from './resource.ts'

const HEALTH_STATUS = { healthy: 200, starting: 503, unhealthy: 500 } as const

/** The state of a worker that is not there yet, in upstream's words. */
const STARTING = { status: 'starting', message: 'Worker is still starting up.' } as const

/** Serves `/` and `/health`. */
export function rootResource(app: Hono, context: RestContext): void {
  resource(app, '/', {
    GET: async (c) => {
      const { version, kafkaClusterId } = await context.connect()
      return c.json({ version, commit: 'millrace', kafka_cluster_id: kafkaClusterId })
    },
  })
  resource(app, '/health', {
    GET: (c) => {
      const health = context.connectIfAny()?.health() ?? STARTING
      return c.json(health, HEALTH_STATUS[health.status])
    },
  })
}
