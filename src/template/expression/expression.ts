// An expression: parsed once, evaluated often. Read syntax.ts for what there is, then parse.ts and evaluate.ts.
import type { Scope } from '../model/template.ts'
import { Budget } from './budget.ts'
import { evaluate } from './evaluate.ts'
import { parse } from './parse.ts'
import { referencesOf, type References } from './references.ts'
import type { Syntax } from './syntax.ts'

export class Expression {
  readonly text: string
  readonly syntax: Syntax
  readonly references: References

  /** Throws `expression_invalid`. */
  constructor(text: string) {
    this.text = text
    this.syntax = parse(text)
    this.references = referencesOf(this.syntax)
  }

  /** Throws `expression_failed`. Several values that are made for one thing share a budget. */
  evaluate(scope: Scope, budget = new Budget()): unknown {
    return evaluate(this.syntax, { text: this.text, scope, budget })
  }
}
