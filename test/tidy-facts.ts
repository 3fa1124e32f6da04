/** @module test/tidy-facts — what the tidy test wants to know of one source file, read with oxc-parser (TypeScript 7 has no API). */
import { parseSync } from 'oxc-parser'

export interface Facts {
  readonly lineCount: number
  readonly imports: readonly { readonly specifier: string }[]
  /** Own lines of each function: nested functions are counted on their own. */
  readonly functions: readonly { readonly name: string; readonly lineCount: number }[]
  /** Uses of a hidden clock, timer or chance, as `line: text`. */
  readonly worldUses: readonly string[]
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const bannedCalls = new Set(['setTimeout', 'setInterval', 'setImmediate'])
const bannedMembers = new Set([
  'Date.now',
  'performance.now',
  'Math.random',
  'crypto.randomBytes',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'process.hrtime',
])
const bannedImports = new Set([
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFillSync',
  'randomFill',
  'getRandomValues',
  'setTimeout',
  'setInterval',
  'setImmediate',
])

/** Parses one file and gathers its facts. Throws when the file does not parse. */
export function factsOf(path: string, text: string): Facts {
  const { program, module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const lineStarts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1)
  const lineOf = (offset: number): number => {
    let low = 0
    let high = lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
  const functions: { name: string; lineCount: number }[] = []
  const worldUses: string[] = []
  const report = (node: Node): void => {
    worldUses.push(`${lineOf(node.start)}: ${text.slice(node.start, node.end).slice(0, 60)}`)
  }
  /** Returns the lines taken by functions inside the node. */
  const walk = (node: Node, name: string): number => {
    inspect(node, report)
    let nestedLines = 0
    for (const [key, value] of Object.entries(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) nestedLines += walk(child, nameFor(node, key, child) ?? name)
      }
    }
    if (!functionTypes.has(node.type)) return nestedLines
    const ownLines = lineOf(node.end) - lineOf(node.start) + 1
    functions.push({ name, lineCount: ownLines - nestedLines })
    return ownLines
  }
  walk(program as unknown as Node, 'module')
  const imports = [
    ...module.staticImports.map((entry) => ({ specifier: entry.moduleRequest.value })),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((part) => (part.moduleRequest ? [{ specifier: part.moduleRequest.value }] : [])),
    ),
    ...module.dynamicImports.flatMap((entry) => {
      const literal = /^['"](.*)['"]$/.exec(text.slice(entry.moduleRequest.start, entry.moduleRequest.end))
      return literal?.[1] === undefined ? [] : [{ specifier: literal[1] }]
    }),
  ]
  return { lineCount: text.endsWith('\n') ? lineStarts.length - 1 : lineStarts.length, imports, functions, worldUses }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** A function is named by what declares it: its id, the variable, property or method that holds it. */
function nameFor(parent: Node, key: string, child: Node): string | undefined {
  const own = child['id']
  if (isNode(own) && typeof own['name'] === 'string') return own['name']
  if (key !== 'init' && key !== 'value' && key !== 'right') return undefined
  const holder = parent['id'] ?? parent['key'] ?? parent['left']
  return isNode(holder) && typeof holder['name'] === 'string' ? holder['name'] : undefined
}

function inspect(node: Node, report: (node: Node) => void): void {
  if (node.type === 'CallExpression') {
    const callee = node['callee']
    if (isNode(callee) && callee.type === 'Identifier' && bannedCalls.has(String(callee['name']))) report(node)
  }
  if (node.type === 'MemberExpression') {
    const [object, property] = [node['object'], node['property']]
    if (isNode(object) && isNode(property) && bannedMembers.has(`${String(object['name'])}.${String(property['name'])}`)) report(node)
  }
  if (node.type === 'NewExpression') {
    const callee = node['callee']
    const argumentsList = node['arguments']
    if (isNode(callee) && callee['name'] === 'Date' && Array.isArray(argumentsList) && argumentsList.length === 0) report(node)
  }
  if (node.type === 'ImportSpecifier') {
    const imported = node['imported']
    if (isNode(imported) && bannedImports.has(String(imported['name']))) report(node)
  }
}
