// Works out the value of parsed syntax in a scope.
import { isTroupeError } from '../../lib/errors.ts'
import type { Scope } from '../model/template.ts'
import { Fault, type Budget } from './budget.ts'
import { expressionFailed } from './errors.ts'
import { contains, finite, functions } from './functions.ts'
import type { BinaryOperator, Syntax } from './syntax.ts'
import { inText, isEqual, isTruthy, kindOf, memberOf, order } from './values.ts'

export interface Evaluation {
  readonly text: string
  readonly scope: Scope
  readonly budget: Budget
}

/** Throws `expression_failed`, with the expression and the place in it. */
export function evaluate(syntax: Syntax, evaluation: Evaluation): unknown {
  try {
    evaluation.budget.spend(1)
    return valueOf(syntax, evaluation)
  } catch (error) {
    // The innermost place is the right one.
    if (!(error instanceof Fault) || isTroupeError(error)) throw error
    throw expressionFailed({ text: evaluation.text, at: syntax.at }, error.why)
  }
}

function valueOf(syntax: Syntax, evaluation: Evaluation): unknown {
  const of = (part: Syntax): unknown => evaluate(part, evaluation)
  switch (syntax.kind) {
    case 'literal':
      return syntax.value
    case 'name':
      return evaluation.scope[syntax.name as keyof Scope] ?? null
    case 'member':
      return memberOf(of(syntax.of), of(syntax.key))
    case 'list':
      return syntax.items.map(of)
    case 'object':
      return Object.fromEntries(syntax.entries.map(({ key, value }) => [key, of(value)]))
    case 'unary':
      return syntax.operator === '!' ? !isTruthy(of(syntax.of)) : -asNumber('-', of(syntax.of))
    case 'choice':
      return of(isTruthy(of(syntax.if)) ? syntax.then : syntax.else)
    case 'binary':
      return binary(syntax, evaluation)
    case 'call':
      return functions.get(syntax.name)?.call(syntax.arguments.map(of), evaluation.budget) ?? null
  }
}

function binary(syntax: Syntax & { kind: 'binary' }, evaluation: Evaluation): unknown {
  const left = evaluate(syntax.left, evaluation)
  const right = (): unknown => evaluate(syntax.right, evaluation)
  switch (syntax.operator) {
    case '&&':
      return isTruthy(left) ? right() : left
    case '||':
      return isTruthy(left) ? left : right()
    case '??':
      return left ?? right()
    default:
      return combined(syntax.operator, [left, right()], evaluation.budget)
  }
}

type Strict = Exclude<BinaryOperator, '&&' | '||' | '??'>

function combined(operator: Strict, [left, right]: readonly [unknown, unknown], budget: Budget): unknown {
  switch (operator) {
    case '==':
      return isEqual(left, right, budget)
    case '!=':
      return !isEqual(left, right, budget)
    case '<':
      return order(left, right) < 0
    case '<=':
      return order(left, right) <= 0
    case '>':
      return order(left, right) > 0
    case '>=':
      return order(left, right) >= 0
    case 'in':
      return contains(right, left, budget)
    case '+':
      return added(left, right, budget)
    default:
      return finite(calculated(operator, asNumber(operator, left), asNumber(operator, right)))
  }
}

function added(left: unknown, right: unknown, budget: Budget): unknown {
  if (typeof left !== 'string' && typeof right !== 'string')
    return finite(asNumber('+', left, 'numbers or a text') + asNumber('+', right, 'numbers or a text'))
  const [before, after] = [inText(left, budget), inText(right, budget)]
  budget.spendText(before.length + after.length)
  return before + after
}

function calculated(operator: '-' | '*' | '/' | '%', left: number, right: number): number {
  if (operator === '-') return left - right
  if (operator === '*') return left * right
  if (right === 0) throw new Fault('It is divided by 0.')
  return operator === '/' ? left / right : left % right
}

function asNumber(operator: string, value: unknown, wanted = 'numbers'): number {
  if (typeof value === 'number') return value
  throw new Fault(`'${operator}' takes ${wanted}; ${kindOf(value)} is given.`)
}
