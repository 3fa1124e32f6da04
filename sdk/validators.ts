/**
 * @module sdk/validators — what values a configuration may have. Texts and messages are those of Kafka's `ConfigDef` validators.
 */
import { type ConfigType, invalidValue, shownValue } from './config-types.ts'
import { javaDoubleText } from './java-numbers.ts'

/** A rule for parsed values. */
export interface Validator {
  /** True: a parsed list loses its duplicates before it is checked (KIP-1161). */
  readonly isDistinct?: true
  /** What is allowed, for documentation and forms. */
  readonly text: string
  /** undefined when the value is allowed, else the whole message. `type` is the configuration's (it decides how a number is shown). */
  check(name: string, value: unknown, type?: ConfigType): string | undefined
}

function refusal(name: string, value: unknown, type: ConfigType | undefined, why: string): string {
  return invalidValue(name, shownValue(value, type), why)
}

function range(min: number | undefined, max: number | undefined, show: (bound: number) => string): Validator {
  const text = `[${min === undefined ? '...' : `${show(min)},...`}${max === undefined ? '' : `,${show(max)}`}]`
  return {
    text,
    check: (name, value, type) => {
      if (typeof value !== 'number') return refusal(name, value, type, 'Value must be non-null')
      if (min !== undefined && value < min) return refusal(name, value, type, `Value must be at least ${show(min)}`)
      if (max !== undefined && value > max) return refusal(name, value, type, `Value must be no more than ${show(max)}`)
      return undefined
    },
  }
}

/** A number of at least `min`. */
export function atLeast(min: number): Validator {
  return range(min, undefined, String)
}

/** A number from `min` to `max`, both allowed. */
export function between(min: number, max: number): Validator {
  return range(min, max, String)
}

/** As {@link between}, with the bounds shown as decimals ("0.0"). */
export function betweenDecimals(min: number, max: number): Validator {
  return range(min, max, javaDoubleText)
}

/** One of these texts. null is allowed where it is listed. */
export function oneOf(...allowed: readonly (string | null)[]): Validator {
  const list = allowed.map(String).join(', ')
  return {
    text: `[${list}]`,
    check: (name, value, type) =>
      allowed.includes(value as string | null) ? undefined : refusal(name, value, type, `String must be one of: ${list}`),
  }
}

/** One of these texts, in upper or lower case; never null. */
export function oneOfIgnoringCase(...allowed: readonly string[]): Validator {
  const upper = new Set(allowed.map((word) => word.toUpperCase()))
  const list = [...upper].join(', ')
  return {
    text: `(case insensitive) [${list}]`,
    check: (name, value, type) =>
      typeof value === 'string' && upper.has(value.toUpperCase())
        ? undefined
        : refusal(name, value, type, `String must be one of (case insensitive): ${list}`),
  }
}

export interface ListRules {
  /** The texts that may stand in the list. Default: any that is not empty. */
  readonly allowed?: readonly string[]
  /** Whether an empty list is allowed. Default true. */
  readonly emptyAllowed?: boolean
  /** Whether null is allowed. Default false. */
  readonly nullAllowed?: boolean
}

/** A list without duplicates, which parsing takes out, and empty elements (KIP-1161). */
export function listOf(rules: ListRules = {}): Validator {
  const { allowed = [], emptyAllowed = true, nullAllowed = false } = rules
  const words = allowed.join(', ')
  return {
    text: allowed.length === 0 ? '' : `[${words}]`,
    isDistinct: true,
    check: (name, value, type) => {
      if (value === null || value === undefined) {
        return nullAllowed ? undefined : `Configuration '${name}' values must not be null.`
      }
      const list = value as readonly string[]
      if (list.length === 0 && !emptyAllowed) {
        const valid = allowed.length === 0 ? 'any non-empty value' : `[${words}]`
        return `Configuration '${name}' must not be empty. Valid values include: ${valid}`
      }
      if (new Set(list).size !== list.length) return `Configuration '${name}' values must not be duplicated.`
      if (list.includes('')) return `Configuration '${name}' values must not be empty.`
      const stranger = allowed.length === 0 ? undefined : list.find((element) => !allowed.includes(element))
      return stranger === undefined ? undefined : refusal(name, stranger, type, `String must be one of: ${words}`)
    },
  }
}

/** A list of at most `maxCount` elements. */
export function listSize(maxCount: number): Validator {
  return {
    text: `List containing maximum of ${maxCount} elements`,
    check: (name, value, type) =>
      Array.isArray(value) && value.length > maxCount
        ? refusal(name, value, type, `exceeds maximum list size of [${maxCount}].`)
        : undefined,
  }
}

/** Anything but null. */
export const nonNull: Validator = {
  text: 'non-null string',
  check: (name, value, type) => (value === null || value === undefined ? refusal(name, value, type, 'entry must be non null') : undefined),
}

/** A text that is not empty; null is allowed. */
export const nonEmptyString: Validator = {
  text: 'non-empty string',
  check: (name, value, type) => (value === '' ? refusal(name, value, type, 'String must be non-empty') : undefined),
}

/** A text that is not empty and has no control characters; null is allowed. */
export const nonEmptyStringWithoutControlCharacters: Validator = {
  text: 'non-empty string without ISO control characters',
  check: (name, value, type) => {
    if (typeof value !== 'string') return undefined
    if (value === '') return refusal(name, value, type, 'String may not be empty')
    const controls = value.match(/\p{Cc}/gu) ?? []
    if (controls.length === 0) return undefined
    const codes = controls.map((character) => character.codePointAt(0)).join(', ')
    return refusal(name, value, type, `String may not contain control sequences but had the following ASCII chars: ${codes}`)
  },
}

/** Every one of these rules; the first that refuses speaks. */
export function allOf(...validators: readonly Validator[]): Validator {
  return {
    text: validators.map((validator) => validator.text).join(', '),
    check: (name, value, type) => {
      for (const validator of validators) {
        const message = validator.check(name, value, type)
        if (message !== undefined) return message
      }
      return undefined
    },
  }
}

/** A rule of one's own: `why` says what is wrong with a value, undefined when nothing is. */
export function rule(text: string, why: (value: unknown) => string | undefined): Validator {
  return {
    text,
    check: (name, value, type) => {
      const message = why(value)
      return message === undefined ? undefined : refusal(name, value, type, message)
    },
  }
}
