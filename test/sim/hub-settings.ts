/** @module test/sim/hub-settings — settings of the hub under test: everything small and soon, so that a short play meets rolls, cleaning, expiry and timeouts. */
export const HUB_SETTINGS: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'millrace.http.listeners': '',
  'offsets.topic.num.partitions': '2',
  'offsets.topic.segment.bytes': '1048576',
  'transaction.state.log.num.partitions': '2',
  'transaction.state.log.segment.bytes': '1048576',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'log.roll.ms': '3000',
  'log.retention.check.interval.ms': '2000',
  'log.cleaner.backoff.ms': '1000',
  'log.segment.delete.delay.ms': '1000',
  'millrace.disk.free.bytes.min': '20000',
  'millrace.disk.free.bytes.resume': '40000',
}
