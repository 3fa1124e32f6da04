/**
 * @module cli/lines — lines of a byte stream, as Java's BufferedReader cuts them: at \n, \r or \r\n, the last one also without
 * an end. Text is UTF-8; bytes that are none become U+FFFD, as in Kafka's console producer.
 */
import { StringDecoder } from 'node:string_decoder'

/** A line longer than this many characters is an error: a file without line ends would fill the memory. */
export const LINE_CHARACTERS_MAX = 64 * 1024 * 1024

/** The lines of each chunk, as lists, so that what arrives together can be sent together. @throws Error on a line over {@link LINE_CHARACTERS_MAX} */
export async function* lineLists(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[], void, undefined> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let endsInCarriageReturn = false
  for await (const chunk of chunks) {
    let text = decoder.write(chunk)
    if (text === '') continue
    // The \n of a \r\n that was cut between two chunks belongs to the line before.
    if (endsInCarriageReturn && text.startsWith('\n')) text = text.slice(1)
    endsInCarriageReturn = text === '' ? false : text.endsWith('\r')
    const lines = (rest + text).split(/\r\n|\n|\r/)
    rest = lines.pop() ?? ''
    if (rest.length > LINE_CHARACTERS_MAX) throw new Error(`a line of stdin is longer than ${LINE_CHARACTERS_MAX} characters`)
    if (lines.length > 0) yield lines
  }
  rest += decoder.end()
  if (rest !== '') yield [rest]
}
