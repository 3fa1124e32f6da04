/**
 * @module test/connectors/postgres/golden/statements — SQL text cut into its statements, as a client does that sends each on its own. Semicolons in
 * strings, quoted names, dollar quotes and comments are none (PostgreSQL 18 documentation, 4.1 Lexical Structure).
 */

/** The statements without their semicolons and without space around them; what is only space and comments is none. */
export function splitStatements(text: string): readonly string[] {
  const statements: string[] = []
  let start = 0
  let hasContent = false
  const finish = (end: number): void => {
    if (hasContent) statements.push(text.slice(start, end).trim())
    start = end + 1
    hasContent = false
  }
  for (let at = 0; at < text.length; ) {
    if (text[at] === ';') {
      finish(at)
      at++
      continue
    }
    const comment = commentEnd(text, at)
    if (comment !== undefined) {
      at = comment
      continue
    }
    if (!/\s/.test(text[at] ?? '')) hasContent = true
    at = quotedEnd(text, at) ?? at + 1
  }
  finish(text.length)
  return statements
}

/** Where the comment that begins here ends; undefined: none begins here. Block comments nest. */
function commentEnd(text: string, at: number): number | undefined {
  if (text.startsWith('--', at)) {
    const line = text.indexOf('\n', at)
    return line < 0 ? text.length : line
  }
  if (!text.startsWith('/*', at)) return undefined
  let depth = 0
  for (let place = at; place < text.length; place++) {
    if (text.startsWith('/*', place)) depth++
    else if (text.startsWith('*/', place)) depth--
    else continue
    place++
    if (depth === 0) return place + 1
  }
  throw new Error('a comment does not end')
}

/** Where the string, name or dollar quote that begins here ends; undefined: none begins here. */
function quotedEnd(text: string, at: number): number | undefined {
  const quote = text[at]
  if (quote === "'" || quote === '"') return plainEnd(text, at, quote, isEscapeString(text, at))
  if (quote !== '$' || /[\w$]/.test(text[at - 1] ?? '')) return undefined
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(text.slice(at, at + 80))?.[0]
  if (tag === undefined) return undefined
  const end = text.indexOf(tag, at + tag.length)
  if (end < 0) throw new Error(`${tag} does not end`)
  return end + tag.length
}

/** `E'…'`, in which a backslash escapes. */
function isEscapeString(text: string, at: number): boolean {
  return /[eE]/.test(text[at - 1] ?? '') && !/[\w$]/.test(text[at - 2] ?? '')
}

function plainEnd(text: string, at: number, quote: string, hasEscapes: boolean): number {
  for (let place = at + 1; place < text.length; place++) {
    if (hasEscapes && text[place] === '\\') place++
    else if (text[place] === quote && text[place + 1] === quote) place++
    else if (text[place] === quote) return place + 1
  }
  throw new Error(`a quote does not end: ${text.slice(at, at + 40)}`)
}
