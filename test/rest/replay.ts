/** @module test/rest/replay — recorded REST conversations: their steps, how one is asked over HTTP, and where an answer is not the recorded one. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** One request with its recorded answer (golden notation). */
export interface Step {
  readonly note?: string
  readonly method: string
  readonly path: string
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly body?: Json
  readonly bodyText?: string
  /** Asked again until this answer came. */
  readonly eventually?: boolean
  readonly status: number
  readonly responseHeaders: Readonly<Record<string, string>>
  readonly responseBody?: Json
  readonly responseText?: string
  readonly empty?: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** What a comparison passes over. */
export interface Leniency {
  /** Plugins that are not here: they are missing in lists and recommendations. */
  readonly absentClasses: ReadonlySet<string>
  /** Plugins that only we bring along. */
  readonly additionalClasses: ReadonlySet<string>
}

/** The steps of a conversation; the recorded worker's address becomes `authority`. */
export function stepsOf(name: string, authority: string): readonly Step[] {
  const text = readFileSync(new URL(`../golden/connect/rest/${name}.json`, import.meta.url), 'utf8')
  return (JSON.parse(text.replaceAll('127.0.0.1:8083', authority)) as { readonly steps: readonly Step[] }).steps
}

/** Asks as the recorder did: a body is JSON unless the headers say otherwise. */
export function ask(port: number, step: Step): Promise<Answer> {
  const body = step.bodyText ?? (step.body === undefined ? undefined : JSON.stringify(step.body))
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const headers = { ...type, ...lowerNames(step.requestHeaders ?? {}) }
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: step.method, path: step.path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function lowerNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Where the answer is not the recorded one; empty when it is. */
export function mismatches(step: Step, answer: Answer, leniency: Leniency): readonly string[] {
  if (answer.status !== step.status) return [`status ${answer.status}, not ${step.status}: ${answer.text.slice(0, 300)}`]
  const headers = Object.entries(step.responseHeaders).flatMap(([name, value]) => {
    const given = String(answer.headers[name] ?? '')
    return given.split(';', 1)[0] === value.split(';', 1)[0] ? [] : [`header ${name}: ${given}, not ${value}`]
  })
  if (step.empty === true) return answer.text === '' ? headers : [...headers, `a body: ${answer.text.slice(0, 100)}`]
  if (step.responseText !== undefined) return [...headers, ...compare(step.responseText, answer.text, 'text', leniency)]
  const given = parsed(answer.text)
  // What a new connector was answered with holds the tasks that it had by then; the recorded worker never had any.
  const recorded =
    step.status === 201
      ? { ...(step.responseBody as object), tasks: (given as { readonly tasks?: Json }).tasks ?? null }
      : step.responseBody
  return [...headers, ...compare((recorded ?? null) as Json, given, '', leniency)]
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** `<any>` in a recorded text stands for whatever comes; names in lists have no order; a trace is its first line. */
export function compare(recorded: Json, actual: Json, path: string, leniency: Leniency): readonly string[] {
  const differs = (): readonly string[] => [
    `${path}: ${JSON.stringify(actual)?.slice(0, 200)}, not ${JSON.stringify(recorded).slice(0, 200)}`,
  ]
  if (typeof recorded === 'string') {
    if (recorded === '<any>' && actual !== null) return []
    const pattern = recorded.split('<any>').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    const text = path.endsWith('.trace') && typeof actual === 'string' ? actual.split('\n')[0] : actual
    return typeof text === 'string' && new RegExp(`^${pattern.join('.*')}$`, 's').test(text) ? [] : differs()
  }
  if (Array.isArray(recorded)) return Array.isArray(actual) ? compareLists(recorded, actual, path, leniency) : differs()
  if (typeof recorded !== 'object' || recorded === null) return recorded === actual ? [] : differs()
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return differs()
  const [mine, theirs] = [recorded as Readonly<Record<string, Json>>, actual as Readonly<Record<string, Json>>]
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)])
  return [...names].flatMap((name) => {
    // The words of documentation are ours; a task that may have failed may say why.
    if (name === 'documentation' || (name === 'trace' && mine['state'] === '<any>')) return []
    const place = `${path}.${name}`
    if (!(name in mine)) return [`${place}: unexpected`]
    return name in theirs ? compare(mine[name] ?? null, theirs[name] ?? null, place, leniency) : [`${place}: missing`]
  })
}

function compareLists(recorded: readonly Json[], actual: readonly Json[], path: string, leniency: Leniency): readonly string[] {
  const mine = recorded.filter((element) => !leniency.absentClasses.has(nameOf(element) ?? ''))
  const theirs = actual.filter((element) => !leniency.additionalClasses.has(nameOf(element) ?? ''))
  if (mine.length !== theirs.length) {
    const [mineNames, theirNames] = [mine, theirs].map((list) => list.map((element) => nameOf(element) ?? JSON.stringify(element)))
    return [`${path}: ${theirNames?.join(' ').slice(0, 300)}, not ${mineNames?.join(' ').slice(0, 300)}`]
  }
  // What has a name is compared by it; tasks stand in their order.
  const isNamed = mine.every((element) => nameOf(element) !== undefined)
  const byName = (list: readonly Json[]): readonly Json[] =>
    isNamed ? list.toSorted((one, other) => (key(one) < key(other) ? -1 : 1)) : list
  const [ordered, given] = [byName(mine), byName(theirs)]
  return ordered.flatMap((element, at) => compare(element, given[at] ?? null, `${path}.${isNamed ? key(element) : at}`, leniency))
}

/** A name in a list, a plugin's class, a key's name. */
function nameOf(element: Json): string | undefined {
  if (typeof element === 'string') return element
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return undefined
  const {
    class: className,
    name,
    value,
  } = element as { readonly class?: string; readonly name?: string; readonly value?: { readonly name?: string } }
  return className ?? name ?? value?.name
}

function key(element: Json): string {
  const { type } = (element ?? {}) as { readonly type?: string }
  return `${nameOf(element)}${typeof type === 'string' ? ` ${type}` : ''}`
}
