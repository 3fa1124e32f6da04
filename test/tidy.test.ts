/**
 * @module test/tidy — a test that reads the repository and fails on untidiness (design §3, style rule 1): layers, cycles, hidden worlds,
 * sizes as a ratchet, names, numbering, twins, and what may not stand in the repository at all.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Facts, factsOf } from './tidy-facts.ts'

const root = new URL('..', import.meta.url).pathname
const layers = JSON.parse(readFileSync(join(root, 'config/layers.json'), 'utf8')) as {
  rooms: Record<string, string[]>
  hiddenWorldAllowed: string[]
  knowsEveryRoom: string[]
  topLevel: string[]
  fileLinesMax: number
  functionLinesMax: number
}
/** Breaches that stood when a rule came; each may shrink, none may grow, no new one may come. */
const ratchet = JSON.parse(readFileSync(join(root, 'config/ratchet.json'), 'utf8')) as Record<string, number>

/** Every file of the repository that git would take, without what is deleted in the work tree. */
function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))
}

const files = repositoryFiles()
const sources = files.filter((path) => /^(hub|sdk|mirror|connectors|config|examples)\/.*\.ts$/.test(path))
const facts = new Map<string, Facts>(sources.map((path) => [path, factsOf(path, readFileSync(join(root, path), 'utf8'))]))

/** The room of a path: `hub/log/segment.ts` → `log`; files straight in hub have none. */
function roomOf(path: string): string | undefined {
  return /^hub\/([^/]+)\//.exec(path)?.[1]
}

/** Where an import leads inside the repository, or the bare specifier's package. */
function targetOf(path: string, specifier: string): { path?: string; packageName?: string } {
  if (specifier.startsWith('.')) return { path: relative(root, join(root, dirname(path), specifier)) }
  const [scopeOrName = '', rest] = specifier.split('/')
  return { packageName: specifier.startsWith('@') ? `${scopeOrName}/${rest}` : scopeOrName }
}

describe('layers', () => {
  it('rooms import leftwards only, through the other room’s index.ts', () => {
    const breaches: string[] = []
    for (const [path, { imports }] of facts) {
      const room = roomOf(path)
      if (room === undefined || room === 'bin') continue
      const allowed = layers.rooms[room]
      if (allowed === undefined) {
        breaches.push(`${path}: room ${room} is not in config/layers.json`)
        continue
      }
      for (const { specifier } of imports) {
        const target = targetOf(path, specifier)
        if (target.packageName === '@millrace/sdk' && !allowed.includes('sdk')) breaches.push(`${path} imports the sdk`)
        if (target.path === undefined) continue
        const targetRoom = roomOf(target.path)
        if (targetRoom === room) continue
        if (targetRoom === undefined || !allowed.includes(targetRoom)) breaches.push(`${path} imports ${target.path}`)
        else if (basename(target.path) !== 'index.ts') breaches.push(`${path} imports ${target.path}, not the room's index.ts`)
      }
    }
    expect(breaches).toEqual([])
  })

  it('only hub.ts and the entries next to it know every room', () => {
    const straight = sources.filter((path) => /^hub\/[^/]+\.ts$/.test(path))
    expect(straight.filter((path) => !layers.knowsEveryRoom.includes(path))).toEqual([])
  })

  it('sdk imports nothing, connectors import sdk and their own driver, mirror imports sdk and millrace/client', () => {
    const breaches: string[] = []
    for (const [path, { imports }] of facts) {
      const home = /^(sdk|mirror|connectors\/[^/]+)\//.exec(path)?.[1]
      if (home === undefined) continue
      for (const { specifier } of imports) {
        const target = targetOf(path, specifier)
        if (target.path !== undefined && !target.path.startsWith(`${home}/`)) breaches.push(`${path} imports ${target.path}`)
        if (home === 'sdk' && target.packageName !== undefined && !specifier.startsWith('node:'))
          breaches.push(`${path} imports ${specifier}`)
        if (home !== 'mirror' && target.packageName === 'millrace') breaches.push(`${path} imports ${specifier}`)
        if (home === 'mirror' && target.packageName === 'millrace' && specifier !== 'millrace/client')
          breaches.push(`${path} imports ${specifier}`)
      }
    }
    expect(breaches).toEqual([])
  })

  it('no imports in a circle, types included', () => {
    const cycles: string[] = []
    const done = new Set<string>()
    const trail: string[] = []
    const visit = (path: string): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
        return
      }
      if (done.has(path)) return
      trail.push(path)
      for (const { specifier } of facts.get(path)?.imports ?? []) {
        const target = targetOf(path, specifier).path
        if (target !== undefined && facts.has(target)) visit(target)
      }
      trail.pop()
      done.add(path)
    }
    for (const path of sources) visit(path)
    expect(cycles).toEqual([])
  })
})

describe('hidden world', () => {
  it('no clock, chance, disk or net outside hub/io and the process entries', () => {
    const bannedModules = /^(node:)?(fs|fs\/promises|net|tls|dgram|http|https|http2|timers|timers\/promises|child_process|cluster)$/
    const breaches: string[] = []
    for (const [path, { imports, worldUses }] of facts) {
      if (!path.startsWith('hub/') || layers.hiddenWorldAllowed.some((allowed) => path.startsWith(allowed))) continue
      for (const { specifier } of imports) if (bannedModules.test(specifier)) breaches.push(`${path} imports ${specifier}`)
      for (const use of worldUses) breaches.push(`${path}: ${use}`)
    }
    expect(breaches).toEqual([])
  })

  it('every port has a Node side, a twin in memory, and a contract suite that both run', () => {
    for (const port of ['clock', 'random', 'disk', 'net']) {
      expect(existsSync(join(root, `hub/io/node-${port}.ts`)), `hub/io/node-${port}.ts`).toBe(true)
      const twin = [`hub/io/memory-${port}.ts`, `hub/io/seeded-${port}.ts`].find((path) => existsSync(join(root, path)))
      expect(twin, `a twin in memory of ${port}`).toBeDefined()
      const contract = files.find((path) => path.startsWith(`test/io/${port}-contract`))
      expect(contract, `test/io/${port}-contract*`).toBeDefined()
    }
  })
})

describe('sizes', () => {
  it('files and functions stay under their walls, or under what the ratchet holds', () => {
    const breaches: string[] = []
    const standing = new Set<string>()
    const judge = (key: string, lineCount: number, wall: number): void => {
      if (lineCount <= wall) return
      standing.add(key)
      if (lineCount > (ratchet[key] ?? wall)) breaches.push(`${key}: ${lineCount} lines, at most ${ratchet[key] ?? wall}`)
    }
    for (const [path, { lineCount, functions }] of facts) {
      judge(path, lineCount, layers.fileLinesMax)
      for (const fn of functions) judge(`${path}#${fn.name}`, fn.lineCount, layers.functionLinesMax)
    }
    const stale = Object.keys(ratchet).filter((key) => !standing.has(key))
    expect({ breaches, stale }).toEqual({ breaches: [], stale: [] })
  })
})

describe('names and numbers', () => {
  it('no drawer for everything', () => {
    // Recordings keep the names that they were recorded under.
    const ours = files.filter((path) => !path.startsWith('test/golden/'))
    const drawers = ours.filter((path) => path.split(/[/.-]/).some((word) => /^(utils?|commons?|helpers?|managers?|misc)$/i.test(word)))
    expect(drawers).toEqual([])
  })

  it('a handler has the number and name of its message', () => {
    const handlers = readdirSync(join(root, 'hub/api')).filter((name) => /^\d+-/.test(name))
    expect(handlers.length).toBeGreaterThan(20)
    expect(handlers.filter((name) => !existsSync(join(root, 'hub/wire/messages', name)))).toEqual([])
  })

  it('tests mirror the tree', () => {
    const rooms = Object.keys(layers.rooms)
    const places = new Set([
      ...rooms,
      'hub',
      'sdk',
      'connectors',
      'mirror',
      'contract',
      'sim',
      'golden',
      'interop',
      'e2e',
      'bench',
      'examples',
    ])
    const strays = readdirSync(join(root, 'test'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !places.has(entry.name))
      .map((entry) => entry.name)
    expect(strays).toEqual([])
  })
})

describe('what may not stand here', () => {
  it('the top level holds what the design names and nothing else', () => {
    const top = new Set(files.map((path) => path.split('/')[0] ?? ''))
    expect([...top].filter((name) => !layers.topLevel.includes(name))).toEqual([])
  })

  it('no promises for later, no skipped tests, no machine paths, no registry hosts', () => {
    const banned: readonly (readonly [RegExp, string])[] = [
      [/\b(TO[D]O|FIX[M]E|XX[X])\b/, 'a promise for later'],
      [/\b(it|test|describe)\.(only|skip|todo)\(/, 'a test that does not run'],
      [/(^|["'`\s(=])\/(work|root|home\/\w+)\//, 'an absolute path of a machine'],
      [/\bregistry\.npmjs\.org|\bpypi\.org|\brepo1?\.maven\b|\bproxy\.golang\.org/, 'a registry host'],
    ]
    const breaches: string[] = []
    for (const path of files) {
      if (
        path.startsWith('test/golden/') ||
        path === 'package-lock.json' ||
        !/\.(ts|js|json|md|ya?ml|properties|sh)$|^\.ci\/run$/.test(path)
      )
        continue
      const lines = readFileSync(join(root, path), 'utf8').split('\n')
      lines.forEach((line, index) => {
        for (const [pattern, what] of banned) if (pattern.test(line)) breaches.push(`${path}:${index + 1}: ${what}`)
      })
    }
    expect(breaches).toEqual([])
  })
})
