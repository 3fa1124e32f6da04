/**
 * @module transforms/regex-rule — settings that are Java patterns.
 */
import { javaRegex, JavaRegexSyntaxError, rule, type Validator } from '@millrace/sdk'

/** A pattern of java.util.regex; the message has the place of the mistake. */
export const validRegex: Validator = rule('valid regex', (value) => {
  try {
    javaRegex(String(value))
    return undefined
  } catch (error) {
    if (error instanceof JavaRegexSyntaxError) return `Invalid regex: ${error.message}`
    throw error
  }
})
