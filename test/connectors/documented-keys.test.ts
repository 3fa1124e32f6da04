/**
 * @module test/connectors/documented-keys — every key of a connector's definition stands in its page, with the definition's own default, and every key that
 * the page lists as one is a key.
 */
import { readFileSync } from 'node:fs'
import { postgresSource } from '@millrace/connector-postgres'
import { s3Sink } from '@millrace/connector-s3'
import type { ConfigDefinition, ConfigKey } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'

const pages: readonly (readonly [name: string, page: string, definition: ConfigDefinition])[] = [
  ['Postgres source', 'postgres.md', postgresSource.config],
  ['S3 sink', 's3.md', s3Sink.config],
]

function textOf(page: string): string {
  return readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
}

/** A default as a page may write it: a class by its last name, bytes in MiB, a typographic minus, and what it means behind a colon. */
function isShownAs(actual: string, shown: string): boolean {
  const [value = ''] = shown.replace('−', '-').split(':', 1)
  const [count, unit] = value.split(' ')
  if (unit === 'MiB') return Number(actual) === Number(count) * 1024 * 1024
  return actual === value || actual.endsWith(`.${value}`)
}

/** Lines of the tables of the chapter "Keys", but for those of its part "Taken, without effect". */
function keyLines(page: string): readonly string[] {
  const chapter =
    textOf(page)
      .split('\n## ')
      .find((one) => one.startsWith('Keys\n')) ?? ''
  return chapter.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| key'))
}

/** Keys of the first column, each with the default in brackets behind it, if there is one. */
function listedKeys(page: string): readonly { readonly name: string; readonly standard: string | undefined }[] {
  const cells = keyLines(page).map((line) => line.split(' | ', 1)[0] ?? '')
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([a-zA-Z][\w.-]*\.[\w.-]+|timezone|locale)`(?:\*\*)?(?: \(`?([^`)]*?)`?\))?/g)].map(([, name = '', standard]) => ({
      name,
      standard,
    })),
  )
}

describe.each(pages)('the page of the %s', (_name, page, definition) => {
  it('has every key', () => {
    const text = textOf(page)
    expect(Object.keys(definition).filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}=`))).toEqual([])
  })

  it('lists no key that there is not', () => {
    const listed = listedKeys(page)
    expect(listed.length).toBeGreaterThan(20)
    expect(listed.filter(({ name }) => !(name in definition)).map(({ name }) => name)).toEqual([])
  })

  it('gives the defaults of the definition', () => {
    const wrong = listedKeys(page).flatMap(({ name, standard }) => {
      const key = (definition as Record<string, ConfigKey>)[name]
      const actual = key === undefined || key.default === undefined || key.default === null ? '' : String(key.default)
      return standard === undefined || isShownAs(actual, standard) ? [] : [`${name} (${standard}): ${actual}`]
    })
    expect(wrong).toEqual([])
  })
})
