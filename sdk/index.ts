/**
 * @module @millrace/sdk — what a plugin author imports: configuration, schemas and values, records, the five kinds of plugins, errors that
 * say what the engine does next.
 */

export {
  type ConfigDefinition,
  type ConfigKey,
  type ConfigOf,
  type ConfigValue,
  type ConfigValueOf,
  defineConfig,
  type Importance,
  parseConfig,
  type Recommender,
  validateConfig,
  type Width,
} from './config.ts'
export {
  ConfigException,
  type ConfigType,
  type ConfigValueByType,
  canonicalText,
  convertToString,
  invalidValue,
  isPassword,
  type ParseOptions,
  Password,
  parseType,
  shownValue,
} from './config-types.ts'
export {
  type Converter,
  type ConverterDefinition,
  type ConverterPlugin,
  defineConverter,
  defineHeaderConverter,
  type HeaderConverter,
  type HeaderConverterDefinition,
  type HeaderConverterPlugin,
  type RawHeader,
  type SchemaAndValue,
} from './converter.ts'
export { DataError, type EngineError, FatalError, isEngineError, type NextStep, RetriableError } from './errors.ts'
export {
  JsonNumber,
  JsonSyntaxError,
  jsonDouble,
  jsonFloat,
  jsonLimits,
  jsonString,
  type ParseJsonOptions,
  parseJson,
  stringifyJson,
} from './exact-json.ts'
export { javaClassOf } from './java-names.ts'
export { javaDecimalText, javaDoubleText, javaFloatText } from './java-numbers.ts'
export { type JavaRegex, type JavaRegexMatch, JavaRegexSyntaxError, javaRegex, type PatternFlag, regexLimits } from './java-regex.ts'
export { javaText } from './java-text.ts'
export { type JsonEncoder, type JsonEncodeSettings, jsonEncoderFactory } from './json-encode.ts'
export {
  bytesOfDecimal,
  bytesOfInteger,
  daysOf,
  decimalScaleOf,
  expectDecimal,
  type LogicalType,
  logicalTypeOf,
  timeOf,
  timestampOf,
} from './logical-values.ts'
export {
  type Awaitable,
  type ConfigCheck,
  type ConfigIssue,
  isPlugin,
  type PluginFacts,
  type PluginKind,
  type PluginLog,
} from './plugin.ts'
export type {
  ConnectRecord,
  Header,
  OffsetValue,
  SinkRecord,
  SourceOffset,
  SourcePartition,
  SourceRecord,
  SourceRecordInput,
  TopicPartition,
  TopicPartitionOffset,
} from './record.ts'
export {
  array,
  boolean,
  bytes,
  date,
  decimal,
  type Field,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  LogicalName,
  map,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  schemaLimits,
  string,
  struct,
  time,
  timestamp,
} from './schema.ts'
export { fieldOf, getField, schemasEqual } from './schema-equality.ts'
export { defineSink, type SinkCall, type SinkDefinition, type SinkPlugin, type SinkTask, type SinkTaskContext } from './sink.ts'
export {
  type CommittedOffset,
  defineSource,
  type PlanContext,
  type SourceDefinition,
  type SourceOffsets,
  type SourcePlugin,
  type SourceTaskContext,
  type TaskConfig,
} from './source.ts'
export { sourceRecord } from './source-record.ts'
export { type StructMaker, structMaker } from './struct-maker.ts'
export { type PlainValue, toPlain } from './to-plain.ts'
export {
  definePredicate,
  defineTransform,
  isSinkRecord,
  type Predicate,
  type PredicateDefinition,
  type PredicatePlugin,
  type Transform,
  type TransformDefinition,
  type TransformPlugin,
} from './transform.ts'
export { validateValue } from './validate-value.ts'
export {
  allOf,
  atLeast,
  between,
  betweenDecimals,
  type ListRules,
  listOf,
  listSize,
  nonEmptyString,
  nonEmptyStringWithoutControlCharacters,
  nonNull,
  oneOf,
  oneOfIgnoringCase,
  rule,
  type Validator,
} from './validators.ts'
export { valuesEqual } from './value-equality.ts'
export { Decimal, float64Value, isDecimal, isSized, isStruct, Sized, type Struct, schemaOfMade, structOf, type Value } from './values.ts'
