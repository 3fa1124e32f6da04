/**
 * @module observe/log-levels — loggers by name, and the levels that hold for them while the hub runs (KIP-412).
 *
 * Names are dotted; a logger without a level of its own has that of the nearest one above it, in the end that of `root`. Levels have
 * Kafka's words: TRACE lets through what DEBUG does, FATAL nothing that the hub says.
 */

/** From the rarest to the most talkative. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Kafka's words (LogLevelConfig), from the most talkative to the rarest. */
export const levelWords = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const
export type LevelWord = (typeof levelWords)[number]

/** The logger above all others, which always has a level. */
export const ROOT_LOGGER = 'root'

const WORDS: Readonly<Record<LogLevel, LevelWord>> = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' }

function rankOf(word: LevelWord): number {
  return levelWords.indexOf(word)
}

/** One logger's gate, asked at each call. */
export interface LogGate {
  readonly name: string
  isEnabled(level: LogLevel): boolean
}

class Gate implements LogGate {
  readonly name: string
  /** Set for it, undefined where it follows another. */
  own: LevelWord | undefined
  inForce: LevelWord = 'INFO'

  constructor(name: string) {
    this.name = name
  }

  isEnabled(level: LogLevel): boolean {
    return rankOf(WORDS[level]) >= rankOf(this.inForce)
  }
}

/** All loggers of a hub. */
export class LogLevels {
  readonly #gates = new Map<string, Gate>()

  constructor(rootLevel: LogLevel) {
    this.of(ROOT_LOGGER).own = WORDS[rootLevel]
    this.#settle()
  }

  /** The logger of that name, made when it is asked for first. */
  of(name: string): Gate {
    let gate = this.#gates.get(name)
    if (gate === undefined) {
      gate = new Gate(name)
      this.#gates.set(name, gate)
      this.#settle()
    }
    return gate
  }

  has(name: string): boolean {
    return this.#gates.has(name)
  }

  /** Each logger with the level in force. */
  *all(): Iterable<readonly [name: string, level: LevelWord]> {
    for (const { name, inForce } of this.#gates.values()) yield [name, inForce]
  }

  /** Sets a level; a name that no logger has changes nothing. */
  set(name: string, level: LevelWord): void {
    const gate = this.#gates.get(name)
    if (gate === undefined) return
    gate.own = level
    this.#settle()
  }

  /** The logger follows those above it again; `root` keeps its level. */
  unset(name: string): void {
    const gate = this.#gates.get(name)
    if (gate === undefined || name === ROOT_LOGGER) return
    gate.own = undefined
    this.#settle()
  }

  #settle(): void {
    for (const gate of this.#gates.values()) gate.inForce = this.#levelOf(gate.name)
  }

  #levelOf(name: string): LevelWord {
    for (let above = name; above !== ''; above = above.slice(0, Math.max(0, above.lastIndexOf('.')))) {
      const own = this.#gates.get(above)?.own
      if (own !== undefined) return own
    }
    return this.#gates.get(ROOT_LOGGER)?.own ?? 'INFO'
  }
}
