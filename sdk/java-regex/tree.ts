/**
 * @module sdk/java-regex/tree — a parsed pattern. Texts are sequences of code points, as `java.util.regex` sees them.
 */

/** Whether a code point belongs to a set. */
export type CodePointTest = (codePoint: number) => boolean

/** A place between two code points: `index` of `text`, whose length is its end. */
export type AnchorTest = (text: ArrayLike<number>, index: number) => boolean

/** How code points compare: as they are, ASCII letters in either case, or by Unicode's simple mappings. */
export type Folding = 'none' | 'ascii' | 'unicode'

export type RepeatMode = 'greedy' | 'lazy' | 'possessive'

export type PatternNode =
  | { readonly kind: 'set'; readonly test: CodePointTest }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'alternation'; readonly branches: readonly PatternNode[] }
  | { readonly kind: 'capture'; readonly group: number; readonly body: PatternNode }
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly min: number; readonly max: number; readonly mode: RepeatMode }
  | { readonly kind: 'ahead'; readonly negative: boolean; readonly body: PatternNode }
  | { readonly kind: 'behind'; readonly negative: boolean; readonly body: PatternNode; readonly length: LengthRange }
  | { readonly kind: 'atomic'; readonly body: PatternNode }
  | { readonly kind: 'reference'; readonly group: number; readonly folding: Folding }
  | { readonly kind: 'anchor'; readonly test: AnchorTest }
  | { readonly kind: 'lineBreak' }

/** How many code points a node can take; `max` may be Infinity. */
export interface LengthRange {
  readonly min: number
  readonly max: number
}

/** What a pattern text says. */
export interface ParsedPattern {
  readonly root: PatternNode
  /** Capturing groups without group 0. */
  readonly groupCount: number
  readonly groupNumbers: ReadonlyMap<string, number>
}

/** Bounds for look-behind, which tries every start that can reach its place. */
export function lengthOf(node: PatternNode): LengthRange {
  switch (node.kind) {
    case 'set':
      return { min: 1, max: 1 }
    case 'lineBreak':
      return { min: 1, max: 2 }
    case 'sequence':
      return node.nodes.map(lengthOf).reduce((sum, one) => ({ min: sum.min + one.min, max: sum.max + one.max }), { min: 0, max: 0 })
    case 'alternation': {
      const lengths = node.branches.map(lengthOf)
      return { min: Math.min(...lengths.map((one) => one.min)), max: Math.max(...lengths.map((one) => one.max)) }
    }
    case 'repeat': {
      const body = lengthOf(node.body)
      return { min: body.min * node.min, max: body.max === 0 || node.max === 0 ? 0 : body.max * node.max }
    }
    case 'capture':
    case 'atomic':
      return lengthOf(node.body)
    case 'reference':
      return { min: 0, max: Infinity }
    case 'ahead':
    case 'behind':
    case 'anchor':
      return { min: 0, max: 0 }
  }
}
