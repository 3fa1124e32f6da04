import { expect, it } from 'vitest'
import { ImportWatch } from '../../hub/connect/import-watch.ts'

const [one, two] = ['file:///p/one.ts', 'file:///p/two.ts']

function watching(...open: readonly string[]): ImportWatch {
  const watch = new ImportWatch()
  for (const moduleUrl of open) watch.note({ kind: 'importing', moduleUrl })
  return watch
}

it('blames who stands in the stack of what ended the thread', () => {
  const watch = watching(one)
  watch.note({ kind: 'imported', moduleUrl: one })
  watch.note({ kind: 'importing', moduleUrl: two })
  expect(watch.culprit(`Error: late\n    at Timeout._onTimeout (${one}:1:20)`)).toBe(one)
  watch.note({ kind: 'exiting', stack: `Error\n    at ${one}:3:1` })
  expect(watch.culprit(undefined)).toBe(one)
})

it('blames the import that is open, the last of several, where there is no stack', () => {
  expect(watching(one, two).culprit(undefined)).toBe(two)
  const watch = watching(one, two)
  watch.note({ kind: 'imported', moduleUrl: two })
  expect(watch.culprit('RangeError: elsewhere')).toBe(one)
})

it('blames nobody between imports, nor once all were looked at', () => {
  const watch = watching(one)
  watch.note({ kind: 'imported', moduleUrl: one })
  expect(watch.culprit(undefined)).toBeUndefined()
  watch.note({ kind: 'found' })
  expect(watch.culprit(`at ${one}:1:1`)).toBeUndefined()
})
