/**
 * @module sdk/java-regex/match — a tree as a backtracking matcher: every node becomes a step that knows what follows it.
 *
 * The order of attempts, and so what groups hold, is Java's: groups keep what they held in the last round of a repetition, a reference to a
 * group that holds nothing fails, a round that takes nothing ends its repetition. What a failed attempt had captured is forgotten.
 */
import { folded } from './case-folding.ts'
import type { CodePointTest, Folding, ParsedPattern, PatternNode } from './tree.ts'

/** One search. */
export interface MatchState {
  readonly text: ArrayLike<number>
  /** Start and end of each group, −1 where it holds nothing; group 0 is set by whoever searches. */
  readonly groups: Int32Array
  /** Where groups that are still open began. */
  readonly opened: Int32Array
  /** Rounds done and the start of the running round, per repetition. */
  readonly rounds: Int32Array
  readonly roundStarts: Int32Array
  /** Where the last sub-match ended. */
  end: number
  /** Where a look-behind has to end. */
  behindEnd: number
  /** What may still be tried; at 0 the search is given up with {@link TooManySteps}. */
  stepsLeft: number
}

/** Tries to go on from `index`; true when all that follows matched. */
export type Step = (state: MatchState, index: number) => boolean

/** A search took more attempts than it may. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps'
}

/** A pattern ready to search. */
export interface Program {
  /** Must end where the text ends. */
  readonly whole: Step
  /** May end anywhere. */
  readonly part: Step
  readonly repeatCount: number
}

/** Compiles a parsed pattern. */
export function compileProgram(pattern: ParsedPattern): Program {
  const context: Context = { repeatCount: 0 }
  const part = compile(pattern.root, accept, context)
  const whole = compile(pattern.root, (state, index) => index === state.text.length && accept(state, index), context)
  return { part, whole, repeatCount: context.repeatCount }
}

interface Context {
  repeatCount: number
}

const accept: Step = (state, index) => {
  state.end = index
  return true
}

function spend(state: MatchState): void {
  if (--state.stepsLeft < 0) throw new TooManySteps()
}

function compile(node: PatternNode, next: Step, context: Context): Step {
  switch (node.kind) {
    case 'set':
      return one(node.test, next)
    case 'sequence':
      return node.nodes.reduceRight((following, element) => compile(element, following, context), next)
    case 'alternation':
      return either(node.branches.map((branch) => compile(branch, next, context)))
    case 'capture':
      return capture(node.group, node.body, next, context)
    case 'repeat':
      return repeat(node, next, context)
    case 'ahead':
      return ahead(compile(node.body, accept, context), node.negative, next)
    case 'behind':
      return behind(node, next, context)
    case 'atomic':
      return atomic(compile(node.body, accept, context), next)
    case 'reference':
      return reference(node.group, node.folding, next)
    case 'anchor':
      return (state, index) => node.test(state.text, index) && next(state, index)
    case 'lineBreak':
      return lineBreak(next)
  }
}

function one(test: CodePointTest, next: Step): Step {
  return (state, index) => {
    const codePoint = state.text[index]
    return codePoint !== undefined && test(codePoint) && next(state, index + 1)
  }
}

function either(branches: readonly Step[]): Step {
  return (state, index) => {
    spend(state)
    for (const branch of branches) if (branch(state, index)) return true
    return false
  }
}

function capture(group: number, body: PatternNode, next: Step, context: Context): Step {
  const close: Step = (state, index) => {
    const [from, to] = [state.groups[2 * group] ?? -1, state.groups[2 * group + 1] ?? -1]
    state.groups[2 * group] = state.opened[group] ?? -1
    state.groups[2 * group + 1] = index
    if (next(state, index)) return true
    state.groups[2 * group] = from
    state.groups[2 * group + 1] = to
    return false
  }
  const inner = compile(body, close, context)
  return (state, index) => {
    const before = state.opened[group] ?? -1
    state.opened[group] = index
    if (inner(state, index)) return true
    state.opened[group] = before
    return false
  }
}

type Repeat = Extract<PatternNode, { kind: 'repeat' }>

function repeat(node: Repeat, next: Step, context: Context): Step {
  const body = node.body.kind === 'sequence' && node.body.nodes.length === 1 ? (node.body.nodes[0] ?? node.body) : node.body
  if (body.kind === 'set') return repeatedSet(node, body.test, next)
  if (node.mode === 'possessive') return possessive(node, compile(body, accept, context), next)
  // Java's rounds don't go back into a body that has one way to match; `\R` is the one element with two that it counts among them.
  if (takesLineBreaksForGood(body, node.max)) return repeatedRounds(node, { kind: 'atomic', body }, next, context)
  return repeatedRounds(node, body, next, context)
}

function takesLineBreaksForGood(body: PatternNode, max: number): boolean {
  return body.kind === 'lineBreak' || (max !== 1 && hasLineBreak(body) && hasOneWay(body))
}

function hasLineBreak(node: PatternNode): boolean {
  if (node.kind === 'sequence') return node.nodes.some(hasLineBreak)
  return node.kind === 'lineBreak' || ('body' in node && hasLineBreak(node.body))
}

function hasOneWay(node: PatternNode): boolean {
  if (node.kind === 'sequence') return node.nodes.every(hasOneWay)
  if (node.kind === 'repeat') return node.min === node.max && hasOneWay(node.body)
  return node.kind !== 'alternation' && (!('body' in node) || hasOneWay(node.body))
}

/** The common case, without recursion: one code point at a time. */
function repeatedSet({ min, max, mode }: Repeat, test: CodePointTest, next: Step): Step {
  if (mode === 'lazy') {
    return (state, index) => {
      for (let count = 0; ; count++) {
        if (count >= min) {
          spend(state)
          if (next(state, index + count)) return true
        }
        const codePoint = state.text[index + count]
        if (count >= max || codePoint === undefined || !test(codePoint)) return false
      }
    }
  }
  return (state, index) => {
    let count = 0
    for (; count < max; count++) {
      const codePoint = state.text[index + count]
      if (codePoint === undefined || !test(codePoint)) break
    }
    // Long runs cost, too, though less than other attempts.
    state.stepsLeft -= count >> 3
    const least = mode === 'possessive' && count >= min ? count : min
    for (; count >= least; count--) {
      spend(state)
      if (next(state, index + count)) return true
    }
    return false
  }
}

/** Each round takes its first match for good. */
function possessive({ min, max }: Repeat, body: Step, next: Step): Step {
  return (state, index) =>
    keepingGroups(state, () => {
      let at = index
      for (let count = 0; count < max; count++) {
        spend(state)
        if (!body(state, at)) {
          if (count < min) return false
          break
        }
        if (state.end === at) break
        at = state.end
      }
      return next(state, at)
    })
}

function repeatedRounds({ min, max, mode }: Repeat, body: PatternNode, next: Step, context: Context): Step {
  const id = context.repeatCount++
  const round = (state: MatchState, index: number): boolean => {
    const [count, start] = [state.rounds[id] ?? 0, state.roundStarts[id] ?? -1]
    state.rounds[id] = count + 1
    state.roundStarts[id] = index
    if (inner(state, index)) return true
    state.rounds[id] = count
    state.roundStarts[id] = start
    return false
  }
  const again: Step = (state, index) => {
    spend(state)
    // A round that took nothing would come for ever.
    if (index === state.roundStarts[id]) return next(state, index)
    const count = state.rounds[id] ?? 0
    if (count < min) return round(state, index)
    if (mode === 'lazy') return next(state, index) || (count < max && round(state, index))
    return (count < max && round(state, index)) || next(state, index)
  }
  const inner = compile(body, again, context)
  return (state, index) => {
    const [count, start] = [state.rounds[id] ?? 0, state.roundStarts[id] ?? -1]
    state.rounds[id] = 0
    state.roundStarts[id] = -1
    if (again(state, index)) return true
    state.rounds[id] = count
    state.roundStarts[id] = start
    return false
  }
}

/** Runs an attempt that may set groups without undoing it; puts them back when it fails. */
function keepingGroups(state: MatchState, attempt: () => boolean): boolean {
  const before = state.groups.slice()
  if (attempt()) return true
  state.groups.set(before)
  return false
}

function ahead(body: Step, negative: boolean, next: Step): Step {
  if (!negative) return (state, index) => keepingGroups(state, () => body(state, index) && next(state, index))
  return (state, index) => !matchesAside(state, () => body(state, index)) && next(state, index)
}

/** Whether an attempt succeeds; what it captured is forgotten. */
function matchesAside(state: MatchState, attempt: () => boolean): boolean {
  const before = state.groups.slice()
  const matched = attempt()
  state.groups.set(before)
  return matched
}

function behind(node: Extract<PatternNode, { kind: 'behind' }>, next: Step, context: Context): Step {
  const { min, max } = node.length
  const body = compile(node.body, (state, index) => index === state.behindEnd, context)
  const found = (state: MatchState, index: number): boolean => {
    const outer = state.behindEnd
    state.behindEnd = index
    let matched = false
    for (let start = index - min; !matched && start >= 0 && start >= index - max; start--) {
      spend(state)
      matched = body(state, start)
    }
    state.behindEnd = outer
    return matched
  }
  if (node.negative) return (state, index) => !matchesAside(state, () => found(state, index)) && next(state, index)
  return (state, index) => keepingGroups(state, () => found(state, index) && next(state, index))
}

function atomic(body: Step, next: Step): Step {
  return (state, index) => keepingGroups(state, () => body(state, index) && next(state, state.end))
}

function reference(group: number, folding: Folding, next: Step): Step {
  return (state, index) => {
    const from = state.groups[2 * group] ?? -1
    if (from < 0) return false
    const length = (state.groups[2 * group + 1] ?? -1) - from
    if (index + length > state.text.length) return false
    for (let at = 0; at < length; at++) {
      if (folded(state.text[from + at] ?? -1, folding) !== folded(state.text[index + at] ?? -1, folding)) return false
    }
    return next(state, index + length)
  }
}

/** `\R`: a return with its newline, or one of them alone when the rest cannot match otherwise. */
function lineBreak(next: Step): Step {
  return (state, index) => {
    const codePoint = state.text[index]
    if (codePoint === 0x0d) {
      if (state.text[index + 1] === 0x0a && next(state, index + 2)) return true
      return next(state, index + 1)
    }
    const isBreak =
      codePoint !== undefined &&
      ((codePoint >= 0x0a && codePoint <= 0x0c) || codePoint === 0x85 || codePoint === 0x2028 || codePoint === 0x2029)
    return isBreak && next(state, index + 1)
  }
}
