/**
 * @module connector-postgres/config-rules — what single values may be; refusals have the form of Debezium's, since tools show them and
 * people search for them.
 */
import { JavaRegexSyntaxError, type Validator } from '@millrace/sdk'
import { regexList } from './events/index.ts'

/** `why` gives undefined for what is right; null (the key was left out) is always right. */
function check(text: string, why: (value: string) => string | undefined): Validator {
  return {
    text,
    check: (name, value) => {
      if (value === null || value === undefined) return undefined
      const reason = why(Array.isArray(value) ? value.join(',') : `${value as string | number | boolean}`)
      return reason === undefined ? undefined : `The '${name}' value is invalid: ${reason}`
    },
  }
}

/** One of these words, in upper or lower case. */
export function word(...allowed: readonly string[]): Validator {
  const list = allowed.join(', ')
  return check(`[${list}]`, (value) => (allowed.includes(wordOf(value)) ? undefined : `Value must be one of ${list}`))
}

/** A word as the connector compares it. */
export function wordOf(value: string): string {
  return value.trim().toLowerCase()
}

/** A word that is known and that this connector does not do. */
export interface RefusedWord {
  readonly word: string
  readonly why: string
}

/** As {@link word}; those of `refused` are known, and told why they are not taken. */
export function wordBut(allowed: readonly string[], refused: readonly RefusedWord[]): Validator {
  const known = word(...allowed)
  return {
    text: known.text,
    check: (name, value, type) => {
      const found = refused.find((one) => one.word === wordOf(String(value)))
      return found === undefined ? known.check(name, value, type) : `The '${name}' value is invalid: ${found.why}`
    },
  }
}

/** A key of a feature that the connector lacks: any value but the default one would go unheeded, and events would be other ones. */
export function only(standard: string, why: string): Validator {
  return check(`[${standard}]`, (value) => (value === standard || value === '' ? undefined : why))
}

/** Something must stand there. */
export const present: Validator = check('a value', (value) => (value === '' ? 'A value is required' : undefined))

export const positive: Validator = check('a number above 0', (value) =>
  Number(value) > 0 ? undefined : 'A positive, non-zero integer value is expected',
)

export const notNegative: Validator = check('a number from 0', (value) =>
  Number(value) >= 0 ? undefined : 'An non-negative integer is expected',
)

export const topicPrefix: Validator = check('letters, digits, underscore, hyphen and dot', (value) => {
  if (value === '') return 'A value is required'
  if (/^[A-Za-z0-9._-]+$/.test(value)) return undefined
  return `${value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)`
})

export const slotName: Validator = check('digits, lower case letters and underscores, at most 63', (value) =>
  /^[a-z0-9_]{1,63}$/.test(value)
    ? undefined
    : 'Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63',
)

/** Java regular expressions with commas between; a comma that belongs to an expression has a backslash before it. */
export const regexes: Validator = check('regular expressions with commas between', (value) => {
  try {
    regexList(value)
    return undefined
  } catch (error) {
    if (!(error instanceof JavaRegexSyntaxError)) throw error
    return `A comma-separated list of valid regular expressions is expected, but ${error.message}`
  }
})

export const skippedOperations: Validator = check('c, u, d, t or none', (value) =>
  value
    .split(',')
    .map(wordOf)
    .every((operation) => ['c', 'u', 'd', 't', 'r', 'none'].includes(operation))
    ? undefined
    : 'Invalid operation',
)

/** Debezium's pattern of one entry of `message.key.columns`. */
const KEY_COLUMNS = String.raw`^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$`

export const messageKeyColumns: Validator = check('tables:column,column;…', (value) => {
  const wrong = value.split(';').find((entry) => entry.trim() !== '' && !new RegExp(KEY_COLUMNS).test(entry))
  return wrong === undefined ? undefined : `${wrong} has an invalid format (expecting '${KEY_COLUMNS}')`
})

/** Debezium's pattern of one entry of `replica.identity.autoset.values`. */
const IDENTITY = String.raw`(?i)^\s*(?<tablepredicate>[^\s:]+):(?<replicaidentity>DEFAULT|(INDEX) (?<indexname>.\w*)|FULL|NOTHING)\s*$`

/** An entry of `replica.identity.autoset.values`. */
export interface IdentityRule {
  /** A Java regular expression over `schema.table`. */
  readonly tables: string
  readonly identity: 'DEFAULT' | 'FULL' | 'NOTHING' | 'INDEX'
  readonly indexName: string | null
}

/** undefined: not an entry. */
export function identityRuleOf(entry: string): IdentityRule | undefined {
  const match = /^\s*([^\s:]+):(DEFAULT|FULL|NOTHING|INDEX (.\w*))\s*$/i.exec(entry)
  if (match === null) return undefined
  const [, tables = '', identity = '', indexName = null] = match
  return { tables, identity: (identity.split(' ', 1)[0] as string).toUpperCase() as IdentityRule['identity'], indexName }
}

export const replicaIdentities: Validator = check('tables:DEFAULT|FULL|NOTHING|INDEX name,…', (value) => {
  const wrong = value.split(',').find((entry) => identityRuleOf(entry) === undefined)
  return wrong === undefined ? undefined : `${wrong} has an invalid format (expecting '${IDENTITY}')`
})

/** Of `unavailable.value.placeholder`: text, or `hex:` and bytes. */
export function placeholderOf(text: string): Buffer {
  const hex = /^hex:((?:[0-9a-f]{2})+)$/i.exec(text)
  return hex === null ? Buffer.from(text, 'utf8') : Buffer.from(hex[1] as string, 'hex')
}
