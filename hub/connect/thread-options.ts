/**
 * @module connect/thread-options — how worker threads are started: from the sources or from what is published, with the process's cache of
 * compiled code, within a heap.
 */
import { getCompileCacheDir } from 'node:module'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Sizes of a thread's V8 heap, in megabytes. */
export interface ThreadHeap {
  /** What lives long; beyond it the thread ends with ERR_WORKER_OUT_OF_MEMORY. */
  readonly oldMegabytesMax: number
  /** What was just made. */
  readonly youngMegabytesMax: number
}

/** Half of Node's default for what is young: an idle thread keeps much of it. */
export const THREAD_HEAP: ThreadHeap = { oldMegabytesMax: 1024, youngMegabytesMax: 24 }

export type ThreadRole = 'connectors' | 'inspection'

const entry = new URL(`./thread${extname(import.meta.url)}`, import.meta.url)
const SOURCE_CONDITION = '--conditions=millrace-source'

/** A worker does not inherit what the process was told by a test runner: the condition is passed on by hand (design §1). */
function threadArguments(): string[] {
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? '']
  return given.some((argument) => argument.includes('millrace-source')) ? [SOURCE_CONDITION] : []
}

/**
 * Starts a thread. A process that keeps compiled code (bin/millrace.js does) shares it with its threads, which nothing but a call in the
 * thread itself achieves: from the cache a thread is up in half the time and takes half the memory, since sources need not be stripped of
 * their types again.
 */
export function startWorkerThread(role: ThreadRole, heap: Partial<ThreadHeap> = {}): Worker {
  const { oldMegabytesMax, youngMegabytesMax } = { ...THREAD_HEAP, ...heap }
  const cache = getCompileCacheDir()
  const options = {
    execArgv: threadArguments(),
    workerData: { role },
    resourceLimits: { maxOldGenerationSizeMb: oldMegabytesMax, maxYoungGenerationSizeMb: youngMegabytesMax },
  }
  if (cache === undefined) return new Worker(entry, options)
  const steps = [
    `const cache = require('node:module')`,
    // The directory that is given back holds one per version of Node; the call wants the one above.
    `cache.enableCompileCache(require('node:path').dirname(${JSON.stringify(cache)}))`,
    `import(${JSON.stringify(entry.href)}).then(() => cache.flushCompileCache())`,
  ]
  return new Worker(steps.join('\n'), { ...options, eval: true })
}
