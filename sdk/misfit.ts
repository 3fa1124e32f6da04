/**
 * @module sdk/misfit — a value that cannot become a record's, with the way to it. The way is put together while the error unwinds, so
 * that values which are right pay nothing for it.
 */
import { DataError } from './errors.ts'
import { isDecimal, isSized } from './values.ts'

/** Levels of lists, maps and structs inside each other that a value may have; one that contains itself is refused by this. */
export const valueDepthMax = 500

/** Steps of a path that a message shows. */
const stepsShownMax = 12

/** Thrown where a value does not fit; becomes a DataError at the top. */
export class Misfit {
  readonly why: string
  readonly path: (string | number)[] = []

  constructor(why: string) {
    this.why = why
  }
}

/** Adds a step to what was thrown inside a container; other errors pass. */
export function inside(step: string | number, thrown: unknown): unknown {
  if (thrown instanceof Misfit) thrown.path.push(step)
  return thrown
}

/** What was thrown as a DataError that names the way: `value.lines[3].price: …`. Other errors pass. */
export function asDataError(root: string, thrown: unknown): unknown {
  if (!(thrown instanceof Misfit)) return thrown
  const steps = thrown.path.reverse().map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  const shown = steps.length > stepsShownMax ? [...steps.slice(0, stepsShownMax), '…'] : steps
  return new DataError(`${root}${shown.join('')}: ${thrown.why}`)
}

/** What a value is, in words of JavaScript; never the value itself, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number'
  if (typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint') return `a ${typeof value}`
  if (typeof value !== 'object') return `a ${typeof value}`
  if (Array.isArray(value)) return 'a list'
  if (isDecimal(value)) return 'a Decimal'
  if (isSized(value)) return `a Sized ${value.type}`
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  return tag === 'Object' ? 'an object' : `a ${tag}`
}
