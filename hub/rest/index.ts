/** @module rest — the Connect REST API: the app that serves it and a client that speaks it. */
export { createRestApp, type RestApp, type RestAppOptions } from './app.ts'
export type { ConnectorOffsets as OffsetsAnswer, ConnectorStateInfo as StatusAnswer, PluginInfo as PluginAnswer } from '../connect/index.ts'
export { type CreateRequest, createRestClient, type ListedConnector, type RestClient, RestError, RestUnreachableError } from './client.ts'
export { jsonTextOf, type JsonText, parseJsonText } from './json.ts'
