/**
 * @module sdk/java-regex/properties — the named sets of code points: `\d \w \s \h \v`, POSIX names, general categories, scripts, binary
 * properties and `java.lang.Character`'s methods. Unicode's data is that of this Node, which may know newer letters than a given JVM.
 */
import { isAsciiLetter, isDigit, isHexDigit } from './pattern-source.ts'
import type { CodePointTest } from './tree.ts'

/** Any of the sets. */
export function anyOf(...tests: readonly CodePointTest[]): CodePointTest {
  return (codePoint) => tests.some((test) => test(codePoint))
}

/** The complement of a set. */
export function outside(test: CodePointTest): CodePointTest {
  return (codePoint) => !test(codePoint)
}

/** A set by JavaScript's own notation of Unicode properties; undefined where it knows no such name. */
function unicode(...properties: readonly string[]): CodePointTest | undefined {
  try {
    const pattern = new RegExp(`^[${properties.map((property) => `\\p{${property}}`).join('')}]$`, 'v')
    return (codePoint) => pattern.test(String.fromCodePoint(codePoint))
  } catch {
    return undefined
  }
}

function known(...properties: readonly string[]): CodePointTest {
  const test = unicode(...properties)
  if (test === undefined) throw new Error(`no Unicode property among ${properties.join(', ')}`)
  return test
}

function between(first: number, last: number): CodePointTest {
  return (codePoint) => first <= codePoint && codePoint <= last
}

function among(...codePoints: readonly number[]): CodePointTest {
  const set = new Set(codePoints)
  return (codePoint) => set.has(codePoint)
}

const horizontalSpace = anyOf(among(0x20, 0x09, 0xa0, 0x1680, 0x180e, 0x202f, 0x205f, 0x3000), between(0x2000, 0x200a))
const verticalSpace = anyOf(between(0x0a, 0x0d), among(0x85, 0x2028, 0x2029))
const asciiSpace = anyOf(among(0x20), between(0x09, 0x0d))
const asciiWord: CodePointTest = (codePoint) => isDigit(codePoint) || isAsciiLetter(codePoint) || codePoint === 0x5f
const asciiPrintable = between(0x21, 0x7e)
const lazily = (make: () => CodePointTest): CodePointTest => {
  let made: CodePointTest | undefined
  return (codePoint) => (made ??= make())(codePoint)
}
const cased = lazily(() => known('Uppercase', 'Lowercase', 'Lt'))
const unicodeWord = lazily(() => known('Alphabetic', 'M', 'Nd', 'Pc', 'Join_Control'))
const whiteSpace = lazily(() => known('White_Space'))
const decimalDigit = lazily(() => known('Nd'))

/** `\w` and what `\b` looks at. As from Java 19, `\b` is about ASCII unless flag U says otherwise (before, it was not). */
export function wordTest(unicodeClasses: boolean): CodePointTest {
  return unicodeClasses ? unicodeWord : asciiWord
}

/** The set of a one-letter escape, in lower case; undefined for other letters. */
export function escapedSet(letter: string, unicodeClasses: boolean): CodePointTest | undefined {
  switch (letter) {
    case 'd':
      return unicodeClasses ? decimalDigit : isDigit
    case 's':
      return unicodeClasses ? whiteSpace : asciiSpace
    case 'w':
      return wordTest(unicodeClasses)
    case 'h':
      return horizontalSpace
    case 'v':
      return verticalSpace
    default:
      return undefined
  }
}

const posix: ReadonlyMap<string, CodePointTest> = new Map([
  ['ASCII', between(0, 0x7f)],
  ['Alnum', (codePoint) => isDigit(codePoint) || isAsciiLetter(codePoint)],
  ['Alpha', isAsciiLetter],
  ['Blank', among(0x20, 0x09)],
  ['Cntrl', anyOf(between(0, 0x1f), among(0x7f))],
  ['Digit', isDigit],
  ['Graph', asciiPrintable],
  ['Lower', between(0x61, 0x7a)],
  ['Print', between(0x20, 0x7e)],
  ['Punct', (codePoint) => asciiPrintable(codePoint) && !isDigit(codePoint) && !isAsciiLetter(codePoint)],
  ['Space', asciiSpace],
  ['Upper', between(0x41, 0x5a)],
  ['XDigit', isHexDigit],
])

const notGraphic = lazily(() => known('White_Space', 'Cc', 'Cs', 'Cn'))
const unicodeBlank = lazily(() => anyOf(known('Zs'), among(0x09)))
const unicodeControl = between(0, 0x9f)
const isControl: CodePointTest = (codePoint) => unicodeControl(codePoint) && (codePoint < 0x20 || codePoint > 0x7e)

const hexDigit = lazily(() => anyOf(decimalDigit, isHexDigit, between(0xff10, 0xff19), between(0xff21, 0xff26), between(0xff41, 0xff46)))

/** Unicode's binary properties by the upper case names that `\p{Is…}` takes. */
const binary: ReadonlyMap<string, CodePointTest> = new Map([
  ['ALPHABETIC', lazily(() => known('Alphabetic'))],
  ['LETTER', lazily(() => known('L'))],
  ['IDEOGRAPHIC', lazily(() => known('Ideographic'))],
  ['LOWERCASE', lazily(() => known('Lowercase'))],
  ['UPPERCASE', lazily(() => known('Uppercase'))],
  ['TITLECASE', lazily(() => known('Lt'))],
  ['WHITE_SPACE', whiteSpace],
  ['WHITESPACE', whiteSpace],
  ['CONTROL', isControl],
  ['PUNCTUATION', lazily(() => known('P'))],
  ['HEX_DIGIT', hexDigit],
  ['HEXDIGIT', hexDigit],
  ['ASSIGNED', lazily(() => outside(known('Cn')))],
  ['NONCHARACTER_CODE_POINT', lazily(() => known('Noncharacter_Code_Point'))],
  ['NONCHARACTERCODEPOINT', lazily(() => known('Noncharacter_Code_Point'))],
  ['DIGIT', decimalDigit],
  ['ALNUM', lazily(() => known('Alphabetic', 'Nd'))],
  ['BLANK', unicodeBlank],
  ['GRAPH', outside(notGraphic)],
  ['PRINT', (codePoint) => (!notGraphic(codePoint) || unicodeBlank(codePoint)) && !isControl(codePoint)],
  ['WORD', unicodeWord],
  ['JOIN_CONTROL', among(0x200c, 0x200d)],
  ['JOINCONTROL', among(0x200c, 0x200d)],
])

/** What flag U makes of the POSIX names. */
const posixInUnicode: ReadonlyMap<string, string> = new Map([
  ['ALPHA', 'ALPHABETIC'],
  ['LOWER', 'LOWERCASE'],
  ['UPPER', 'UPPERCASE'],
  ['SPACE', 'WHITE_SPACE'],
  ['PUNCT', 'PUNCTUATION'],
  ['XDIGIT', 'HEX_DIGIT'],
  ['ALNUM', 'ALNUM'],
  ['CNTRL', 'CONTROL'],
  ['DIGIT', 'DIGIT'],
  ['BLANK', 'BLANK'],
  ['GRAPH', 'GRAPH'],
  ['PRINT', 'PRINT'],
])

const ignorable = lazily(() => anyOf(between(0, 8), between(0x0e, 0x1b), between(0x7f, 0x9f), known('Cf')))

/** `java.lang.Character.is…` */
const characterMethods: ReadonlyMap<string, CodePointTest> = new Map([
  ['javaLowerCase', lazily(() => known('Lowercase'))],
  ['javaUpperCase', lazily(() => known('Uppercase'))],
  ['javaAlphabetic', lazily(() => known('Alphabetic'))],
  ['javaIdeographic', lazily(() => known('Ideographic'))],
  ['javaTitleCase', lazily(() => known('Lt'))],
  ['javaDigit', decimalDigit],
  ['javaDefined', lazily(() => outside(known('Cn')))],
  ['javaLetter', lazily(() => known('L'))],
  ['javaLetterOrDigit', lazily(() => known('L', 'Nd'))],
  ['javaJavaIdentifierStart', lazily(() => known('L', 'Nl', 'Sc', 'Pc'))],
  ['javaJavaIdentifierPart', lazily(() => anyOf(known('L', 'Nl', 'Sc', 'Pc', 'Nd', 'Mc', 'Mn'), ignorable))],
  ['javaUnicodeIdentifierStart', lazily(() => known('ID_Start'))],
  ['javaUnicodeIdentifierPart', lazily(() => anyOf(known('ID_Continue'), ignorable))],
  ['javaIdentifierIgnorable', ignorable],
  ['javaSpaceChar', lazily(() => known('Z'))],
  [
    'javaWhitespace',
    lazily(() => {
      const [separator, noBreak] = [known('Z'), among(0xa0, 0x2007, 0x202f)]
      return anyOf((codePoint) => separator(codePoint) && !noBreak(codePoint), between(9, 13), between(0x1c, 0x1f))
    }),
  ],
  ['javaISOControl', isControl],
  ['javaMirrored', lazily(() => known('Bidi_Mirrored'))],
])

const CATEGORIES = 'Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi Pf L M N Z C P S LC'.split(' ')
const CASED_NAMES = new Set(['Lu', 'Ll', 'Lt', 'javaLowerCase', 'javaUpperCase', 'javaTitleCase'])

function category(name: string): CodePointTest | undefined {
  if (name === 'LD') return known('L', 'Nd')
  if (name === 'L1') return between(0, 0xff)
  if (name === 'all') return () => true
  return CATEGORIES.includes(name) ? known(name) : undefined
}

/** A general category, a POSIX set or one of Character's methods. */
function plainProperty(name: string, anyCase: boolean): CodePointTest | undefined {
  if (anyCase && CASED_NAMES.has(name)) return lazily(() => known('Lu', 'Ll', 'Lt'))
  if (anyCase && (name === 'Lower' || name === 'Upper')) return isAsciiLetter
  return posix.get(name) ?? category(name) ?? characterMethods.get(name)
}

function binaryProperty(name: string, anyCase: boolean): CodePointTest | undefined {
  const upper = name.toUpperCase()
  if (anyCase && (upper === 'LOWERCASE' || upper === 'UPPERCASE' || upper === 'TITLECASE')) return cased
  return binary.get(upper)
}

/** Java takes LATIN, latin and Latn; JavaScript only the spelling of Unicode's own tables. */
function script(name: string): CodePointTest | undefined {
  const spelled = name.toLowerCase().replace(/(^|_)([a-z])/g, (_match, before: string, letter: string) => before + letter.toUpperCase())
  return unicode(`Script=${spelled === 'Signwriting' ? 'SignWriting' : spelled}`)
}

/** Flags that change what a name means. */
export interface PropertyFlags {
  readonly unicodeClasses: boolean
  readonly anyCase: boolean
}

/** What a name in `\p{…}` came to: a set, or the sentence that says why there is none. */
export type PropertyOutcome = { readonly test: CodePointTest } | { readonly why: string; readonly remedy?: string }

const BLOCKS = { why: 'A Unicode block', remedy: 'name a script (\\p{IsGreek}) or a range ([\\u0370-\\u03FF])' }

function outcome(test: CodePointTest | undefined, why: string): PropertyOutcome {
  return test === undefined ? { why } : { test }
}

/** The set that `\p{name}` means. */
export function propertyByName(name: string, flags: PropertyFlags): PropertyOutcome {
  const equals = name.indexOf('=')
  if (equals >= 0) return propertyByValue(name.slice(0, equals).toLowerCase(), name.slice(equals + 1), flags)
  if (name.startsWith('In')) return BLOCKS
  const unknown = `Unknown character property name {${name}}`
  if (name.startsWith('Is')) {
    const rest = name.slice(2)
    const test = binaryProperty(rest, flags.anyCase) ?? plainProperty(rest, flags.anyCase) ?? script(rest)
    return outcome(test, unknown)
  }
  const inUnicode = flags.unicodeClasses ? posixInUnicode.get(name.toUpperCase()) : undefined
  if (inUnicode !== undefined) return outcome(binaryProperty(inUnicode, flags.anyCase), unknown)
  return outcome(plainProperty(name, flags.anyCase), unknown)
}

function propertyByValue(name: string, value: string, flags: PropertyFlags): PropertyOutcome {
  const unknown = `Unknown Unicode property {name=<${name}>, value=<${value}>}`
  switch (name) {
    case 'sc':
    case 'script':
      return outcome(script(value), unknown)
    case 'blk':
    case 'block':
      return BLOCKS
    case 'gc':
    case 'general_category':
      return outcome(plainProperty(value, flags.anyCase), unknown)
    default:
      return { why: unknown }
  }
}
