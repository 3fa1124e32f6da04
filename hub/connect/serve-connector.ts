/** @module connect/serve-connector — a connector that answers on a message port, in whichever thread: its own, a shared one, the main one. */
import type { ClientWorld } from '../client/index.ts'
import { type MessageEnd, openChannel } from './channel.ts'
import { connectorThread } from './connector-thread.ts'
import { createPluginLoader } from './plugins/loader.ts'
import { type ConnectorThreadCalls, type ConnectorThreadData, CONTROL_CALLS, type ControlCalls, type ThreadEvent } from './worker-types.ts'

/** Asks a thread to take a connector. */
export interface ConnectorMessage {
  readonly data: ConnectorThreadData
  readonly port: MessageEnd
}

/** Serves the connector until its port closes. */
export function serveConnector({ data, port }: ConnectorMessage, world: ClientWorld): void {
  const loader = createPluginLoader(data.plugins)
  openChannel<ConnectorThreadCalls, ControlCalls, ThreadEvent>(port, {
    local: ({ remote, send }) => connectorThread(data, { world, loader, control: remote, emit: send }),
    remoteNames: CONTROL_CALLS,
  })
}
