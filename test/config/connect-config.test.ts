import { describe, expect, it } from 'vitest'
import {
  ConfigError,
  type ConnectConfig,
  connectConfigOf,
  hubConnectDefaults,
  isSecretConnectKey,
  type LoadedConnectConfig,
  parseProperties,
} from '../../hub/config/index.ts'

const load = (text = '', defaults = hubConnectDefaults('127.0.0.1:9092')): LoadedConnectConfig =>
  connectConfigOf(parseProperties(text), defaults)
const configOf = (text: string): ConnectConfig => load(text).config

function refusal(text: string, defaults?: Readonly<Record<string, string>>): string {
  try {
    load(text, defaults)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error(`${text} was taken`)
}

/** What Apache Kafka 4.3 ships as config/connect-distributed.properties, without its comments. */
const STOCK = `
bootstrap.servers=localhost:9092
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
offset.flush.interval.ms=10000
`

describe("a hub's worker without settings", () => {
  it('is on loopback, on the hub itself, with JSON and topics of the usual names', () => {
    const { config, notices, warnings } = load()
    expect(config).toMatchObject({
      restListeners: [{ host: '127.0.0.1', port: 8083 }],
      advertised: { host: '127.0.0.1', port: 8083 },
      isolation: 'thread',
      pluginPaths: ['./millrace-plugins'],
      isPluginPathSet: false,
      storage: {
        config: { name: 'connect-configs', partitionCount: 1, replicationFactor: 3, isReplicationFactorSet: false, configs: {} },
        offset: { name: 'connect-offsets', partitionCount: 25 },
        status: { name: 'connect-status', partitionCount: 5 },
      },
      secrets: [],
    })
    expect(config.text).toEqual(hubConnectDefaults('127.0.0.1:9092'))
    expect(config.worker['group.id']).toBe('connect-cluster')
    expect(config.worker['offset.flush.interval.ms']).toBe(60_000)
    expect([notices, warnings]).toEqual([[], []])
  })
})

describe("a worker's own file", () => {
  it("is Kafka's, unchanged", () => {
    const { config, notices, warnings } = load(STOCK, {})
    expect(config.text).toEqual(Object.fromEntries(parseProperties(STOCK)))
    expect(config.restListeners).toEqual([{ host: '', port: 8083 }])
    expect(config.advertised).toEqual({ host: null, port: 8083 })
    expect(config.pluginPaths).toEqual([])
    expect(config.storage.offset).toMatchObject({ replicationFactor: 1, isReplicationFactorSet: true })
    expect([notices, warnings]).toEqual([[], [expect.stringContaining('http://:8083 can be reached from other machines')]])
  })

  it('must name what has no default', () => {
    expect(refusal('', {})).toContain('bootstrap.servers')
    expect(refusal(STOCK.replace('group.id=connect-cluster', ''), {})).toBe(
      'group.id: Missing required configuration "group.id" which has no default value.; correct the value',
    )
  })
})

describe('addresses', () => {
  it.each([
    ['http://127.0.0.1:0', [{ host: '127.0.0.1', port: 0 }], { host: '127.0.0.1', port: null }],
    [
      'http://0.0.0.0:80,http://[::1]:81',
      [
        { host: '0.0.0.0', port: 80 },
        { host: '::1', port: 81 },
      ],
      { host: null, port: 80 },
    ],
    ['HTTP://localhost:8083/', [{ host: 'localhost', port: 8083 }], { host: 'localhost', port: 8083 }],
  ])('%s are read', (text, restListeners, advertised) => {
    expect(configOf(`listeners=${text}`)).toMatchObject({ restListeners, advertised })
  })

  it('may be advertised otherwise', () => {
    const text = 'listeners=http://:0\nrest.advertised.host.name=worker-1\nrest.advertised.port=80'
    expect(configOf(text).advertised).toEqual({ host: 'worker-1', port: 80 })
  })

  it.each(['http://host', 'ftp://host:1', 'http://host:99999', 'host:8083', 'http://a b:1', ','])('%s is refused', (text) => {
    expect(refusal(`listeners=${text}`)).toMatch(/listeners/)
  })
})

describe('topics of the worker', () => {
  it('take settings of their own but for the policy', () => {
    const { config, warnings } = load(
      'offset.storage.min.insync.replicas=2\noffset.storage.cleanup.policy=delete\nstatus.storage.segment.bytes=1',
    )
    expect(config.storage.offset.configs).toEqual({ 'min.insync.replicas': '2' })
    expect(config.storage.status.configs).toEqual({ 'segment.bytes': '1' })
    expect(config.storage.config.configs).toEqual({})
    expect(warnings).toEqual(['offset.storage.cleanup.policy has no effect: the topic must be compacted'])
  })

  it('leave counts to the broker where they are -1', () => {
    const { storage } = configOf('offset.storage.partitions=-1\nstatus.storage.replication.factor=-1')
    expect(storage.offset.partitionCount).toBe(-1)
    expect(storage.status).toMatchObject({ replicationFactor: -1, isReplicationFactorSet: true })
  })
})

describe('what this version lacks', () => {
  it.each([
    ['exactly.once.source.support=enabled', 'no exactly-once'],
    ['exactly.once.source.support=Preparing', 'no exactly-once'],
    ['rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension', 'no REST extensions'],
    ['listeners=http://127.0.0.1:1,https://127.0.0.1:2', 'no HTTPS'],
    ['admin.listeners=https://127.0.0.1:2', 'no HTTPS'],
    ['rest.advertised.listener=https', 'no HTTPS'],
    ['security.protocol=SSL', 'PLAINTEXT to brokers only'],
    ['producer.security.protocol=SASL_SSL', 'PLAINTEXT to brokers only'],
    ['consumer.sasl.mechanism=PLAIN', 'no SASL'],
    ['admin.sasl.jaas.config=x', 'no SASL'],
    ['connector.client.config.override.policy=com.example.Mine', 'a policy that this version does not have'],
    ['millrace.tasks.isolation=process', 'must be one of'],
    ['config.providers.file.param.allowed.paths=/run/secrets', 'does not limit what config providers read'],
    ['config.providers.env.param.allowlist.pattern=DB_.*', 'does not limit what config providers read'],
    ['offset.storage.topic=x\nstatus.storage.topic=x', 'status.storage.topic names the same topic'],
  ])('%s is refused', (text, cause) => {
    expect(refusal(text)).toContain(cause)
  })

  it('is told in one notice where it does no harm', () => {
    const text =
      'worker.unsync.backoff.ms=1\nheartbeat.interval.ms=3000\nsecurity.protocol=plaintext\nssl.key.password=x\nproducer.interceptor.classes=a'
    expect(load(text).notices).toEqual([
      'these settings have no effect in this version: producer.interceptor.classes, ssl.key.password, worker.unsync.backoff.ms',
    ])
  })
})

describe('unknown keys', () => {
  it('of providers: their variables would go to connectors as they are', () => {
    const { warnings } = load('config.providers=vault,file\nconfig.providers.vault.class=com.example.VaultConfigProvider')
    expect(warnings).toEqual([expect.stringMatching(/^config\.providers: vault is no provider of this version/)])
  })

  it('are warned of, those of clients by the keys of that client', () => {
    const text = `ofset.flush.interval.ms=1
producer.linger.mss=2
consumer.max.poll.recods=3
admin.nonsense=4
key.converter.whatever=5
config.providers.file.class=6
offset.storage.whatever=7
connector.client.config.override.allowlist=8`
    expect(load(text).warnings).toEqual([
      'unknown setting ofset.flush.interval.ms; did you mean offset.flush.interval.ms?',
      'unknown setting producer.linger.mss; did you mean producer.linger.ms?',
      'unknown setting consumer.max.poll.recods; did you mean consumer.max.poll.records?',
      'unknown setting admin.nonsense',
    ])
  })
})

describe('policies for client overrides', () => {
  it('go by their short names or by their classes', () => {
    const key = 'connector.client.config.override.policy'
    for (const policy of ['All', 'Allowlist', 'org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy']) {
      expect(configOf(`${key}=${policy}`).worker[key]).toBe(policy)
    }
    expect(refusal(`${key}=none`)).toContain('use All, None, Principal or Allowlist')
  })
})

describe('secrets', () => {
  it('are passwords, and what is named like one', () => {
    const keys = ['ssl.key.password', 'producer.sasl.jaas.config', 'value.converter.basic.auth.password', 'group.id', 'producer.acks']
    expect(keys.map(isSecretConnectKey)).toEqual([true, true, true, false, false])
    expect(configOf('value.converter.api.token=s3cret\nssl.key.password=pass\nadmin.ssl.key.password=').secrets).toEqual(['s3cret', 'pass'])
  })
})
