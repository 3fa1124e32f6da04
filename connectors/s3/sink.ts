/**
 * @module connector-s3/sink — Confluent's S3 sink: its class name, its keys, its names of objects.
 *
 * At least once, and each record once in the end: where records alone decide about the ends of objects, a retry writes the very same
 * objects again; where the wall clock does, offsets are committed between one object and the next, and the one that is written again has
 * the same name.
 */
import { defineSink } from '@millrace/sdk'
import { s3SinkConfig } from './config.ts'
import { createTask } from './create-task.ts'
import { openS3Store } from './s3-store.ts'
import { findIssues, settingsOf } from './settings.ts'

/** Writes topics to a bucket; see the module. */
export const s3Sink = defineSink({
  class: 'io.confluent.connect.s3.S3SinkConnector',
  version: '0.1.0',
  aliases: ['millrace.s3.Sink'],
  documentation: 'Writes topics to S3 as objects of JSON lines or Parquet, named by topic, partition and first offset.',
  config: s3SinkConfig,
  validate: (config) => findIssues(config),
  start: async (config, context) => {
    const settings = settingsOf(config)
    const store = await openS3Store(settings.store, context.signal)
    try {
      await store.check(context.signal)
    } catch (error) {
      store.close()
      throw error
    }
    return createTask(settings, store, context, Date.now)
  },
})
