// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of config providers look like that
import { describe, expect, it } from 'vitest'
import { ConfigError, type HubConfig, type LoadedConfig, loadHubConfig, nearestName, resolveTopicConfig } from '../../hub/config/index.ts'

const load = (text = '', path = 'server.properties'): Promise<LoadedConfig> => loadHubConfig({ file: { path, text } })
const configOf = async (text: string): Promise<HubConfig> => (await load(text)).config

async function refusal(text: string): Promise<string> {
  const error = await load(text).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as Error).message).not.toContain('\n')
  return (error as Error).message
}

/** What Apache Kafka 4.3 ships as config/server.properties, without its comments. */
const STOCK = `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`

describe('a hub without a file', () => {
  it('is a lone node on loopback with its data beside it', async () => {
    const { config, notices, warnings } = await loadHubConfig({})
    expect(config).toMatchObject({
      nodeId: 1,
      listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092, isController: false }],
      advertised: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }],
      interBrokerListenerName: 'PLAINTEXT',
      logDirs: ['./millrace-data'],
      metadataLogDir: './millrace-data',
      isInMemory: false,
      flushOnAck: 'fsync',
      httpListeners: [{ host: '127.0.0.1', port: 9644 }],
    })
    expect([...config.roles]).toEqual(['broker', 'controller', 'connect'])
    expect(config.broker['group.initial.rebalance.delay.ms']).toBe(0)
    expect([notices, warnings]).toEqual([[], []])
  })
})

describe("Kafka's own server.properties", () => {
  it('runs unchanged, with one notice', async () => {
    const { config, notices, warnings } = await load(STOCK)
    expect(config.listeners.map(({ name, port, isController }) => [name, port, isController])).toEqual([
      ['PLAINTEXT', 9092, false],
      ['CONTROLLER', 9093, true],
    ])
    expect(config.advertised).toEqual([{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }])
    expect(config.logDirs).toEqual(['/tmp/kraft-combined-logs'])
    expect(notices).toEqual([
      'these settings have no effect in this version: num.recovery.threads.per.data.dir, share.coordinator.state.topic.min.isr, ' +
        'share.coordinator.state.topic.replication.factor',
    ])
    expect(warnings).toEqual([expect.stringContaining('PLAINTEXT://:9092, CONTROLLER://:9093 can be reached from other machines')])
  })

  it('of an older KRaft with static voters runs too', async () => {
    const text = STOCK.replace('controller.quorum.bootstrap.servers=localhost:9093', 'controller.quorum.voters=1@localhost:9093')
    expect((await configOf(text)).nodeId).toBe(1)
  })
})

describe('sources', () => {
  it('win in the order file, environment, override', async () => {
    const text = 'num.partitions=1\nlog.retention.ms=1\nmessage.max.bytes=1\n'
    const environment = { MILLRACE_LOG_RETENTION_MS: '2', MILLRACE_MESSAGE_MAX_BYTES: '2' }
    const { config } = await loadHubConfig({ file: { path: 'a.properties', text }, environment, overrides: ['message.max.bytes=3'] })
    expect([config.broker['num.partitions'], config.broker['log.retention.ms'], config.broker['message.max.bytes']]).toEqual([1, 2, 3])
    expect(config.given.get('message.max.bytes')).toBe('3')
  })

  it('are named in the refusal of a value', async () => {
    expect(await refusal('num.partitions=0')).toBe(
      'server.properties: Invalid value 0 for configuration num.partitions: Value must be at least 1; correct the value',
    )
    const fromEnvironment = loadHubConfig({ environment: { MILLRACE_NUM_PARTITIONS: 'x' } })
    await expect(fromEnvironment).rejects.toThrow('environment: Invalid value x for configuration num.partitions: Not a number of type INT')
    await expect(loadHubConfig({ overrides: ['listeners=nonsense'] })).rejects.toThrow('--override: listeners=nonsense: Unable to parse')
  })

  it('may hold variables; what comes from providers counts as secret', async () => {
    const files = { readFile: async () => Buffer.from('dir=/data\n') }
    const text = 'log.dirs=${file:/x.properties:dir}\nbroker.rack=${env:RACK}\nssl.key.password=s3cret'
    const { config, warnings, secrets } = await loadHubConfig({ file: { path: 'a', text }, files, environment: {} })
    expect(config.logDirs).toEqual(['/data'])
    expect(warnings).toEqual(['no provider has a value for ${env:RACK}; the text is taken as it stands'])
    expect([...secrets].sort()).toEqual(['/data', 's3cret'])
    await expect(load('a=${file:/none:x}')).rejects.toThrow('a variable cannot be read')
  })

  it('keep sections apart and tell that nobody hosts them', async () => {
    const text = 'process.roles=broker,controller\nconnect.group.id=g\nconnect.num.partitions=x\nnum.partitions=2'
    const { config, notices, warnings } = await load(text)
    expect(Object.fromEntries(config.sections.connect)).toEqual({ 'group.id': 'g', 'num.partitions': 'x' })
    expect(config.given.has('connect.group.id')).toBe(false)
    expect([notices, warnings]).toEqual([['the settings under connect. have no effect: process.roles does not name connect'], []])
  })
})

describe('unknown keys', () => {
  it('are warned of, with the nearest known name', async () => {
    const { warnings } = await load('log.retension.ms=1\nmy.own.thing=2\nlistener.name.external.ssl.keystore.type=PEM')
    expect(warnings).toEqual(['unknown setting log.retension.ms; did you mean log.retention.ms?', 'unknown setting my.own.thing'])
  })

  it('of a worker are looked for behind connect., also those that lack the prefix', async () => {
    const { warnings } = await load('offset.flush.interval.ms=1\nconnect.ofset.flush.interval.ms=2\nconnect.key.converter.any=3')
    expect(warnings).toEqual([
      'unknown setting offset.flush.interval.ms; did you mean connect.offset.flush.interval.ms?',
      'unknown setting connect.ofset.flush.interval.ms; did you mean connect.offset.flush.interval.ms?',
    ])
  })

  it('find their neighbour by few edits or not at all', () => {
    const known = ['num.partitions', 'node.id', 'log.dirs', 'log.dir']
    expect(nearestName('num.partition', known)).toBe('num.partitions')
    expect(nearestName('nod.eid', known)).toBe('node.id')
    expect(nearestName('zzz', known)).toBeUndefined()
    expect(nearestName('', known)).toBeUndefined()
  })
})

describe("a hub's worker", () => {
  it('is checked before the start, errors named as the file has them', async () => {
    expect(await refusal('connect.status.storage.partitions=0')).toBe(
      "server.properties: connect.status.storage.partitions: Invalid value 0 for configuration status.storage.partitions: Value must be positive, or -1 for the broker's default; correct the value",
    )
    expect(await refusal('connect.listeners=https://127.0.0.1:8443')).toContain(
      'server.properties: connect.listeners=https://127.0.0.1:8443: this version has no HTTPS',
    )
    const secret = await refusal('connect.producer.sasl.jaas.config=s3cret')
    expect(secret).toContain('connect.producer.sasl.jaas.config: this version has no SASL')
    expect(secret).not.toContain('s3cret')
  })

  it('adds its notices, warnings and secrets', async () => {
    const text = 'connect.session.timeout.ms=1\nconnect.listeners=http://:8083\nconnect.value.converter.basic.auth.password=s3cret'
    const { notices, warnings, secrets } = await load(text)
    expect(notices).toEqual(['these settings have no effect in this version: connect.session.timeout.ms'])
    expect(warnings).toEqual([expect.stringContaining('connect.listeners: http://:8083 can be reached from other machines')])
    expect(secrets).toEqual(['s3cret'])
  })

  it('that is not asked for is not checked', async () => {
    const { notices } = await load('process.roles=broker,controller\nconnect.status.storage.partitions=0')
    expect(notices).toEqual(['the settings under connect. have no effect: process.roles does not name connect'])
  })
})

describe('what this version lacks', () => {
  it.each([
    ['authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'no authorizer'],
    ['remote.log.storage.system.enable=true', 'no tiered storage'],
    ['listeners=SSL://:9093', 'no SSL'],
    ['listeners=IN://:1\nlistener.security.protocol.map=IN:SASL_SSL', 'no SASL_SSL'],
    ['security.inter.broker.protocol=SSL', 'PLAINTEXT only'],
    ['create.topic.policy.class.name=x.Y', 'no policies'],
    ['alter.config.policy.class.name=x.Y', 'no policies'],
    ['client.quota.callback.class=x.Y', 'no quotas'],
    ['principal.builder.class=x.Y', 'no authentication'],
    ['zookeeper.connect=localhost:2181', 'ZooKeeper'],
    ['process.roles=broker', 'in one process only'],
    ['process.roles=broker,controller,registry', 'no role registry'],
    ['controller.quorum.voters=1@a:1,2@b:1', 'would not ask 2@b:1'],
    ['controller.quorum.bootstrap.servers=a:1,b:1', 'quorum of one'],
    ['broker.id=7', 'differs from node.id=1'],
  ])('refuses %s', async (text, words) => {
    const message = await refusal(text)
    expect(message).toContain(words)
    expect(message).toContain('server.properties')
    expect(message).toContain('; ')
  })

  it('is told in one notice where nothing is lost', async () => {
    const { notices } = await load(
      'ssl.keystore.location=/k\nmetric.reporters=x.Y\nnum.partitions=3\nsasl.mechanism.inter.broker.protocol=GSSAPI',
    )
    expect(notices).toEqual(['these settings have no effect in this version: metric.reporters, ssl.keystore.location'])
  })
})

describe('listeners', () => {
  it('take names, IPv6, and addresses for clients', async () => {
    const text =
      'listeners=INTERNAL://[::1]:9092,EXTERNAL://127.0.0.1:0\nlistener.security.protocol.map=internal:plaintext,EXTERNAL:PLAINTEXT\n' +
      'advertised.listeners=EXTERNAL://example.org:19092\ninter.broker.listener.name=internal'
    const config = await configOf(text)
    expect(config.listeners.map(({ name, host, port }) => `${name} ${host} ${port}`)).toEqual(['INTERNAL ::1 9092', 'EXTERNAL 127.0.0.1 0'])
    expect(config.advertised).toEqual([{ name: 'EXTERNAL', host: 'example.org', port: 19092 }])
    expect(config.interBrokerListenerName).toBe('INTERNAL')
  })

  it('need no map for a controller listener', async () => {
    const config = await configOf('listeners=PLAINTEXT://127.0.0.1:1,C://127.0.0.1:2\ncontroller.listener.names=C')
    expect(config.listeners[1]).toMatchObject({ protocol: 'PLAINTEXT', isController: true })
  })

  it('may share a port between IPv4 and IPv6', async () => {
    const config = await configOf(
      'listeners=PLAINTEXT://127.0.0.1:9092,B://[::1]:9092\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT',
    )
    expect(config.listeners.length).toBe(2)
  })

  it.each([
    ['listeners=127.0.0.1:9092', 'Unable to parse to a broker endpoint'],
    ['listeners=://a:1', 'Unable to parse'],
    ['listeners=PLAINTEXT://a:70000', 'Unable to parse'],
    ['listeners=PLAINTEXT://a:1,plaintext://b:2', 'different name'],
    ['listeners=PLAINTEXT://a:1,SSL://a:1', 'different port'],
    ['listeners=X://a:1', 'No security protocol defined for listener X; add X:PLAINTEXT to it'],
    ['listener.security.protocol.map=A:B', 'use one of PLAINTEXT'],
    ['advertised.listeners=PLAINTEXT://0.0.0.0:1', 'nonroutable meta-address 0.0.0.0'],
    ['advertised.listeners=SSL://a:1', 'which is no listener'],
    ['inter.broker.listener.name=X', 'X is no broker listener'],
    ['listeners=', 'listeners'],
    ['millrace.http.listeners=https://a:1', 'is not http://host:port'],
  ])('refuse %s', async (text, words) => {
    expect(await refusal(text)).toContain(words)
  })
})

describe('directories', () => {
  it('are log.dirs, else log.dir, else beside the hub', async () => {
    expect((await configOf('log.dirs=/a, /b\nlog.dir=/c')).logDirs).toEqual(['/a', '/b'])
    expect((await configOf('log.dir=/c')).logDirs).toEqual(['/c'])
    expect((await configOf('log.dirs=/a\nmetadata.log.dir=/m')).metadataLogDir).toBe('/m')
    expect(await configOf('log.dirs=memory:')).toMatchObject({ isInMemory: true })
    expect(await refusal('log.dirs=memory:,/a')).toContain('memory: stands alone')
    expect(await refusal('log.dirs=')).toContain('must not be empty')
  })
})

describe('relations between keys', () => {
  it('are checked', async () => {
    expect(await refusal('group.min.session.timeout.ms=10\ngroup.max.session.timeout.ms=9')).toContain('group.max.session.timeout.ms=9')
    expect(await refusal('queued.max.request.bytes=5')).toContain('socket.request.max.bytes=104857600')
  })
})

describe('a topic', () => {
  const none: ReadonlyMap<string, string> = new Map()

  it('has the defaults of Kafka', async () => {
    const topic = resolveTopicConfig(none, (await configOf('')).broker)
    expect(topic).toMatchObject({
      segmentBytes: 1_073_741_824,
      segmentMs: 604_800_000,
      retentionMs: 604_800_000,
      retentionBytes: -1,
      maxMessageBytes: 1_048_588,
      compressionType: 'producer',
      messageTimestampType: 'CreateTime',
      messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
      flushMessages: Number.MAX_SAFE_INTEGER,
      flushMs: Number.MAX_SAFE_INTEGER,
      minInsyncReplicas: 1,
    })
    expect([...topic.cleanupPolicies]).toEqual(['delete'])
  })

  it('takes its own settings, else those of the broker under the strongest name', async () => {
    const { broker } = await configOf(
      'log.retention.hours=1\nlog.retention.minutes=2\nlog.roll.hours=3\nlog.cleanup.policy=compact,delete\nlog.segment.bytes=2097152',
    )
    const topic = resolveTopicConfig(new Map([['segment.bytes', ' 1048576 ']]), broker)
    expect(topic).toMatchObject({ retentionMs: 120_000, segmentMs: 10_800_000, segmentBytes: 1_048_576 })
    expect([...topic.cleanupPolicies]).toEqual(['compact', 'delete'])
    expect(resolveTopicConfig(none, (await configOf('log.retention.ms=-1\nlog.retention.hours=1')).broker).retentionMs).toBe(-1)
    expect(resolveTopicConfig(none, (await configOf('log.retention.hours=-1')).broker).retentionMs).toBe(-1)
  })
})

describe('secrets', () => {
  const files = { readFile: () => Promise.resolve(Buffer.from('password=hunter2secret\n')) }
  const refused = (text: string): Promise<unknown> =>
    loadHubConfig({ file: { path: 'hub.properties', text }, files }).catch((thrown: unknown) => thrown)

  it.each([['num.io.threads'], ['listeners'], ['advertised.listeners'], ['authorizer.class.name'], ['millrace.http.listeners']])(
    'of a provider are not told when %s is refused',
    async (key) => {
      const error = await refused(`${key}=\${file:/run/secrets.properties:password}`)
      expect(error).toBeInstanceOf(ConfigError)
      expect((error as Error).message).toContain('[hidden]')
      expect((error as Error).message).not.toContain('hunter2')
    },
  )

  it('are handed out for the log, and a variable that nobody knows is warned of', async () => {
    const { secrets, warnings } = await loadHubConfig({
      file: { path: 'hub.properties', text: 'broker.rack=${file:/run/secrets.properties:password}\nmetrics.context.a=${vault:x:y}' },
      files,
    })
    expect(secrets).toContain('hunter2secret')
    expect(warnings.join()).toContain('${vault:x:y}')
  })
})
