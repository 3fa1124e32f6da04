/**
 * @module cli/deserializers — bytes to the text that Kafka's console consumer would print for them, by the Java class name of
 * the deserializer (`org.apache.kafka.common.serialization.*`).
 */

/** Bytes to text. @throws DeserializeError when they are not of that type */
export type Deserializer = (bytes: Buffer) => string | Buffer

/** Bytes that are not of the type; the message is Kafka's. */
export class DeserializeError extends Error {
  override readonly name = 'DeserializeError'
}

const PACKAGE = 'org.apache.kafka.common.serialization.'

const byClassName: ReadonlyMap<string, Deserializer> = new Map<string, Deserializer>([
  ['StringDeserializer', (bytes) => bytes.toString()],
  // Java would print the array's identity; the bytes themselves are what was meant.
  ['ByteArrayDeserializer', (bytes) => bytes],
  ['BytesDeserializer', escapedBytes],
  ['ShortDeserializer', sized('ShortDeserializer', 2, (bytes) => String(bytes.readInt16BE()))],
  ['IntegerDeserializer', sized('IntegerDeserializer', 4, (bytes) => String(bytes.readInt32BE()))],
  ['LongDeserializer', sized('LongDeserializer', 8, (bytes) => String(bytes.readBigInt64BE()))],
  ['FloatDeserializer', sized('Deserializer', 4, (bytes) => javaNumberText(shortestFloat(bytes.readFloatBE())))],
  ['DoubleDeserializer', sized('Deserializer', 8, (bytes) => javaNumberText(String(bytes.readDoubleBE())))],
  ['BooleanDeserializer', sized('BooleanDeserializer', 1, booleanText)],
  ['UUIDDeserializer', uuidText],
])

/** The deserializer of a Java class name, with or without Kafka's package; undefined: we have none of that name. */
export function deserializerOf(className: string): Deserializer | undefined {
  return byClassName.get(className.startsWith(PACKAGE) ? className.slice(PACKAGE.length) : className)
}

/** The full class names that {@link deserializerOf} knows. */
export const deserializerNames: readonly string[] = [...byClassName.keys()].map((name) => PACKAGE + name)

function sized(name: string, sizeBytes: number, read: Deserializer): Deserializer {
  return (bytes) => {
    if (bytes.length !== sizeBytes) throw new DeserializeError(`Size of data received by ${name} is not ${sizeBytes}`)
    return read(bytes)
  }
}

function booleanText(bytes: Buffer): string {
  if (bytes[0] === 1) return 'true'
  if (bytes[0] === 0) return 'false'
  throw new DeserializeError(`Unexpected byte received by BooleanDeserializer: ${bytes.readInt8()}`)
}

function uuidText(bytes: Buffer): string {
  const text = bytes.toString()
  if (!/^[0-9a-fA-F]{1,8}(-[0-9a-fA-F]{1,4}){3}-[0-9a-fA-F]{1,12}$/.test(text)) {
    throw new DeserializeError(`Error parsing data into UUID: ${text}`)
  }
  const widths = [8, 4, 4, 4, 12]
  return text
    .toLowerCase()
    .split('-')
    .map((part, index) => part.padStart(widths[index] ?? 0, '0'))
    .join('-')
}

/** Printable ASCII as it is, backslashes doubled, the rest as `\xHH`: Kafka's `Bytes.toString`. */
function escapedBytes(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    if (byte === 0x5c) text += '\\\\'
    else if (byte >= 0x20 && byte <= 0x7e) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

/** The shortest decimal that is read back as the same 32-bit float. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(value)
}

/**
 * A JavaScript number's text as Java's Double.toString lays it out: plain from 10^-3 up to 10^7, always with a digit after
 * the point, else `d.dE±n`.
 */
export function javaNumberText(text: string): string {
  const value = Number(text)
  if (!Number.isFinite(value)) return text
  if (value === 0) return Object.is(value, -0) || text.startsWith('-') ? '-0.0' : '0.0'
  const [mantissa = '', exponentText] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent >= -3 && exponent < 7) {
    const plain = exponent < 0 ? value.toFixed(mantissa.replace(/^-|\./g, '').length - 1 - exponent) : text
    return plain.includes('.') ? plain : `${plain}.0`
  }
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent}`
}
