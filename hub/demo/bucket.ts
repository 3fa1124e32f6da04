/** @module demo/bucket — what stands in a bucket, by plain HTTP: the demo's S3 server asks for no signature. */
import { DemoError } from './packages.ts'

/** An object as the list tells of it. */
export interface ListedObject {
  readonly key: string
  /** Changes with the content. */
  readonly tag: string
  readonly byteCount: number
}

export interface Bucket {
  /** Objects whose key begins with the prefix and comes behind `after` ('': all of them), in the order of their keys. */
  list(prefix: string, after: string, signal?: AbortSignal): Promise<readonly ListedObject[]>
  /** Text of an object; undefined: it is not there. */
  read(key: string, signal?: AbortSignal): Promise<string | undefined>
}

/** A bucket in path style. Calls reject with a {@link DemoError} when the server refuses, with fetch's error when it is not there. */
export function openBucket(endpoint: string, name: string): Bucket {
  const get = async (path: string, signal: AbortSignal | undefined): Promise<Response> =>
    fetch(`${endpoint}/${name}${path}`, signal === undefined ? {} : { signal })
  return {
    list: async (prefix, after, signal) => {
      const found: ListedObject[] = []
      let token: string | undefined
      do {
        const next: string = token === undefined ? '' : `&continuation-token=${encodeURIComponent(token)}`
        const query = `?list-type=2&prefix=${encodeURIComponent(prefix)}&start-after=${encodeURIComponent(after)}${next}`
        const answer = await get(query, signal)
        const text = await answer.text()
        if (!answer.ok) throw new DemoError(`the S3 server refused to list ${name}: ${answer.status} ${text.slice(0, 200)}`)
        const page = parseList(text)
        found.push(...page.objects)
        token = page.nextToken
      } while (token !== undefined)
      return found
    },
    read: async (key, signal) => {
      const answer = await get(`/${key.split('/').map(encodeURIComponent).join('/')}`, signal)
      const text = await answer.text()
      if (answer.status === 404) return undefined
      if (!answer.ok) throw new DemoError(`the S3 server refused ${name}/${key}: ${answer.status} ${text.slice(0, 200)}`)
      return text
    },
  }
}

/** One page of a ListObjectsV2 answer. Pure. */
export function parseList(xml: string): { readonly objects: readonly ListedObject[]; readonly nextToken: string | undefined } {
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, content = '']) => ({
    key: elementOf(content, 'Key') ?? '',
    tag: elementOf(content, 'ETag') ?? '',
    byteCount: Number(elementOf(content, 'Size') ?? 0),
  }))
  return { objects, nextToken: elementOf(xml, 'NextContinuationToken') }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function elementOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1]
  return text?.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal: string, hex: string, entity: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return ENTITIES[entity] ?? whole
  })
}
