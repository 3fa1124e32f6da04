/** The golden notation reads and prints without loss: every schema and value of converters.jsonl. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { schemaFromGolden, schemaToGolden, valueFromGolden, valueToGolden } from '../../golden/connect-values.ts'

const lines = readFileSync(new URL('../../golden/connect/converters.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  // One float that Java before 19 wrote with a digit too many; see shortestGolden.
  .map((line) => line.replace('"$f32":9.0071993E15', '"$f32":9.007199E15'))

describe('golden notation', () => {
  it('comes back as it was', () => {
    expect(lines.length).toBeGreaterThan(700)
    for (const line of lines) {
      const entry = JSON.parse(line) as { readonly schema?: unknown; readonly value?: unknown }
      const schema = schemaFromGolden(entry.schema)
      expect(schemaToGolden(schema), line).toEqual(entry.schema ?? null)
      expect(valueToGolden(schema, valueFromGolden(schema, entry.value ?? null)), line).toEqual(entry.value ?? null)
    }
  })
})
