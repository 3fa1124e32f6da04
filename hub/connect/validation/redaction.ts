/**
 * @module connect/validation/redaction — keeps what config providers gave out of answers: the user wrote a placeholder and sees it again,
 * whatever stands behind it (design §4: secrets never appear). Pure.
 */
import type { ValidateRequest } from '../plugins/types.ts'
import type { ConfigText } from '../types.ts'
import type { Entry } from './entries.ts'

/** Shorter values are no secrets, and replacing them would spoil sentences that only happen to hold the same letters. */
const SECRET_LENGTH_MIN = 4

/**
 * Where `config` differs from `written`, shows what was written and says of errors only that there is one; elsewhere puts the placeholder
 * in place of the value.
 */
export function redactEntries(entries: readonly Entry[], request: ValidateRequest): readonly Entry[] {
  const { config, written } = request
  const redact = redactor({ config, written })
  const redactError = redactor(request)
  return entries.map((entry) => {
    const placeholder = placeholderOf(entry.name, config, written)
    if (placeholder === undefined) {
      return {
        ...entry,
        value: redact(entry.value),
        errors: entry.errors.map((error) => redactError(error)),
        recommendedValues: entry.recommendedValues.map((value) => redact(value)),
      }
    }
    const refusal = `Invalid value ${placeholder} for configuration ${entry.name}: What it stands for is not allowed.`
    return {
      ...entry,
      value: placeholder,
      errors: entry.errors.length === 0 ? [] : [refusal],
      recommendedValues: entry.recommendedValues.map((value) => redact(value)),
    }
  })
}

/** Puts placeholders in place of what they stand for, longest first; then hides what is left of the secrets. */
export function redactor({ config, written, secrets = [] }: ValidateRequest): <T extends string | null>(text: T) => T {
  const whole = Object.keys(config).map((name) => ({ value: config[name] ?? '', shown: placeholderOf(name, config, written) }))
  const replaced = [
    ...longestFirst(whole.filter(({ shown }) => shown !== undefined)),
    ...longestFirst(secrets.map((value) => ({ value, shown: HIDDEN }))),
  ]
  return <T extends string | null>(text: T): T => {
    if (text === null) return text
    return replaced.reduce<string>((redacted, { value, shown }) => redacted.replaceAll(value, () => shown ?? ''), text) as T
  }
}

const HIDDEN = '[hidden]'

/** Texts that are long enough to be secrets. */
function longestFirst<T extends { readonly value: string }>(texts: readonly T[]): readonly T[] {
  return texts.filter(({ value }) => value.length >= SECRET_LENGTH_MIN).sort((one, other) => other.value.length - one.value.length)
}

function placeholderOf(name: string, config: ConfigText, written: ConfigText): string | undefined {
  const original = Object.hasOwn(written, name) ? written[name] : undefined
  return original !== undefined && original !== config[name] ? original : undefined
}
