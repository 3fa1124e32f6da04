/** @module config/listeners — `listeners`, `advertised.listeners`, `listener.security.protocol.map` and their rules. */
import { ConfigError } from './error.ts'

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** An address under a listener's name. */
export interface ListenerAddress {
  /** Upper case, as Kafka normalises it. */
  readonly name: string
  /** Without brackets; '' is every interface (or, advertised, this machine's name). */
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
}

/** Where to listen. */
export interface Listener extends ListenerAddress {
  readonly protocol: SecurityProtocol
  /** Serves the controller's APIs instead of the broker's. */
  readonly isController: boolean
}

export interface Listeners {
  /** Those of the broker and of the controller, in the file's order. */
  readonly listeners: readonly Listener[]
  /** What clients are told per broker listener; port 0 stands for the listener's actual port. */
  readonly advertised: readonly ListenerAddress[]
  readonly interBrokerListenerName: string
}

/** The parsed keys that listeners depend on. */
export interface ListenerSettings {
  readonly listeners: readonly string[]
  readonly 'advertised.listeners': readonly string[] | null
  readonly 'listener.security.protocol.map': string
  readonly 'controller.listener.names': readonly string[]
  readonly 'inter.broker.listener.name': string | null
  readonly 'security.inter.broker.protocol': string
}

const PROTOCOLS: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const ADDRESS = /^(?<name>[^:/]*):\/\/(?:\[(?<ipv6>[0-9a-zA-Z:%.]*)\]|(?<host>[0-9a-zA-Z\-%._]*)|(?<bare>[0-9a-fA-F:%]*)):(?<port>\d+)$/

/** Parses and checks all listener keys. `isMapSet`: whether the file sets the protocol map. @throws ConfigError naming the key */
export function resolveListeners(settings: ListenerSettings, isMapSet: boolean): Listeners {
  const controllerNames = new Set(settings['controller.listener.names'].map((name) => name.toUpperCase()))
  const protocols = protocolMap(settings['listener.security.protocol.map'])
  const protocolOf = (name: string): SecurityProtocol => {
    const protocol = protocols.get(name)
    if (protocol !== undefined) return protocol
    // Without a map of the file's own, controller listeners are plain (KIP-801).
    if (controllerNames.has(name) && !isMapSet) return 'PLAINTEXT'
    const cause = `No security protocol defined for listener ${name}`
    throw new ConfigError({ key: 'listener.security.protocol.map', cause, remedy: `add ${name}:PLAINTEXT to it` })
  }
  const listeners = settings.listeners.map((text): Listener => {
    const address = parseAddress('listeners', text)
    return { ...address, protocol: protocolOf(address.name), isController: controllerNames.has(address.name) }
  })
  checkDistinct('listeners', listeners, settings.listeners)
  const brokerListeners = listeners.filter(({ isController }) => !isController)
  // Since KIP-853 a file may advertise controller listeners too; clients of the broker are not told those.
  const advertised = advertisedOf(settings, listeners).filter(({ name }) => !controllerNames.has(name))
  return { listeners, advertised, interBrokerListenerName: interBrokerName(settings, brokerListeners) }
}

function parseAddress(key: string, text: string): ListenerAddress {
  const groups = ADDRESS.exec(text)?.groups
  const port = Number(groups?.['port'])
  if (groups === undefined || groups['name'] === '' || port > 65_535) {
    throw new ConfigError({ key, value: text, cause: 'Unable to parse to a broker endpoint', remedy: 'write NAME://host:port' })
  }
  return { name: (groups['name'] ?? '').toUpperCase(), host: groups['ipv6'] ?? groups['host'] ?? groups['bare'] ?? '', port }
}

function protocolMap(text: string): Map<string, SecurityProtocol> {
  const key = 'listener.security.protocol.map'
  const map = new Map<string, SecurityProtocol>()
  for (const pair of text.split(',').map((part) => part.trim())) {
    if (pair === '') continue
    const [name = '', protocol = '', more] = pair.split(':').map((part) => part.trim().toUpperCase())
    if (name === '' || more !== undefined || !PROTOCOLS.includes(protocol)) {
      throw new ConfigError({ key, value: pair, cause: 'is not NAME:PROTOCOL', remedy: `use one of ${PROTOCOLS.join(', ')}` })
    }
    map.set(name, protocol as SecurityProtocol)
  }
  return map
}

function checkDistinct(key: string, addresses: readonly ListenerAddress[], texts: readonly string[]): void {
  const names = addresses.map(({ name }) => name)
  if (new Set(names).size !== names.length) {
    throw new ConfigError({ key, value: texts.join(','), cause: 'Each listener must have a different name', remedy: 'rename one' })
  }
  if (key !== 'listeners') return
  for (const [index, { host, port }] of addresses.entries()) {
    const twin = addresses.slice(0, index).find((other) => port !== 0 && other.port === port)
    // One port may serve an IPv4 and an IPv6 address (KIP-797).
    if (twin !== undefined && (twin.host.includes(':') === host.includes(':') || twin.host === '' || host === '')) {
      throw new ConfigError({ key, value: texts.join(','), cause: 'Each listener must have a different port', remedy: 'change one' })
    }
  }
}

function advertisedOf(settings: ListenerSettings, listeners: readonly Listener[]): ListenerAddress[] {
  const key = 'advertised.listeners'
  const texts = settings[key]
  const advertised =
    texts === null ? listeners.map(({ name, host, port }) => ({ name, host, port })) : texts.map((text) => parseAddress(key, text))
  if (texts !== null) checkDistinct(key, advertised, texts)
  for (const { name, host } of advertised) {
    if (host === '0.0.0.0' || host === '::') {
      const cause = `advertised.listeners cannot use the nonroutable meta-address ${host}`
      throw new ConfigError({ key, value: `${name}://${host}`, cause, remedy: 'set advertised.listeners to an address that clients reach' })
    }
    if (!listeners.some((listener) => listener.name === name)) {
      const cause = `advertised.listeners names ${name}, which is no listener`
      throw new ConfigError({ key, cause, remedy: `listeners has ${listeners.map((listener) => listener.name).join(', ')}` })
    }
  }
  return advertised
}

function interBrokerName(settings: ListenerSettings, listeners: readonly Listener[]): string {
  const key = 'inter.broker.listener.name'
  const given = settings[key]?.toUpperCase()
  if (given === undefined) {
    const protocol = settings['security.inter.broker.protocol']
    return listeners.find((listener) => listener.protocol === protocol)?.name ?? listeners[0]?.name ?? protocol
  }
  if (!listeners.some(({ name }) => name === given)) {
    const cause = `${given} is no broker listener`
    throw new ConfigError({ key, cause, remedy: `name one of ${listeners.map(({ name }) => name).join(', ')}` })
  }
  return given
}
