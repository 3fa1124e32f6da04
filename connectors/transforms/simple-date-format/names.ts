/**
 * @module transforms/simple-date-format/names — English words of dates. Short names are the first three letters.
 */
export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
export const ERAS = ['BC', 'AD'] as const
export const HALVES = ['AM', 'PM'] as const

/** A name of a list, in full from four letters on. */
export function nameOf(list: readonly string[], index: number, letterCount: number): string {
  const name = list[index] ?? ''
  return letterCount >= 4 ? name : name.slice(0, 3)
}
