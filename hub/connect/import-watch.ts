/**
 * @module connect/import-watch — which module is to blame when the inspection thread dies while it imports plugins. Pure: it is told what
 * the thread tells, and asked when the thread is gone.
 */

/** What the inspection thread tells while it looks for plugins. Modules are named by their file: addresses. */
export type InspectionEvent =
  | { readonly kind: 'importing' | 'imported'; readonly moduleUrl: string }
  /** All modules have been looked at. */
  | { readonly kind: 'found' }
  /** Somebody called `process.exit`; `stack` says who. */
  | { readonly kind: 'exiting'; readonly stack: string }

/** Whether it is one: plugin code can post to the main thread as well, whatever it likes. */
export function isInspectionEvent(message: unknown): message is InspectionEvent {
  if (typeof message !== 'object' || message === null) return false
  const { kind, moduleUrl, stack } = message as { readonly kind?: unknown; readonly moduleUrl?: unknown; readonly stack?: unknown }
  if (kind === 'importing' || kind === 'imported') return typeof moduleUrl === 'string'
  return kind === 'found' || (kind === 'exiting' && typeof stack === 'string')
}

/** Follows the imports of one thread. */
export class ImportWatch {
  /** In the order in which they began. */
  readonly #begun = new Set<string>()
  readonly #open = new Set<string>()
  #exitStack = ''
  #isOver = false

  note(event: InspectionEvent): void {
    switch (event.kind) {
      case 'importing':
        this.#begun.add(event.moduleUrl)
        this.#open.add(event.moduleUrl)
        return
      case 'imported':
        this.#open.delete(event.moduleUrl)
        return
      case 'found':
        this.#isOver = true
        return
      case 'exiting':
        this.#exitStack = event.stack
    }
  }

  /**
   * The module that stands in the stack of what ended the thread (a timer of one module may strike while another one is imported), else
   * the one whose import began last and has not ended: an endless loop and a full heap leave no stack. undefined once all were
   * looked at: what a plugin does when it is asked something costs that question alone.
   */
  culprit(errorStack: string | undefined): string | undefined {
    if (this.#isOver) return undefined
    const stack = errorStack ?? this.#exitStack
    const named = [...this.#begun].find((moduleUrl) => stack.includes(`${moduleUrl}:`))
    return named ?? [...this.#open].at(-1)
  }
}
