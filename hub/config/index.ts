/** @module config — definitions of all settings, and what a hub, a topic, a group comes to from its sources. */
export {
  type AlterOptions,
  type AlterOutcome,
  type ConfigChange,
  type ConfigOperation,
  type ConfigRefusal,
  type ConfigScope,
  checkTopicConfig,
  incrementalAlter,
  isRefusal,
  replaceConfig,
} from './alter.ts'
export {
  type BrokerSources,
  type ConfigEntry,
  ConfigSource,
  type ConfigSynonym,
  configTypeNumber,
  describeBrokerConfig,
  describeBrokerDefaults,
  describeGroupConfig,
  describeTopicConfig,
} from './describe.ts'
export {
  type ConnectConfig,
  type ConnectWorkerConfig,
  connectConfigOf,
  hubConnectDefaults,
  isSecretConnectKey,
  type LoadedConnectConfig,
  type RestListener,
  type StorageTopic,
} from './connect-config.ts'
export { environmentConfig, overrideConfig } from './environment.ts'
export { brokerConfigInForce } from './effective.ts'
export { ConfigError, type ConfigProblem, hideSecrets } from './error.ts'
export { parseConfigFile } from './files.ts'
export { type ConfigSources, type HubConfig, type LoadedConfig, isSecretKey, loadHubConfig } from './hub-config.ts'
export { adminKeys } from './keys/admin.ts'
export { brokerConfigDefinition } from './keys/broker.ts'
export { consumerKeys } from './keys/consumer.ts'
export { groupKeys as groupConfigDefinition } from './keys/group.ts'
export { producerKeys } from './keys/producer.ts'
export type { Listener, ListenerAddress, Listeners, SecurityProtocol } from './listeners.ts'
export { nearestName } from './nearest.ts'
export { parseProperties } from './properties.ts'
export {
  type ConfigFiles,
  type ConfigProvider,
  type ProvidedData,
  type Transformed,
  hasVariable,
  isVariablesOnly,
  providersOf,
  transformValues,
} from './providers.ts'
export { type Section, sectionOf } from './sections.ts'
export {
  type BrokerConfig,
  type TopicConfig,
  brokerSynonyms,
  resolveTopicConfig,
  topicConfigDefinition,
  topicSynonyms,
} from './topic-config.ts'
