/**
 * @module @millrace/connector-transforms — single message transforms and predicates of Apache Kafka, under their Java names and ours
 * (`millrace.transforms.ReplaceField$Value`).
 */
export { castKey, castValue } from './cast.ts'
export { dropHeaders } from './drop-headers.ts'
export { extractFieldKey, extractFieldValue } from './extract-field.ts'
export { filter } from './filter.ts'
export { flattenKey, flattenValue } from './flatten.ts'
export { headerFromKey, headerFromValue } from './header-from.ts'
export { hoistFieldKey, hoistFieldValue } from './hoist-field.ts'
export { insertFieldKey, insertFieldValue } from './insert-field.ts'
export { maskFieldKey, maskFieldValue } from './mask-field.ts'
export { hasHeaderKey, recordIsTombstone, topicNameMatches } from './predicates.ts'
export { regexRouter } from './regex-router.ts'
export { replaceFieldKey, replaceFieldValue } from './replace-field.ts'
export { setSchemaMetadataKey, setSchemaMetadataValue } from './set-schema-metadata.ts'
export { timestampConverterKey, timestampConverterValue } from './timestamp-converter.ts'
export { timestampRouter } from './timestamp-router.ts'
export { valueToKey } from './value-to-key.ts'
