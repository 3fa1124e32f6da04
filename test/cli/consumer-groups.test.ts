/** @module test/cli/consumer-groups — groups with members, which the recording has none of; layouts as Kafka 4.3.1's script printed them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../hub/cli/index.ts'
import { type Consumer, createConsumer, createProducer } from '../../hub/client/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { memoryIo } from './memory-io.ts'

let hub: TestHub
let member: Consumer

beforeAll(async () => {
  hub = await startHub()
  const producer = createProducer({ bootstrapServers: hub.bootstrap })
  await producer.sendBatch(['a', 'b', 'c'].map((value) => ({ topic: 'read', value })))
  await producer.close()
  member = createConsumer({ bootstrapServers: hub.bootstrap, groupId: 'live', clientId: 'reader', offsetReset: 'earliest' })
  member.subscribe(['read'])
  let count = 0
  while (count < 3) count += (await member.poll(1_000)).count
  await member.commit([{ topic: 'read', partition: 0, offset: 2 }])
})

afterAll(async () => {
  await member.close()
  await hub.close()
})

async function groups(...args: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const io = memoryIo()
  const exit = await runCommand('consumer-groups', ['--bootstrap-server', hub.bootstrap, ...args], io)
  // Member ids are of one length, so the columns stay as they are.
  const stdout = io
    .stdoutText()
    .replace(/reader-[0-9a-zA-Z_-]+/g, (id) => 'ID'.padEnd(id.length, '.'))
    .replaceAll(hub.bootstrap, 'HOST:PORT')
  return { exit, stdout, stderr: io.stderrText() }
}

const cells = (line: string | undefined): string[] => (line ?? '').trim().split(/ +/)

describe('consumer-groups of a group with a member', () => {
  it('shows offsets with their owner', async () => {
    const { exit, stdout, stderr } = await groups('--describe', '--group', 'live')
    const [empty, header, row, end] = stdout.split('\n')
    expect([exit, stderr, empty, end]).toEqual([0, '', '', ''])
    expect(cells(header)).toEqual([
      'GROUP',
      'TOPIC',
      'PARTITION',
      'CURRENT-OFFSET',
      'LOG-END-OFFSET',
      'LAG',
      'CONSUMER-ID',
      'HOST',
      'CLIENT-ID',
    ])
    expect(cells(row)).toEqual(['live', 'read', '0', '2', '3', '1', expect.stringMatching(/^ID\.+$/), '/127.0.0.1', 'reader'])
    // Columns grow with what is in them: host begins below its title.
    expect(row?.indexOf('/127.0.0.1')).toBe(header?.indexOf('HOST'))
  })

  it('shows members with what they have', async () => {
    const short = (await groups('--describe', '--group', 'live', '--members')).stdout.split('\n')
    expect(short[1]).toMatch(/^GROUP +CONSUMER-ID +HOST +CLIENT-ID +#PARTITIONS {5}$/)
    expect(cells(short[2])).toEqual(['live', expect.stringMatching(/^ID/), '/127.0.0.1', 'reader', '1'])
    const long = (await groups('--describe', '--group', 'live', '--members', '--verbose')).stdout.split('\n')
    expect(cells(long[2]).slice(4)).toEqual(['1', '-', 'read:0', '-', '-'])
  })

  it('shows the state', async () => {
    const { stdout } = await groups('--describe', '--group', 'live', '--state')
    expect(stdout.split('\n').map(cells)[2]).toEqual(['live', 'HOST:PORT', '(1)', 'range', 'Stable', '1'])
  })

  it('leaves the offsets alone', async () => {
    const { exit, stdout } = await groups('--reset-offsets', '--group', 'live', '--topic', 'read', '--to-earliest', '--execute')
    expect(exit).toBe(0)
    expect(stdout).toBe(
      "\nError: Assignments can only be reset if the group 'live' is inactive, but the current state is Stable.\n" +
        '\nGROUP           TOPIC           PARTITION  NEW-OFFSET\n',
    )
    expect((await groups('--delete', '--group', 'live')).stdout).toBe(
      '\nError: Deletion of some consumer groups failed:\n' +
        "* Group 'live' could not be deleted due to: org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty.\n",
    )
  })

  it('refuses partitions that are not there, and shifting without an offset', async () => {
    const absent = await groups('--reset-offsets', '--group', 'new', '--topic', 'read:9', '--to-earliest', '--dry-run')
    expect([absent.exit, absent.stdout]).toEqual([
      0,
      '\nError: Executing consumer group command failed due to The partitions "read-9" do not exist\n',
    ])
    const shift = await groups('--reset-offsets', '--group', 'new', '--topic', 'read', '--shift-by', '1', '--dry-run')
    expect([shift.exit, shift.stderr.split('\n')[0]]).toEqual([
      1,
      'Cannot shift offset for partition read-0 since there is no current committed offset',
    ])
  })

  it('exports several groups with their names, and reads them again', async () => {
    const { stdout } = await groups(
      '--reset-offsets',
      '--group',
      'x',
      '--group',
      'y',
      '--topic',
      'read',
      '--to-latest',
      '--dry-run',
      '--export',
    )
    expect(stdout).toBe('x,read,0,3\ny,read,0,3\n\n')
  })
})
