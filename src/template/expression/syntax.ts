// What an expression is once it is parsed. `at` is a place in its text.

export type BinaryOperator =
  | '??'
  | '||'
  | '&&'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'

export type Syntax =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'member'; readonly of: Syntax; readonly key: Syntax; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Syntax[]; readonly at: number }
  | {
      readonly kind: 'object'
      readonly entries: readonly { readonly key: string; readonly value: Syntax }[]
      readonly at: number
    }
  | { readonly kind: 'unary'; readonly operator: '!' | '-'; readonly of: Syntax; readonly at: number }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Syntax
      readonly right: Syntax
      readonly at: number
    }
  | {
      readonly kind: 'choice'
      readonly if: Syntax
      readonly then: Syntax
      readonly else: Syntax
      readonly at: number
    }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Syntax[]; readonly at: number }

/** How strongly operators bind, weakest first; those of one line from left to right. */
export const operatorLevels: readonly (readonly BinaryOperator[])[] = [
  ['??'],
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '<=', '>', '>=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]

/** What an expression may begin with. */
export const roots = ['input', 'steps', 'errors', 'item', 'index', 'output', 'config', 'run'] as const

/** The parts of a node, from left to right. */
export function partsOf(node: Syntax): readonly Syntax[] {
  switch (node.kind) {
    case 'literal':
    case 'name':
      return []
    case 'member':
      return [node.of, node.key]
    case 'list':
      return node.items
    case 'object':
      return node.entries.map(({ value }) => value)
    case 'unary':
      return [node.of]
    case 'binary':
      return [node.left, node.right]
    case 'choice':
      return [node.if, node.then, node.else]
    case 'call':
      return node.arguments
  }
}
