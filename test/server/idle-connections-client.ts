/**
 * @module test/server/idle-connections-client — a process that opens many connections, asks each one something once, and leaves them idle.
 * Arguments: host, port, count. Prints `open` when all are answered; ends when its stdin ends.
 */
import { nodeNet } from '../../hub/io/index.ts'
import { ApiVersions } from '../../hub/wire/index.ts'
import { RawClient } from './raw-client.ts'

const CONNECTING_MAX = 100
const [host = '', port = '', countText = '0'] = process.argv.slice(2)
const count = Number(countText)
const net = nodeNet()
let next = 0

async function opener(): Promise<void> {
  while (next++ < count) {
    const client = await RawClient.connect(net, `${host}:${port}`)
    const { errorCode } = await client.call(ApiVersions, 3, { clientSoftwareName: 'idle', clientSoftwareVersion: '1' })
    if (errorCode !== 0) throw new Error(`error ${errorCode}`)
  }
}

await Promise.all(Array.from({ length: CONNECTING_MAX }, opener))
process.stdout.write('open\n')
process.stdin.resume().on('end', () => process.exit(0))
