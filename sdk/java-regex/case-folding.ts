/**
 * @module sdk/java-regex/case-folding — one code point to one code point, as `Character.toUpperCase(int)` and `toLowerCase(int)` do;
 * JavaScript's own methods may give several.
 */
import type { CodePointTest, Folding } from './tree.ts'

/** Greek letters with iota subscript: their full upper case is two letters, their simple one is the title case letter. */
function greekTitleCase(codePoint: number): number {
  if (codePoint >= 0x1f80 && codePoint <= 0x1faf) return codePoint | 8
  return codePoint === 0x1fb3 || codePoint === 0x1fc3 || codePoint === 0x1ff3 ? codePoint + 9 : codePoint
}

function only(text: string, otherwise: number): number {
  const first = text.codePointAt(0) ?? otherwise
  return text.length === (first > 0xffff ? 2 : 1) ? first : otherwise
}

/** `Character.toUpperCase(int)` */
export function upperCase(codePoint: number): number {
  if (codePoint < 0x80) return codePoint >= 0x61 && codePoint <= 0x7a ? codePoint - 32 : codePoint
  return only(String.fromCodePoint(codePoint).toUpperCase(), greekTitleCase(codePoint))
}

/** `Character.toLowerCase(int)` */
export function lowerCase(codePoint: number): number {
  if (codePoint < 0x80) return codePoint >= 0x41 && codePoint <= 0x5a ? codePoint + 32 : codePoint
  // İ alone has a full mapping of two code points; its simple one is i.
  return only(String.fromCodePoint(codePoint).toLowerCase(), 0x69)
}

/** Equal code points fold to the same number. */
export function folded(codePoint: number, folding: Folding): number {
  if (folding === 'none') return codePoint
  if (folding === 'unicode') return lowerCase(upperCase(codePoint))
  return codePoint < 0x80 ? lowerCase(codePoint) : codePoint
}

/** One code point, in any case that the folding allows. */
export function oneCodePoint(codePoint: number, folding: Folding): CodePointTest {
  const wanted = folded(codePoint, folding)
  if (folding === 'none') return (other) => other === codePoint
  return (other) => other === codePoint || folded(other, folding) === wanted
}

/** From `first` to `last`, also when a case of the code point lies between them. */
export function codePointRange(first: number, last: number, folding: Folding): CodePointTest {
  const within: CodePointTest = (codePoint) => first <= codePoint && codePoint <= last
  if (folding === 'none') return within
  return (codePoint) => {
    if (within(codePoint)) return true
    if (folding === 'ascii' && codePoint >= 0x80) return false
    const upper = upperCase(codePoint)
    return within(upper) || within(lowerCase(upper))
  }
}
