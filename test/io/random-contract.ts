/** What every Random does. */
import { expect, it } from 'vitest'
import type { Random } from '../../hub/io/index.ts'

export function randomContract(make: () => Random): void {
  it('gives as many bytes as asked', () => {
    const random = make()
    expect(random.bytes(0).length).toBe(0)
    expect(random.bytes(1000).length).toBe(1000)
    expect(new Set(random.bytes(1000)).size).toBeGreaterThan(200)
  })

  it('gives floats spread over [0, 1)', () => {
    const random = make()
    const floats = Array.from({ length: 2000 }, () => random.float())
    expect(floats.every((float) => float >= 0 && float < 1)).toBe(true)
    const mean = floats.reduce((sum, float) => sum + float, 0) / floats.length
    expect(mean).toBeGreaterThan(0.45)
    expect(mean).toBeLessThan(0.55)
  })

  it('gives different version 4 ids that never begin with "-"', () => {
    const random = make()
    const ids = Array.from({ length: 2000 }, () => random.uuid())
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      const bytes = Buffer.from(id, 'base64url')
      expect(bytes.length).toBe(16)
      expect((bytes[6] ?? 0) >> 4).toBe(4)
      expect((bytes[8] ?? 0) >> 6).toBe(2)
    }
  })
}
