/** @module api — one handler per API key, and the dispatcher over them. */
export type { AdvertisedRange } from './18-api-versions.ts'
export { AnswerBudget } from './answer-budget.ts'
export {
  advertisedRanges,
  type Answered,
  createDispatcher,
  type Dispatcher,
  type Prepared,
  type Refusal,
  type Served,
} from './dispatch.ts'
export { FetchSessions } from './fetch-sessions.ts'
export type { Broker, ConfigInForce, ConnectionFacts } from './handler.ts'
export { markerWriter } from './marker-writer.ts'
