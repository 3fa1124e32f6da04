/**
 * @module test/connectors/file/standard-streams — a process that copies its standard input to its standard output by both connectors, in a
 * thread. Arguments: how many lines; what stands as `file`, if anything does.
 */
import { isMainThread, Worker } from 'node:worker_threads'
import { fileSink, fileSource } from '@millrace/connector-file'
import { runSink, runSource, sinkRecords } from '@millrace/sdk/testing'

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
  worker.once('exit', (code) => console.log(`thread ended with ${code}`))
} else {
  const [wantedCount, file] = [Number(process.argv[2]), process.argv[3]]
  const config: Record<string, string> = file === undefined ? {} : { file }
  const source = await runSource(fileSource, { config: { ...config, topic: 'lines' } })
  const sink = await runSink(fileSink, { config })
  const records = await source.take(wantedCount)
  await sink.deliver(
    sinkRecords(
      'lines',
      records.map(({ value }) => value),
    ),
  )
  await sink.flush()
  console.log(JSON.stringify(records.map(({ sourcePartition, sourceOffset }) => [sourcePartition, sourceOffset])))
  await Promise.all([source.stop(), sink.stop()])
}
