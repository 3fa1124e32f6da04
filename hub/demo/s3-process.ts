/**
 * @module demo/s3-process — the process of {@link startS3Server}: npm's fauxqs, of which only the S3 part is used, bound to loopback (its own start
 * binds every interface), with its objects in memory. Says `{ port }` when it serves; ends when its parent is gone.
 */
import { loadPackage } from './packages.ts'

/** What of fauxqs is used. */
interface Fauxqs {
  buildApp(options: { readonly logger: boolean }): {
    listen(options: { readonly host: string; readonly port: number }): Promise<string>
    inject(request: { readonly method: 'PUT'; readonly url: string }): Promise<{ readonly statusCode: number; readonly body: string }>
    close(): Promise<void>
  }
}

/** What the parent gives: the port (0: a free one) and the buckets that shall be there. */
const { port, buckets } = JSON.parse(process.argv[2] ?? '{}') as { readonly port: number; readonly buckets: readonly string[] }

// The parent decides when this ends: Ctrl-C in its terminal goes to every process of the foreground group.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.once('disconnect', () => process.exit(0))

try {
  const fauxqs = await loadPackage<Fauxqs>('fauxqs')
  const app = fauxqs.buildApp({ logger: false })
  const address = await app.listen({ host: '127.0.0.1', port })
  for (const bucket of buckets) {
    const { statusCode, body } = await app.inject({ method: 'PUT', url: `/${bucket}` })
    if (statusCode !== 200) throw new Error(`bucket ${bucket}: ${statusCode} ${body}`)
  }
  process.send?.({ port: Number(new URL(address).port) })
} catch (error) {
  const { name, message, code } = error as NodeJS.ErrnoException
  process.send?.({ failure: { name, message, code } }, () => process.exit(1))
}
