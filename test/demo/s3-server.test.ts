/** @module test/demo/s3-server — the S3 server that npm brings, in a process of its own, on loopback alone. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { startS3Server } from '../../hub/demo/s3-server.ts'

describe('startS3Server', () => {
  it('keeps objects in buckets that are there from the start', async () => {
    await using server = await startS3Server({ buckets: ['first', 'second'] })
    const { endpoint, region, credentials } = server
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    await client.send(new PutObjectCommand({ Bucket: 'second', Key: 'a/b.json', Body: '{"x":1}\n' }))
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'second', Key: 'a/b.json' }))
    expect(await Body?.transformToString()).toBe('{"x":1}\n')
    await expect(client.send(new GetObjectCommand({ Bucket: 'first', Key: 'a/b.json' }))).rejects.toMatchObject({ name: 'NoSuchKey' })
    client.destroy()
  })

  it('is another process, which is gone after stop and after kill', async () => {
    for (const way of ['stop', 'kill'] as const) {
      const server = await startS3Server()
      expect(server.pid).not.toBe(process.pid)
      await server[way]()
      expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
      await expect(fetch(server.endpoint)).rejects.toThrow('fetch failed')
    }
  })

  it('says which port is in use', async () => {
    await using first = await startS3Server()
    await expect(startS3Server({ port: first.port })).rejects.toThrow(`port ${first.port} is in use; stop who uses it`)
  })

  it('is given up on a signal', async () => {
    const stopping = new AbortController()
    const starting = startS3Server({ signal: stopping.signal })
    stopping.abort(new Error('not any more'))
    await expect(starting).rejects.toThrow('not any more')
  })
})
