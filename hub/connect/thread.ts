/**
 * @module connect/thread — the entry of worker threads. `workerData.role` says what lives here: connectors, one or many, each given with a
 * port of its own, or the inspection of plugins. Each loads only what it needs: its memory counts once per connector. The only file of this
 * room that may take the world from the machine.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { nodeWorld } from '../io/index.ts'
import type { ThreadRole } from './thread-options.ts'

const world = nodeWorld()
const { role } = workerData as { readonly role: ThreadRole }

/** What is done with a message; what comes before it is known waits in the port. */
const serve: (message: never) => void =
  role === 'inspection'
    ? await import('./inspection-thread.ts').then(
        ({ serveInspection }) =>
          (message) =>
            serveInspection(message, world, (event) => parentPort?.postMessage(event)),
      )
    : await import('./serve-connector.ts').then(
        ({ serveConnector }) =>
          (message) =>
            serveConnector(message, world),
      )

parentPort?.on('message', (message: unknown) => serve(message as never))
