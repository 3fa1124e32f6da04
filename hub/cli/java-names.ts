/**
 * @module cli/java-names — the Java exception classes of Kafka's error codes, where they stand in what the scripts print on
 * stdout and other programs look for them there.
 */
import { type ErrorCode, errorName } from '../wire/index.ts'

/** Codes whose class is not named after the code (Kafka's Errors table). */
const IRREGULAR: Readonly<Partial<Record<keyof typeof ErrorCode, string>>> = {
  UNKNOWN_SERVER_ERROR: 'UnknownServerException',
  CORRUPT_MESSAGE: 'CorruptRecordException',
  REQUEST_TIMED_OUT: 'TimeoutException',
  MESSAGE_TOO_LARGE: 'RecordTooLargeException',
  STALE_CONTROLLER_EPOCH: 'ControllerMovedException',
  OFFSET_METADATA_TOO_LARGE: 'OffsetMetadataTooLarge',
  NETWORK_EXCEPTION: 'NetworkException',
  INVALID_TOPIC_EXCEPTION: 'InvalidTopicException',
  RECORD_LIST_TOO_LARGE: 'RecordBatchTooLargeException',
  TOPIC_AUTHORIZATION_FAILED: 'TopicAuthorizationException',
  GROUP_AUTHORIZATION_FAILED: 'GroupAuthorizationException',
  CLUSTER_AUTHORIZATION_FAILED: 'ClusterAuthorizationException',
  TOPIC_ALREADY_EXISTS: 'TopicExistsException',
  INVALID_CONFIG: 'InvalidConfigurationException',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OutOfOrderSequenceException',
  DUPLICATE_SEQUENCE_NUMBER: 'DuplicateSequenceException',
  INVALID_PRODUCER_ID_MAPPING: 'InvalidPidMappingException',
  INVALID_TRANSACTION_TIMEOUT: 'InvalidTxnTimeoutException',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'TransactionalIdAuthorizationException',
  KAFKA_STORAGE_ERROR: 'KafkaStorageException',
  SASL_AUTHENTICATION_FAILED: 'SaslAuthenticationException',
  DELEGATION_TOKEN_AUTH_DISABLED: 'DelegationTokenDisabledException',
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: 'UnsupportedByAuthenticationException',
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: 'DelegationTokenAuthorizationException',
  NON_EMPTY_GROUP: 'GroupNotEmptyException',
  PRINCIPAL_DESERIALIZATION_FAILURE: 'PrincipalDeserializationException',
  FETCH_SESSION_TOPIC_ID_ERROR: 'FetchSessionTopicIdException',
  INVALID_REGULAR_EXPRESSION: 'InvalidRegularExpression',
}

/** `org.apache.kafka.common.errors.GroupIdNotFoundException` for 69. */
export function javaClassOf(code: number): string {
  const name = errorName(code)
  const camel = name.toLowerCase().replace(/(?:^|_)(.)/g, (_match, first: string) => first.toUpperCase())
  return `org.apache.kafka.common.errors.${IRREGULAR[name] ?? `${camel}Exception`}`
}
