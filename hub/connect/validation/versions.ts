/**
 * @module connect/validation/versions — version requirements of plugins (KIP-891): `4.3.1`, `latest`, or a range as Maven writes them,
 * `[1.0,2.0)`, `(,1.5]`, `[1,2),[3,4)`. Pure.
 */

interface Bound {
  /** null: open to this side. */
  readonly version: string | null
  readonly isIncluded: boolean
}

interface Range {
  readonly from: Bound
  readonly to: Bound
}

/** A requirement as it is shown: a lone version is the range of just it. */
export function shownRequirement(requirement: string): string {
  const text = requirement.trim()
  return isRange(text) ? text : `[${text},${text}]`
}

/** Whether a version meets a requirement; undefined when the requirement cannot be read. */
export function meetsVersion(version: string, requirement: string): boolean | undefined {
  const text = requirement.trim()
  if (text === '' || text === 'latest') return true
  if (!isRange(text)) return compareVersions(version, text) === 0
  const ranges = rangesOf(text)
  return ranges?.some(({ from, to }) => isBeyond(version, from, 1) && isBeyond(version, to, -1))
}

/** Compares versions part by part: numbers as numbers, and a version with a qualifier (`1.0-rc1`) before the one without. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [partsOf(one), partsOf(other)]
  for (let index = 0; index < Math.max(left.numbers.length, right.numbers.length); index++) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  if (left.qualifier === right.qualifier) return 0
  if (left.qualifier === '' || right.qualifier === '') return left.qualifier === '' ? 1 : -1
  return left.qualifier < right.qualifier ? -1 : 1
}

function isRange(text: string): boolean {
  return text.startsWith('[') || text.startsWith('(')
}

function rangesOf(text: string): readonly Range[] | undefined {
  const pattern = /\s*([[(])([^,\])]*)(?:(,)([^,\])]*))?([\])])\s*(?:,|$)/y
  const ranges: Range[] = []
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (match === null) return undefined
    const [, open, from = '', comma, to = '', close] = match
    // Blanks are cut off here: in the pattern they would make long ones take time without end.
    const low = from.trim()
    const top = comma === undefined ? low : to.trim()
    ranges.push({
      from: { version: low === '' ? null : low, isIncluded: open === '[' },
      to: { version: top === '' ? null : top, isIncluded: close === ']' },
    })
  }
  return ranges
}

/** Whether a version lies on the inner side of a bound; `side` is 1 for a lower bound, −1 for an upper one. */
function isBeyond(version: string, bound: Bound, side: 1 | -1): boolean {
  if (bound.version === null) return true
  const comparison = compareVersions(version, bound.version) * side
  return comparison > 0 || (comparison === 0 && bound.isIncluded)
}

function partsOf(version: string): { readonly numbers: readonly number[]; readonly qualifier: string } {
  const match = /^v?(\d+(?:\.\d+)*)?(.*)$/.exec(version.trim())
  return { numbers: (match?.[1] ?? '').split('.').map(Number), qualifier: (match?.[2] ?? '').replace(/^[-.]/, '') }
}
