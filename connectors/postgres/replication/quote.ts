/** @module connector-postgres/replication/quote — names and texts as parts of a statement. */

/** A name in double quotes: taken as it is, whatever letters it has. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in single quotes, also where the server reads backslashes as escapes (`standard_conforming_strings=off`). */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}
