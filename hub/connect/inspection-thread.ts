/** @module connect/inspection-thread — the inspection of plugins inside its thread: serves an Inspector on a message port. */
import { syncBuiltinESMExports } from 'node:module'
import type { World } from '../io/index.ts'
import { type MessageEnd, openChannel } from './channel.ts'
import type { InspectionEvent } from './import-watch.ts'
import { importModule, type ModuleImporter } from './plugins/modules.ts'
import type { Inspector } from './plugins/types.ts'
import type { ConfigText } from './types.ts'
import { createInspection } from './validation/inspection.ts'

/** What plugins are looked for with. */
export interface InspectionSettings {
  readonly pluginPaths: readonly string[]
  /** The worker's own keys as text. */
  readonly workerDefaults: ConfigText
}

/** Asks a thread to inspect plugins. */
export interface InspectionMessage {
  readonly settings: InspectionSettings
  /** Modules that brought an earlier thread down while they were imported, with what happened: they are not imported again. */
  readonly shunned: ReadonlyMap<string, string>
  readonly port: MessageEnd
}

/** The names of an {@link Inspector}'s calls. */
export const INSPECTOR_CALLS = ['catalog', 'describe', 'validate', 'close'] as const satisfies readonly (keyof Inspector)[]

/** Serves an inspector until its port closes. What `tell` is given arrives although the thread dies right after. */
export function serveInspection(
  { settings, shunned, port }: InspectionMessage,
  { disk, clock }: Pick<World, 'disk' | 'clock'>,
  tell: (event: InspectionEvent) => void,
): void {
  tellExits(tell)
  const inspection = createInspection({ ...settings, disk, clock, importModule: watchedImport(shunned, tell) })
  // The thread was made for a question, and every question needs this first.
  const searched = inspection.catalog().then(() => tell({ kind: 'found' }))
  // Who asks hears of it.
  searched.catch(() => {})
  const validate: Inspector['validate'] = async (request) => {
    await searched
    return inspection.validate(request)
  }
  openChannel<Inspector, never>(port, { local: () => ({ ...inspection, validate }), remoteNames: [] })
}

function watchedImport(shunned: ReadonlyMap<string, string>, tell: (event: InspectionEvent) => void): ModuleImporter {
  return async (moduleUrl) => {
    const reason = shunned.get(moduleUrl)
    if (reason !== undefined) throw new Error(`it brought the inspection down (${reason})`)
    tell({ kind: 'importing', moduleUrl })
    try {
      return await importModule(moduleUrl)
    } finally {
      tell({ kind: 'imported', moduleUrl })
    }
  }
}

/** `process.exit` ends this thread as ever, but is told before with who called it. */
function tellExits(tell: (event: InspectionEvent) => void): void {
  const exit = process.exit.bind(process)
  process.exit = (code) => {
    tell({ kind: 'exiting', stack: new Error('process.exit').stack ?? '' })
    return exit(code)
  }
  // For who imports `exit` by its name.
  syncBuiltinESMExports()
}
