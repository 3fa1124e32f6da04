import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import type { Catalog } from '../../../hub/connect/plugins/types.ts'
import { pluginFolder, sourceModule } from './plugin-folder.ts'

it('a thread finds what a single file in a bare folder exports, types and the SDK included, and what hub depends on', async () => {
  await using folder = await pluginFolder({
    'rows.ts': `${sourceModule({ class: 'thread.RowsConnector' })}\nexport const typed: Readonly<Record<string, number>> = {}`,
  })
  const worker = new Worker(new URL('./plugin-thread.ts', import.meta.url), {
    execArgv: ['--conditions=millrace-source'],
    workerData: { path: folder.path, name: 'Rows' },
  })
  try {
    const [found] = (await once(worker, 'message')) as [Catalog & { readonly loaded: object }]
    expect(found.loaded).toEqual({ class: 'thread.RowsConnector', keys: ['topic'] })
    expect(found.problems).toEqual([])
    const file = found.plugins.find((plugin) => plugin.class === 'org.apache.kafka.connect.file.FileStreamSourceConnector')
    expect(file).toMatchObject({
      version: '4.3.1',
      taskClass: 'org.apache.kafka.connect.file.FileStreamSourceTask',
      aliases: ['millrace.file.Source'],
    })
    expect(file?.moduleUrl).toMatch(/^file:.*index\.ts$/)
  } finally {
    await worker.terminate()
  }
})
