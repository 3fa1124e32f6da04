/** @module test/sim/main — `npm run sim -- --seeds 10000 [--from 1] | --seed N`. */
import { reportOf } from './report.ts'
import { simulate } from './simulate.ts'

const given = process.argv.slice(2)

function optionOf(name: string): number | undefined {
  const at = given.indexOf(`--${name}`)
  return at < 0 ? undefined : Number(given[at + 1])
}

const single = optionOf('seed')
const count = single === undefined ? (optionOf('seeds') ?? 100) : 1
const from = single ?? optionOf('from') ?? 1
const beganMs = performance.now()
let failedCount = 0
let eventCount = 0
for (let seed = from; seed < from + count; seed++) {
  const play = await simulate(seed)
  eventCount += play.history.length
  if (play.anomalies.length > 0 || play.problem !== undefined) {
    failedCount++
    console.log(`\n${reportOf(play)}`)
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0)
  if (process.stderr.isTTY || seed === from + count - 1) {
    process.stderr.write(`\r${seed - from + 1} of ${count} seeds, ${failedCount} failed, ${eventCount} events, ${seconds} s `)
  }
}
process.stderr.write('\n')
process.exitCode = failedCount === 0 ? 0 : 1
