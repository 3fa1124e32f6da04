/**
 * @module rest/json — JSON that keeps every digit: integers beyond 2^53 are `bigint`, and in configurations scalars are the text that stood
 * in the document, as upstream's mapper reads them into text.
 */

/** A scalar of a document as its text; null stays null. */
export type JsonText = string | null | readonly JsonText[] | { readonly [name: string]: JsonText }

type Reviver = (this: unknown, name: string, value: unknown, context: { readonly source?: string }) => unknown

/** JSON.parse hands the source of a scalar to the reviver (ECMA-262, "JSON.parse source text access"); TypeScript's library does not know yet. */
const parseBy = JSON.parse as (text: string, reviver: Reviver) => unknown
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** Every scalar as its text: `1.0` is "1.0", `true` is "true". @throws Error whose message says what is wrong and quotes nothing of the document */
export function parseJsonText(text: string): JsonText {
  const reviver: Reviver = (_name, value, { source }) => {
    if (typeof value === 'number') return source ?? String(value)
    return typeof value === 'boolean' ? String(value) : value
  }
  return parse(text, reviver) as JsonText
}

/** Integers that a `number` cannot hold are `bigint`. @throws Error as {@link parseJsonText} */
export function parseJsonExact(text: string): unknown {
  return parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(value) ? BigInt(source) : value,
  )
}

/** The opposite of {@link parseJsonExact}; `indent` blanks a level, none: one line. */
export function jsonTextOf(value: unknown, indent = 0): string {
  return JSON.stringify(value, (_name, entry: unknown) => (typeof entry === 'bigint' ? rawJSON(String(entry)) : entry), indent)
}

function parse(text: string, reviver: Reviver): unknown {
  try {
    return parseBy(text, reviver)
  } catch (error) {
    // A document of nothing but brackets exhausts the stack of the walk over it.
    if (error instanceof RangeError) throw new Error('it is nested too deeply', { cause: error })
    // V8 quotes a piece of the document, which may hold a password.
    throw new Error((error as Error).message.replace(/, (?:\.\.\.)?".*$/s, ''), { cause: error })
  }
}
