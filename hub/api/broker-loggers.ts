/**
 * @module api/broker-loggers — the levels of this broker's loggers as settings (KIP-412): told by DescribeConfigs, changed by
 * IncrementalAlterConfigs, at once and until the next start.
 * Source of the rules and messages: answers of Apache Kafka 4.3.1, and its RuntimeLoggerManager.
 */
import { type LevelWord, levelWords, type LogLevels, ROOT_LOGGER } from '../observe/index.ts'
import { ConfigOperation, ErrorCode } from '../wire/index.ts'

interface LoggerOperation {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

/** A refusal with its code; null is no message. */
export interface LoggerRefusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

const REFUSED_OPERATIONS: ReadonlyMap<number, string> = new Map([
  [ConfigOperation.APPEND, 'APPEND'],
  [ConfigOperation.SUBTRACT, 'SUBTRACT'],
])

/** Changes levels, all that are named or none; undefined when that is done (or, with `validateOnly`, could be). */
export function alterLoggers(
  levels: LogLevels,
  operations: readonly LoggerOperation[],
  options: { readonly validateOnly: boolean },
): LoggerRefusal | undefined {
  const names = operations.map(({ name }) => name)
  if (new Set(names).size < names.length) return invalidRequest('Error due to duplicate config keys')
  const nulls = operations.filter(({ configOperation, value }) => configOperation !== ConfigOperation.DELETE && value === null)
  if (nulls.length > 0) return invalidRequest(`Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`)
  for (const operation of operations) {
    const refused = refusal(levels, operation)
    if (refused !== undefined) return refused
  }
  if (options.validateOnly) return undefined
  for (const { name, configOperation, value } of operations) {
    if (configOperation === ConfigOperation.DELETE) levels.unset(name)
    else levels.set(name, value as LevelWord)
  }
  return undefined
}

function refusal(levels: LogLevels, { name, configOperation, value }: LoggerOperation): LoggerRefusal | undefined {
  const refused = REFUSED_OPERATIONS.get(configOperation)
  if (refused !== undefined) return invalidRequest(`${refused} operation is not allowed for the BROKER_LOGGER resource`)
  // Kafka trips over an operation it does not know and answers so.
  if (configOperation !== ConfigOperation.SET && configOperation !== ConfigOperation.DELETE)
    return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage: null }
  if (!levels.has(name)) return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage: `Logger ${name} does not exist!` }
  if (configOperation === ConfigOperation.DELETE) {
    return name === ROOT_LOGGER ? invalidRequest(`Removing the log level of the ${ROOT_LOGGER} logger is not allowed`) : undefined
  }
  if (levelWords.some((word) => word === value)) return undefined
  const known = levelWords.toSorted().join(', ')
  const errorMessage = `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${known}`
  return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage }
}

function invalidRequest(errorMessage: string): LoggerRefusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}
