// Turns the text of an expression into syntax, by the binding power of operators.
import { meantText } from '../../lib/nearest.ts'
import { expressionInvalid } from './errors.ts'
import { functionNames, functions } from './functions.ts'
import { operatorLevels, roots, type BinaryOperator, type Syntax } from './syntax.ts'
import { tokensOf, type Token } from './tokens.ts'

// Invariant: I15. Whoever walks over syntax recurses.
const deepest = 100

const powers: ReadonlyMap<string, number> = new Map(
  operatorLevels.flatMap((level, power) => level.map((operator) => [operator, power + 1] as const)),
)

/** Throws `expression_invalid`. */
export function parse(text: string): Syntax {
  return new Parser(text).whole()
}

class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text)
  }

  whole(): Syntax {
    if (this.#token.kind === 'end') throw this.#wrong('An expression is missing here.')
    const syntax = this.#expression()
    if (this.#next < this.#tokens.length - 1)
      throw this.#wrong(`${this.#shown()} does not belong here.${this.#advice()}`)
    return syntax
  }

  #expression(): Syntax {
    this.#depth += 1
    if (this.#depth > deepest) throw this.#wrong(`More than ${deepest} levels deep.`)
    const condition = this.#operators(1)
    const { at } = this.#token
    let syntax = condition
    if (this.#takes('?')) {
      const then = this.#expression()
      this.#expect(':', "a ':' and what holds otherwise")
      syntax = { kind: 'choice', if: condition, then, else: this.#expression(), at }
    }
    this.#depth -= 1
    return syntax
  }

  /** Operators that bind at least as strongly as `least`. */
  #operators(least: number): Syntax {
    let left = this.#prefixed()
    for (;;) {
      const { text, at, kind } = this.#token
      const power = kind === 'sign' || (kind === 'name' && text === 'in') ? powers.get(text) : undefined
      if (power === undefined || power < least) return left
      this.#next += 1
      left = { kind: 'binary', operator: text as BinaryOperator, left, right: this.#operators(power + 1), at }
    }
  }

  #prefixed(): Syntax {
    const { at } = this.#token
    for (const operator of ['!', '-'] as const) {
      if (!this.#takes(operator)) continue
      this.#depth += 1
      if (this.#depth > deepest) throw this.#wrong(`More than ${deepest} levels deep.`)
      const of = this.#prefixed()
      this.#depth -= 1
      return { kind: 'unary', operator, of, at }
    }
    return this.#members(this.#primary())
  }

  #members(start: Syntax): Syntax {
    let syntax = start
    for (;;) {
      const { at } = this.#token
      if (this.#takes('.')) {
        const { kind, text } = this.#token
        if (kind !== 'name') throw this.#wrong("A name comes after '.'; for other keys write ['…'].")
        syntax = { kind: 'member', of: syntax, key: { kind: 'literal', value: text, at: this.#token.at }, at }
        this.#next += 1
      } else if (this.#takes('[')) {
        syntax = { kind: 'member', of: syntax, key: this.#expression(), at }
        this.#expect(']', "a ']'")
      } else {
        return syntax
      }
    }
  }

  #primary(): Syntax {
    const token = this.#token
    const { kind, text, at } = token
    if (this.#takes('(')) {
      const inner = this.#expression()
      this.#expect(')', "a ')'")
      return inner
    }
    if (this.#takes('[')) return { kind: 'list', items: this.#listed(']'), at }
    if (this.#takes('{')) return { kind: 'object', entries: this.#entries(), at }
    if (kind === 'sign' || kind === 'end') throw this.#wrong(`A value is missing here, before ${this.#shown()}.`)
    this.#next += 1
    if (kind === 'text') return { kind: 'literal', value: text, at }
    if (kind === 'number') return { kind: 'literal', value: this.#number(token), at }
    return this.#named(token)
  }

  #number({ text, at }: Token): number {
    const value = Number(text)
    if (Number.isFinite(value)) return value
    throw expressionInvalid({ text: this.#text, at }, `${text} is too large for a number.`)
  }

  #named({ text, at }: Token): Syntax {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', at }
    if (text === 'null') return { kind: 'literal', value: null, at }
    if (this.#takes('(')) {
      const args = this.#listed(')')
      this.#checkCall(text, args.length, at)
      return { kind: 'call', name: text, arguments: args, at }
    }
    if ((roots as readonly string[]).includes(text)) return { kind: 'name', name: text, at }
    const known = [...roots, ...functionNames.map((name) => `${name}(…)`)]
    const near = meantText(text, functionNames.includes(text) ? known : [...roots])
    const steps = at > 0 && this.#text[at - 1] === '-' ? " A key with a hyphen stands in brackets: steps['a-b']." : ''
    throw expressionInvalid(
      { text: this.#text, at },
      `'${text}' is not known. An expression begins with one of ${roots.join(', ')}.${near}${steps}`,
    )
  }

  #checkCall(name: string, count: number, at: number): void {
    const called = functions.get(name)
    if (called === undefined)
      throw expressionInvalid(
        { text: this.#text, at },
        `There is no function '${name}'.${meantText(name, functionNames)} There are: ${functionNames.join(', ')}.`,
      )
    const { least, most } = called
    if (count >= least && count <= most) return
    const wanted = most === Infinity ? `at least ${least}` : least === most ? `${least}` : `${least} to ${most}`
    throw expressionInvalid({ text: this.#text, at }, `'${name}' takes ${wanted} values and is given ${count}.`)
  }

  /** Up to the sign that closes. */
  #listed(close: ']' | ')'): readonly Syntax[] {
    const items: Syntax[] = []
    while (!this.#takes(close)) {
      if (items.length > 0) this.#expect(',', `a ',' or '${close}'`)
      if (items.length > 0 && this.#takes(close)) break
      items.push(this.#expression())
    }
    return items
  }

  #entries(): readonly { readonly key: string; readonly value: Syntax }[] {
    const entries = new Map<string, Syntax>()
    while (!this.#takes('}')) {
      if (entries.size > 0) this.#expect(',', "a ',' or '}'")
      if (entries.size > 0 && this.#takes('}')) break
      const { kind, text } = this.#token
      if (kind !== 'name' && kind !== 'text') throw this.#wrong('A key is a name, or a text in quotes.')
      if (text === '__proto__') throw this.#wrong("'__proto__' is not a key.")
      if (entries.has(text)) throw this.#wrong(`The key '${text}' stands here twice.`)
      this.#next += 1
      this.#expect(':', "a ':'")
      entries.set(text, this.#expression())
    }
    return [...entries].map(([key, value]) => ({ key, value }))
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? (this.#tokens.at(-1) as Token)
  }

  #takes(sign: string): boolean {
    const { kind, text } = this.#token
    if (kind !== 'sign' || text !== sign) return false
    this.#next += 1
    return true
  }

  #expect(sign: string, expected: string): void {
    if (!this.#takes(sign)) throw this.#wrong(`Expected ${expected} before ${this.#shown()}.`)
  }

  #shown(): string {
    const { kind, text } = this.#token
    if (kind === 'end') return 'the end'
    return kind === 'text' ? 'a text' : `'${text}'`
  }

  #advice(): string {
    const { kind, text } = this.#token
    const word = kind === 'name' ? { and: '&&', or: '||', not: '!' }[text] : undefined
    return word === undefined ? '' : ` Write '${word}'.`
  }

  #wrong(why: string): Error {
    return expressionInvalid({ text: this.#text, at: this.#token.at }, why)
  }
}
