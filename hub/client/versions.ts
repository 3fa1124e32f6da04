/** @module client/versions — which version of an API both sides speak. */
import type { Api } from '../wire/index.ts'
import { ClientError } from './errors.ts'

interface ApiRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** What one broker said that it speaks. */
export class ApiRanges {
  readonly #byKey: ReadonlyMap<number, ApiRange>

  constructor(ranges: readonly ApiRange[]) {
    this.#byKey = new Map(ranges.map((range) => [range.apiKey, range]))
  }

  /** Whether the broker has the API in a version that we know, `versionMin` or above. */
  has<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, versionMin = 0): boolean {
    return this.#highest(api, versionMin, Number.POSITIVE_INFINITY) !== null
  }

  /** The highest common version within the caller's bounds. Throws `unsupported-version` where there is none. */
  choose<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, versionMin = 0, versionMax = Number.POSITIVE_INFINITY): number {
    const highest = this.#highest(api, versionMin, versionMax)
    if (highest !== null) return highest
    const range = this.#byKey.get(api.key)
    const theirs = range === undefined ? 'does not offer it' : `speaks versions ${range.minVersion} to ${range.maxVersion}`
    const oursMin = Math.max(versionMin, api.versions.min)
    const oursMax = Math.min(versionMax, api.versions.max)
    throw new ClientError('unsupported-version', `${api.name} needs a version from ${oursMin} to ${oursMax}; the broker ${theirs}`)
  }

  #highest<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, versionMin: number, versionMax: number): number | null {
    const range = this.#byKey.get(api.key)
    if (range === undefined) return null
    const highest = Math.min(range.maxVersion, api.versions.max, versionMax)
    return highest >= Math.max(range.minVersion, api.versions.min, versionMin) ? highest : null
  }
}
