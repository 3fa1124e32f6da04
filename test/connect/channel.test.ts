import { MessageChannel } from 'node:worker_threads'
import { RetriableError } from '@millrace/sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { type Channel, openChannel } from '../../hub/connect/channel.ts'
import { ThreadError } from '../../hub/connect/failure.ts'
import { ConnectRequestError } from '../../hub/connect/index.ts'

interface Near {
  double(request: number): Promise<number>
}
interface Far {
  ask(request: string): Promise<string>
  fail(request: string): Promise<never>
  unclonable(request: null): Promise<unknown>
  silence(request: null): Promise<never>
}

const open: Channel<unknown, unknown>[] = []
afterEach(() => {
  for (const channel of open.splice(0)) channel.close(new Error('over'))
})

function pair(onEvent: (event: { readonly count: number }) => void = () => {}): {
  near: Channel<Far, never>
  far: Channel<Near, { readonly count: number }>
} {
  const { port1, port2 } = new MessageChannel()
  const near = openChannel<Near, Far, never, { readonly count: number }>(port1, {
    local: () => ({ double: async (request: number) => request * 2 }),
    remoteNames: ['ask', 'fail', 'unclonable', 'silence'],
    onEvent,
  })
  const far = openChannel<Far, Near, { readonly count: number }>(port2, {
    local: ({ remote }) => ({
      ask: async (request: string) => `${request} ${await remote.double(21)}`,
      fail: async (request: string) => {
        if (request === 'request') throw new ConnectRequestError(409, 'taken')
        if (request === 'retry') throw new RetriableError('not now', { afterMs: 50, cause: new TypeError('deep') })
        throw request
      },
      unclonable: async () => () => {},
      silence: () => new Promise<never>(() => {}),
    }),
    remoteNames: ['double'],
  })
  open.push(near as Channel<unknown, unknown>, far as Channel<unknown, unknown>)
  return { near, far }
}

describe('a channel', () => {
  it('asks in both directions', async () => {
    const { near } = pair()
    expect(await Promise.all(['a', 'b'].map((text) => near.remote.ask(text)))).toEqual(['a 42', 'b 42'])
  })

  it('tells events in order', async () => {
    const seen: number[] = []
    const { near, far } = pair(({ count }) => seen.push(count))
    for (let count = 0; count < 5; count++) far.send({ count })
    await near.remote.ask('a')
    expect(seen).toEqual([0, 1, 2, 3, 4])
  })

  it('carries errors with class, message, causes and when to try again', async () => {
    const { near } = pair()
    await expect(near.remote.fail('request')).rejects.toBeInstanceOf(ConnectRequestError)
    await expect(near.remote.fail('request')).rejects.toMatchObject({ status: 409, message: 'taken' })
    const retry = await near.remote.fail('retry').catch((error: unknown) => error)
    expect(retry).toBeInstanceOf(ThreadError)
    expect(retry).toMatchObject({ className: 'org.apache.kafka.connect.errors.RetriableException', message: 'not now', retryAfterMs: 50 })
    const { trace } = retry as ThreadError
    expect(trace.split('\n')[0]).toBe('org.apache.kafka.connect.errors.RetriableException: not now')
    expect(trace).toContain('\nCaused by: TypeError: deep\n\tat ')
    await expect(near.remote.fail('just a text')).rejects.toMatchObject({ message: 'thrown: just a text' })
  })

  it('says so when an answer cannot be sent', async () => {
    const { near } = pair()
    await expect(near.remote.unclonable(null)).rejects.toThrow(/could not be cloned/)
    expect(await near.remote.ask('still')).toBe('still 42')
  })

  it('rejects what is open, and what comes later, with the reason of its end', async () => {
    const { near } = pair()
    const asked = near.remote.silence(null)
    near.close(new Error('the thread is gone'))
    await expect(asked).rejects.toThrow('the thread is gone')
    await expect(near.remote.ask('x')).rejects.toThrow('the thread is gone')
  })
})
