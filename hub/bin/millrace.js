#!/usr/bin/env node
/**
 * The `millrace` command. Plain JavaScript, so that an old Node can still say what is wrong.
 *
 * libuv reads UV_THREADPOOL_SIZE when its pool first gets work, so setting it here, before anything asks for a file asynchronously, takes
 * effect in this very process (checked by test/hub/bin.test.ts). Eight threads let a round of the log's flush write and sync its files in
 * parallel; the default of four made the slowest hundredth of acknowledgements twice as slow.
 */
const NODE_MAJOR_MIN = 24
const THREADPOOL_SIZE_MIN = 8

const major = Number(process.versions.node.split('.')[0])
if (major < NODE_MAJOR_MIN) {
  process.stderr.write(`millrace needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version}\n`)
  process.exit(2)
}
if (!(Number(process.env.UV_THREADPOOL_SIZE) >= THREADPOOL_SIZE_MIN)) process.env.UV_THREADPOOL_SIZE = String(THREADPOOL_SIZE_MIN)

// Every request and every read is a buffer outside V8's heap. By default V8 marks the whole heap each time 64 MB of such buffers have been made,
// several times a second under load and half of all CPU time; with the first flag buffers count like the rest of the heap, whose limit grows with
// what is alive; the second lets it grow to four times that before the next marking, which is what the slowest hundredth of acknowledgements waited
// for. Measured: 5.0 → 2.3 → 1.9 CPU-seconds per GB produced, and 12 → 5 ms at p99, for some 200 MB more at the peak under full load (none when idle).
const { setFlagsFromString } = await import('node:v8')
setFlagsFromString('--external-memory-accounted-in-global-limit')
setFlagsFromString('--heap-growing-percent=300')

// Compiled code is kept between runs (for sources: without their types); a cache that cannot be used is no error.
const { enableCompileCache } = await import('node:module')
enableCompileCache()

// The package's own entry is a source under the condition millrace-source and dist/ otherwise; main stands beside it.
const index = import.meta.resolve('millrace')
const { main } = await import(index.replace(/index(\.[jt]s)$/, 'main$1'))
process.exitCode = await main(process.argv.slice(2))
