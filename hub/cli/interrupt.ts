/** @module cli/interrupt — waiting that Ctrl-C ends. */

/** The promise's outcome, or undefined as soon as the signal aborts. The promise then goes on unobserved. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) {
    promise.catch(() => {})
    return undefined
  }
  let onAbort = (): void => {}
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The chunks until the signal aborts. */
export async function* chunksUntilAborted<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  for (;;) {
    const step = await unlessAborted(iterator.next(), signal)
    if (step === undefined || step.done === true) return
    yield step.value
  }
}
