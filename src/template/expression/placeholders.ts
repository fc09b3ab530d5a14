// Trees of values with `${{ … }}` in their texts: one alone gives its value, one within a text is put in as text.
import { isTroupeError, type TroupeError } from '../../lib/errors.ts'
import type { Scope } from '../model/template.ts'
import { Budget, Fault } from './budget.ts'
import { expressionFailed, expressionInvalid } from './errors.ts'
import { Expression } from './expression.ts'
import { inText } from './values.ts'

/** A tree that is ready to be made. */
export type Prepared =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'expression'; readonly placeholder: Placeholder }
  | { readonly kind: 'text'; readonly text: string; readonly parts: readonly (string | Placeholder)[] }
  | { readonly kind: 'list'; readonly items: readonly Prepared[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Prepared])[] }

/** Where a text stands: under a key of an object or list. */
export interface Spot {
  readonly owner: object
  readonly key: string | number
}

export interface Placeholder {
  readonly expression: Expression
  /** Where its text begins in the text around it. */
  readonly start: number
  readonly spot: Spot
}

export interface Preparing {
  /** Is told what is wrong with a placeholder at a spot: an `expression_invalid`. */
  readonly onFault: (spot: Spot, error: TroupeError) => void
  /** Expressions by their texts. Measured: a large template holds the same few many times over. */
  readonly known?: Map<string, Expression>
}

export const opening = '${{'

export function hasPlaceholder(text: string): boolean {
  return text.includes(opening)
}

/** Of what is wrong `preparing` is told, and null stands in for it. */
export function prepare(tree: unknown, spot: Spot, preparing: Preparing): Prepared {
  if (typeof tree === 'string') return hasPlaceholder(tree) ? prepareText(tree, spot, preparing) : constant(tree)
  if (typeof tree !== 'object' || tree === null) return constant(tree)
  if (Array.isArray(tree))
    return { kind: 'list', items: tree.map((item, key) => prepare(item, { owner: tree, key }, preparing)) }
  const entries = Object.entries(tree).map(
    ([key, value]) => [key, prepare(value, { owner: tree, key }, preparing)] as const,
  )
  return { kind: 'object', entries }
}

function constant(value: unknown): Prepared {
  return { kind: 'constant', value }
}

function prepareText(text: string, spot: Spot, preparing: Preparing): Prepared {
  const parts: (string | Placeholder)[] = []
  let at = 0
  for (let start = text.indexOf(opening); start !== -1; start = text.indexOf(opening, at)) {
    if (start > at) parts.push(text.slice(at, start))
    // A lone quote is told by the parser, which shows it.
    const end = closingAfter(text, start + opening.length) ?? endWithoutTexts(text, start)
    if (end === undefined) {
      preparing.onFault(spot, expressionInvalid({ text, at: start }, "'${{' has no '}}' after it."))
      return constant(null)
    }
    const expression = parsed(text.slice(start + opening.length, end), spot, preparing)
    if (expression === undefined) return constant(null)
    parts.push({ expression, start: start + opening.length, spot })
    at = end + 2
  }
  if (at < text.length) parts.push(text.slice(at))
  const [placeholder, other] = parts.filter((part) => typeof part !== 'string' || part.trim() !== '')
  const isAlone = typeof placeholder === 'object' && other === undefined
  return isAlone ? { kind: 'expression', placeholder } : { kind: 'text', text, parts }
}

function parsed(text: string, spot: Spot, { onFault, known }: Preparing): Expression | undefined {
  const found = known?.get(text)
  if (found !== undefined) return found
  try {
    const expression = new Expression(text)
    known?.set(text, expression)
    return expression
  } catch (error) {
    if (!isTroupeError(error, 'expression_invalid')) throw error
    onFault(spot, error)
    return undefined
  }
}

/** A text that is one expression, with or without `${{ … }}` around it. */
export function prepareExpression(text: string, spot: Spot, preparing: Preparing): Prepared {
  if (!hasPlaceholder(text)) {
    const expression = parsed(text, spot, preparing)
    return expression === undefined
      ? constant(null)
      : { kind: 'expression', placeholder: { expression, start: 0, spot } }
  }
  const prepared = prepareText(text, spot, preparing)
  if (prepared.kind !== 'text') return prepared
  preparing.onFault(spot, expressionInvalid({ text, at: 0 }, 'One expression is wanted here, and nothing around it.'))
  return constant(null)
}

/** Where the `}}` stands that ends a placeholder: not in a text, not one that closes an object. */
export function closingAfter(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at]
    if (letter === '"' || letter === "'") at = endOfText(text, at) ?? text.length
    // A text within a text of JSON.
    else if (letter === '\\' && text[at + 1] === '"') at = endOfEscaped(text, at + 2)
    else if (letter === '{') depth += 1
    else if (letter === '}' && depth > 0) depth -= 1
    else if (letter === '}' && text[at + 1] === '}') return at
  }
  return undefined
}

function endWithoutTexts(text: string, start: number): number | undefined {
  const end = text.indexOf('}}', start)
  return end === -1 ? undefined : end
}

function endOfEscaped(text: string, start: number): number {
  const end = text.indexOf('\\"', start)
  return end === -1 ? text.length : end + 1
}

function endOfText(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === text[start]) return at
  }
  return undefined
}

/** The value of a tree in a scope, new each time. Throws `expression_failed`. */
export function make(prepared: Prepared, scope: Scope, budget = new Budget()): unknown {
  switch (prepared.kind) {
    case 'constant':
      return prepared.value
    case 'expression':
      return prepared.placeholder.expression.evaluate(scope, budget)
    case 'text':
      return madeText(prepared, scope, budget)
    case 'list':
      return prepared.items.map((item) => make(item, scope, budget))
    case 'object':
      return Object.fromEntries(prepared.entries.map(([key, value]) => [key, make(value, scope, budget)]))
  }
}

function madeText({ text, parts }: Prepared & { kind: 'text' }, scope: Scope, budget: Budget): string {
  let made = ''
  for (const part of parts) {
    const next = typeof part === 'string' ? part : textPart(part, scope, budget)
    try {
      budget.spendText(made.length + next.length)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw expressionFailed({ text: text.slice(0, 1_000), at: 0 }, error.why)
    }
    made += next
  }
  return made
}

function textPart({ expression }: Placeholder, scope: Scope, budget: Budget): string {
  const value = expression.evaluate(scope, budget)
  try {
    return inText(value, budget)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw expressionFailed({ text: expression.text, at: 0 }, error.why)
  }
}

/** All placeholders of a tree. */
export function placeholdersOf(prepared: Prepared): readonly Placeholder[] {
  switch (prepared.kind) {
    case 'constant':
      return []
    case 'expression':
      return [prepared.placeholder]
    case 'text':
      return prepared.parts.filter((part) => typeof part !== 'string')
    case 'list':
      return prepared.items.flatMap(placeholdersOf)
    case 'object':
      return prepared.entries.flatMap(([, value]) => placeholdersOf(value))
  }
}
