/** @module test/sim/script — writes histories by hand, in a line each: for the tests of the checker. */
import { type Begun, type History, type Isolation, type PartitionName, Recorder, type SeenRecord, type Source } from './history.ts'

/** What became of an operation: acknowledged (of a send: at this offset), certainly not done, or unknown. */
type How = number | 'ok' | 'fail' | 'info'

/** A history under construction. Reads are written as `'p@0=a p@1=b'`. */
export class Script {
  readonly #recorder = new Recorder(() => 0)

  get history(): History {
    return this.#recorder.events
  }

  fault(what: string): this {
    this.#recorder.note('nemesis', { f: 'fault', what })
    return this
  }

  /** A send from its beginning to its end. */
  send(
    process: string,
    partition: PartitionName,
    value: string,
    how: How,
    more: { key?: string; acks?: 1; transaction?: string; source?: Source } = {},
  ): this {
    return this.#end(this.#recorder.invoke(process, { f: 'send', partition, value, ...more }), how)
  }

  /** What `during` writes happens while the commit is under way. */
  commit(process: string, transaction: string, how: How, during: (script: Script) => unknown = () => {}): this {
    const begun = this.#recorder.invoke(process, { f: 'commit', transaction })
    during(this)
    return this.#end(begun, how)
  }

  abort(process: string, transaction: string, how: How): this {
    return this.#end(this.#recorder.invoke(process, { f: 'abort', transaction }), how)
  }

  assign(process: string, partition: PartitionName, from: { position?: number; group?: string } = {}): this {
    this.#recorder.note(process, { f: 'assign', partition, ...from })
    return this
  }

  poll(process: string, text: string, isolation: Isolation = 'read_committed'): this {
    this.#recorder.note(process, { f: 'poll', isolation, records: recordsOf(text) })
    return this
  }

  readAll(partition: PartitionName, text: string, isolation: Isolation = 'read_committed'): this {
    this.#recorder.note('auditor', { f: 'read all', isolation, partition, records: recordsOf(text) })
    return this
  }

  commitOffset(process: string, partition: PartitionName, offset: number, how: How, transaction?: string): this {
    const action = { f: 'commit offset' as const, group: 'g', partition, offset, ...(transaction === undefined ? {} : { transaction }) }
    return this.#end(this.#recorder.invoke(process, action), how)
  }

  /** What `during` writes happens while somebody looks. */
  seeOffset(partition: PartitionName, offset: number, more: { isLast?: boolean; during?: (script: Script) => unknown } = {}): this {
    const { during = () => {}, ...rest } = more
    const begun = this.#recorder.invoke('auditor', { f: 'see offset', group: 'g', partition, ...rest })
    during(this)
    this.#recorder.ok(begun, offset)
    return this
  }

  #end(begun: Begun, how: How): this {
    if (how === 'fail' || how === 'info') this.#recorder.failed(begun, 'as written', how)
    else this.#recorder.ok(begun, typeof how === 'number' ? how : undefined)
    return this
  }
}

function recordsOf(text: string): SeenRecord[] {
  return text
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const [, partition = '', offset = '', value = ''] = /^(.+)@(\d+)=(.+)$/.exec(part) ?? []
      return { partition, offset: Number(offset), value }
    })
}
