/** @module test/connectors/s3/bucket — a bucket of a real S3 server, and what an independent reader finds in it. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { startS3Server } from '../../../hub/demo/s3-server.ts'

/** Where a store is, and who may write to it. */
export interface StoreAddress {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A bucket of its own. */
export interface Bucket extends AsyncDisposable {
  readonly name: string
  readonly address: StoreAddress
  /** A configuration of the sink that writes here; JSON lines, one record each, unless `more` says otherwise. */
  config(more?: Readonly<Record<string, string>>): Record<string, string>
  /** Names of all objects, sorted by UTF-8. */
  names(prefix?: string): Promise<string[]>
  bytes(name: string): Promise<Buffer>
  /** The lines of all objects, object by object in the order of their names; gzip and zstd are undone. */
  lines(prefix?: string): Promise<string[]>
}

let bucketCount = 0

/** Makes a bucket in a store. */
export async function makeBucket(address: StoreAddress): Promise<Bucket> {
  const { endpoint, accessKeyId, secretAccessKey } = address
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const name = `bucket-${process.pid}-${bucketCount++}`
  await client.send(new CreateBucketCommand({ Bucket: name }))
  const names = async (prefix = ''): Promise<string[]> => {
    const found: string[] = []
    let token: string | undefined
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: name, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }),
      )
      found.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []))
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
  const bytes = async (key: string): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key: key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  return {
    name,
    address,
    names,
    bytes,
    config: (more = {}) => ({
      's3.bucket.name': name,
      's3.region': 'us-east-1',
      'store.url': endpoint,
      'aws.access.key.id': accessKeyId,
      'aws.secret.access.key': secretAccessKey,
      'format.class': 'json',
      'flush.size': '1',
      'retry.backoff.ms': '20',
      's3.retry.backoff.ms': '5',
      's3.part.retries': '1',
      ...more,
    }),
    lines: async (prefix) => {
      const lines: string[] = []
      for (const key of await names(prefix))
        lines.push(
          ...plain(key, await bytes(key))
            .toString()
            .split('\n')
            .slice(0, -1),
        )
      return lines
    },
    [Symbol.asyncDispose]: async () => client.destroy(),
  }
}

function plain(name: string, bytes: Buffer): Buffer {
  if (name.endsWith('.gz')) return gunzipSync(bytes)
  return name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

/** Starts the S3 server that npm has, in a process of its own. */
export async function startStore(): Promise<StoreAddress & AsyncDisposable> {
  const server = await startS3Server()
  return { endpoint: server.endpoint, ...server.credentials, [Symbol.asyncDispose]: () => server.stop() }
}
