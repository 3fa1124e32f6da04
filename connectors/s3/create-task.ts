/** @module connector-s3/create-task — puts a task together: settings, store, clock. */
import type { SinkTaskContext } from '@millrace/sdk'
import { recordFormat } from './formats/index.ts'
import { s3Limits } from './limits.ts'
import type { ObjectStore } from './object-store.ts'
import { createPartitioner } from './partitioner.ts'
import type { SinkSettings } from './settings.ts'
import { S3SinkTask } from './sink-task.ts'
import { timeSource } from './time-source.ts'
import { nextScheduledMs } from './time-zone.ts'

/** A task that writes to `store`, which it closes at its end; `nowMs` is the wall clock, `waitMsMax` how long a call waits for the store. */
export function createTask(
  settings: SinkSettings,
  store: ObjectStore,
  context: SinkTaskContext,
  nowMs: () => number,
  waitMsMax: number = s3Limits.waitMsMax,
): S3SinkTask {
  const format = recordFormat(settings.format)
  return new S3SinkTask({
    context,
    settings,
    store,
    nowMs,
    waitMsMax,
    partition: {
      store,
      format,
      names: { ...settings.names, extension: format.extension },
      partBytes: settings.partBytes,
      rotation: settings.rotation,
      partitioner: createPartitioner(settings.partitioner),
      timeSource: settings.needsTimes ? timeSource(settings.extractor, settings.timeField) : null,
      endsAtMs: (openedMs) => endOf(settings, openedMs),
      isRepeatable: settings.isRepeatable,
    },
  })
}

/** When the wall clock ends objects that are opened now: by schedule, or by an interval that it measures. */
function endOf({ scheduleMs, partitioner, extractor, rotation }: SinkSettings, nowMs: number): number {
  const scheduled = scheduleMs === null ? Number.POSITIVE_INFINITY : nextScheduledMs(nowMs, scheduleMs, partitioner.zone)
  const { intervalMs } = rotation
  return intervalMs === null || extractor !== 'Wallclock' ? scheduled : Math.min(scheduled, nowMs + intervalMs)
}
