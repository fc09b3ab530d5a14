import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTroupeError } from '../../lib/errors.ts'
import { parse } from './parse.ts'
import { operatorLevels, roots, type Syntax } from './syntax.ts'

/** As text, with no more parentheses than needed. */
const plainName = /^[\p{L}_$][\p{L}\p{M}\p{N}_$]*$/u

function print(syntax: Syntax): string {
  return printed(syntax, 0)
}

const powerOf = (operator: string): number =>
  operatorLevels.findIndex((level) => level.some((one) => one === operator)) + 1
const ofUnary = operatorLevels.length + 1
const ofMember = ofUnary + 1

/** `least` is how strongly what stands around it binds. */
function printed(syntax: Syntax, least: number): string {
  const [text, power] = parts(syntax)
  return power < least ? `(${text})` : text
}

function parts(syntax: Syntax): readonly [text: string, power: number] {
  switch (syntax.kind) {
    case 'literal':
      return [literalText(syntax.value), typeof syntax.value === 'number' && syntax.value < 0 ? ofUnary : ofMember]
    case 'name':
      return [syntax.name, ofMember]
    case 'member':
      return [printed(syntax.of, ofMember) + keyText(syntax.key), ofMember]
    case 'list':
      return [`[${syntax.items.map(print).join(', ')}]`, ofMember]
    case 'object':
      return [
        `{ ${syntax.entries.map(({ key: each, value }) => `${literalText(each)}: ${print(value)}`).join(', ')} }`,
        ofMember,
      ]
    case 'unary':
      return [syntax.operator + printed(syntax.of, ofUnary), ofUnary]
    case 'binary': {
      const power = powerOf(syntax.operator)
      return [`${printed(syntax.left, power)} ${syntax.operator} ${printed(syntax.right, power + 1)}`, power]
    }
    case 'choice':
      return [`${printed(syntax.if, 1)} ? ${print(syntax.then)} : ${print(syntax.else)}`, 0]
    case 'call':
      return [`${syntax.name}(${syntax.arguments.map(print).join(', ')})`, ofMember]
  }
}

function keyText(syntax: Syntax): string {
  const isName = syntax.kind === 'literal' && typeof syntax.value === 'string' && plainName.test(syntax.value)
  return isName ? `.${syntax.value}` : `[${print(syntax)}]`
}

function literalText(value: string | number | boolean | null): string {
  return JSON.stringify(value)
}

/** Without places. */
function shape(syntax: Syntax): unknown {
  return JSON.parse(JSON.stringify(syntax, (key, value: unknown) => (key === 'at' ? undefined : value)))
}

describe('parse', () => {
  it.each([
    ['input.a + 2 * 3', 'input.a + 2 * 3'],
    ['(input.a + 2) * 3', '(input.a + 2) * 3'],
    ['1 - 2 - 3', '1 - 2 - 3'],
    ['1 - (2 - 3)', '1 - (2 - 3)'],
    ['!input.a && input.b || input.c', '!input.a && input.b || input.c'],
    ['input.a || input.b && input.c', 'input.a || input.b && input.c'],
    ['input.a ? 1 : input.b ? 2 : 3', 'input.a ? 1 : input.b ? 2 : 3'],
    ['(input.a ? 1 : 2) + 1', '(input.a ? 1 : 2) + 1'],
    ["input['a b'][0].c", 'input["a b"][0].c'],
    ["'it''s' == 1", undefined],
    ["{ a: 1, 'b c': [1, 2,], }", '{ "a": 1, "b c": [1, 2] }'],
    ['-input.a * -2', '-input.a * -2'],
    ['"a" in input.list == true', '"a" in input.list == true'],
    [' steps . score [ "risk" ] ', 'steps.score.risk'],
    ['"\\u00e9\\n\\""', '"é\\n\\""'],
    ['input.größe', 'input.größe'],
    ['input.true', 'input.true'],
    ['1.5e3', '1500'],
  ])('reads %s as %s', (text, expected) => {
    const read = (): string => print(parse(text))
    if (expected === undefined) expect(read).toThrow('does not belong here')
    else expect(read()).toBe(expected)
  })

  it.each([
    ['', 'An expression is missing here.', 0],
    ['  ', 'An expression is missing here.', 2],
    ['input.', "A name comes after '.'", 6],
    ['input.a = 1', "Write '==' to compare.", 8],
    ['input.a === 1', "Write '==': nothing is converted", 8],
    ['input.a !== 1', "Write '!=': nothing is converted", 8],
    ['input.a & input.b', "Write '&&' for and.", 8],
    ['input.a and input.b', "'and' does not belong here. Write '&&'.", 8],
    ['(1 + 2', "Expected a ')' before the end.", 6],
    ['[1, 2', "Expected a ',' or ']' before the end.", 5],
    ['1 +', 'A value is missing here, before the end.', 3],
    ['1 ? 2', "Expected a ':' and what holds otherwise before the end.", 5],
    ["'abc", 'This text has no closing quote.', 0],
    ["'a\\x'", "After '\\' comes one of", 2],
    ['inptu.a', "Did you mean 'input'?", 0],
    ['score.risk', "'score' is not known.", 0],
    ['steps.a-b', "A key with a hyphen stands in brackets: steps['a-b'].", 8],
    ['lenght(input.a)', "There is no function 'lenght'. Did you mean 'length'?", 0],
    ['length()', "'length' takes 1 values and is given 0.", 0],
    ['join(1, 2, 3)', "'join' takes 1 to 2 values and is given 3.", 0],
    ['x => x', 'There are no functions of your own', 2],
    ['input.a; input.b', '";" means nothing here.', 7],
    ['{ __proto__: 1 }', "'__proto__' is not a key.", 2],
    ['{ a: 1, a: 2 }', "The key 'a' stands here twice.", 8],
    ['2a', 'A name cannot begin with a digit', 0],
    ['1e999', '1e999 is too large for a number.', 0],
    ['`a`', 'Write texts in single or double quotes.', 0],
    ['constructor', "'constructor' is not known.", 0],
    ['toString()', "There is no function 'toString'.", 0],
    ['input.f()', "'(' does not belong here.", 7],
  ])('refuses %s', (text, why, at) => {
    let error: unknown
    try {
      parse(text)
    } catch (thrown) {
      error = thrown
    }
    expect(isTroupeError(error, 'expression_invalid') && error.details).toMatchObject({ at })
    expect((error as Error).message).toContain(why)
  })

  it('shows the expression with a caret below the place', () => {
    expect(() => parse('input.a +\n  input.b = 2')).toThrow("Write '==' to compare.\n    input.b = 2\n            ^")
  })

  it.each([
    ['nested lists', '['.repeat(5_000)],
    ['nested parentheses', '('.repeat(900)],
    ['many signs before a value', '!'.repeat(999) + '1'],
    ['a long chain', Array<string>(5_000).fill('1').join('+')],
    ['a long text', `'${'x'.repeat(1_000_000)}'`],
    ['a long path', `input${'.a'.repeat(100_000)}`],
  ])('refuses %s at once, without using up the stack', (_, text) => {
    expect(() => parse(text)).toThrow(/More than 100 levels deep|More than 1000 words|at most 10000 are allowed/)
  })
})

const key = fc.oneof(fc.constantFrom('a', 'risk', 'ünï', 'a b', '', '1', '"', "'", '\\', '\n', '}}'), fc.string())
const literal = fc
  .oneof(fc.string(), fc.nat(), fc.double({ min: 0, max: 1e300, noNaN: true }), fc.boolean(), fc.constant(null))
  .map((value): Syntax => ({ kind: 'literal', value: Object.is(value, -0) ? 0 : value, at: 0 }))
const name = fc.constantFrom(...roots).map((root): Syntax => ({ kind: 'name', name: root, at: 0 }))

const { syntax } = fc.letrec<{ syntax: Syntax }>((tie) => ({
  syntax: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    literal,
    name,
    fc.record({
      kind: fc.constant('member' as const),
      of: tie('syntax'),
      key: fc.oneof(
        key.map((value): Syntax => ({ kind: 'literal', value, at: 0 })),
        tie('syntax'),
      ),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('list' as const),
      items: fc.array(tie('syntax'), { maxLength: 3 }),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('object' as const),
      entries: fc.uniqueArray(fc.record({ key: key.filter((each) => each !== '__proto__'), value: tie('syntax') }), {
        maxLength: 3,
        selector: (entry) => entry.key,
      }),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('unary' as const),
      operator: fc.constantFrom('!' as const, '-' as const),
      of: tie('syntax'),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('binary' as const),
      operator: fc.constantFrom(...operatorLevels.flat()),
      left: tie('syntax'),
      right: tie('syntax'),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('choice' as const),
      if: tie('syntax'),
      then: tie('syntax'),
      else: tie('syntax'),
      at: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant('call' as const),
      name: fc.constantFrom('min', 'max', 'sum'),
      arguments: fc.array(tie('syntax'), { minLength: 1, maxLength: 3 }),
      at: fc.constant(0),
    }),
  ),
}))

it('reads what was printed as what it was', () => {
  fc.assert(
    fc.property(syntax, (made) => {
      expect(shape(parse(print(made)))).toEqual(shape(made))
    }),
    { numRuns: 500 },
  )
})

it('never throws anything but expression_invalid, whatever the text', () => {
  const words = fc.constantFrom(
    ...'input . steps [ ] ( ) { } , : ? ! - + == && || ?? in a 1 "x" \' \\ ${{ }}'.split(' '),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((all) => all.join(' ')),
      ),
      (text) => {
        try {
          parse(text)
        } catch (error) {
          expect(isTroupeError(error, 'expression_invalid')).toBe(true)
        }
      },
    ),
    { numRuns: 1_000 },
  )
})
