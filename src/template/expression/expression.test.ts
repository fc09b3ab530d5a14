import { describe, expect, it } from 'vitest'
import { isTroupeError } from '../../lib/errors.ts'
import type { Scope } from '../model/template.ts'
import { Expression } from './expression.ts'

class Account {
  balance = 5
}

const scope: Scope = {
  input: {
    total: 1_200,
    none: null,
    items: [
      { sku: 'a', price: 2 },
      { sku: 'b', price: 3.5 },
    ],
    'a b': 'spaced',
    text: 'Grüße',
    zero: 0,
    empty: '',
    list: [3, 1, 2],
    nested: { deep: { er: [1, { x: true }] } },
    date: new Date('2030-01-02T03:04:05Z'),
    map: new Map<unknown, unknown>([['k', 'v']]),
    account: new Account(),
    poisoned: JSON.parse('{ "__proto__": { "polluted": 1 }, "constructor": "own" }') as unknown,
    big: 10n,
  },
  steps: { score: { risk: 'high' }, 'step-2': 7, constructor: 1 },
  errors: { pay: { name: 'Error', message: 'declined', code: null } },
  item: { id: 9 },
  index: 4,
  config: { mode: 'strict' },
  run: { id: 'run-1', attempt: 2, correlationId: 'c-1' },
}

const evaluate = (text: string): unknown => new Expression(text).evaluate(scope)

describe('an expression gives', () => {
  it.each<[string, unknown]>([
    // paths
    ['input.total', 1_200],
    ["input['a b']", 'spaced'],
    ['input.items[1].sku', 'b'],
    ['input.nested.deep.er[1].x', true],
    ['steps.score.risk', 'high'],
    ["steps['step-2']", 7],
    ['errors.pay.message', 'declined'],
    ['item.id + index', 13],
    ['config.mode', 'strict'],
    ['run.attempt', 2],
    ['input.items.length', 2],
    ['input.text.length', 5],
    ['input.map.k', 'v'],
    // what is not there
    ['input.missing', null],
    ['input.missing.deeper[3].still', null],
    ['input.none.x', null],
    ['input.items[9]', null],
    ["input.items['0']", null],
    ['input.items[-1]', null],
    ['input.text[0]', null],
    ['input.total.toFixed', null],
    ['steps.never.output', null],
    // what values inherit
    ['input.constructor', null],
    ['input.__proto__', null],
    ["input['__proto__']", null],
    ['input.toString', null],
    ['input.items.map', null],
    ['input.items.constructor', null],
    ['input.text.constructor', null],
    ['input.account.balance', null],
    ['input.date.getTime', null],
    ['input.map.size', null],
    ['input.poisoned.__proto__', null],
    ['input.poisoned.polluted', null],
    ['input.poisoned.constructor', 'own'],
    ['steps.constructor', 1],
    ['steps.hasOwnProperty', null],
    // comparison
    ["1 == '1'", false],
    ['null == input.missing', true],
    ['false == null', false],
    ['0 == false', false],
    ['{ a: [1, { b: 2 }] } == { a: [1, { b: 2 }] }', true],
    ['{ a: 1, b: 2 } == { b: 2, a: 1 }', true],
    ['[1, 2] != [2, 1]', true],
    ['{ a: null } == {}', false],
    ['2 < 10', true],
    ["'2' < '10'", false],
    ['input.total >= 1200', true],
    ['input.big > 9', true],
    // boolean
    ["input.zero || 'else'", 'else'],
    ["input.empty && 'never'", ''],
    ['!input.missing', true],
    ['![]', false],
    ['input.zero ?? 5', 0],
    ['input.missing ?? 5', 5],
    ["input.total > 1000 ? 'high' : 'low'", 'high'],
    ['true || input.text * 2', true],
    // arithmetic
    ['1 + 2 * 3 - 4 / 2', 5],
    ['7 % 3', 1],
    ['-input.total', -1_200],
    ["'a' + 1 + true + null", 'a1true'],
    ["1 + 2 + 'a'", '3a'],
    ["'list: ' + input.list", 'list: [3,1,2]'],
    ["'at ' + input.date", 'at 2030-01-02T03:04:05.000Z'],
    // in
    ["'high' in ['low', 'high']", true],
    ["'total' in input", true],
    ["'toString' in input", false],
    ["'Grü' in input.text", true],
    ['{ a: 1 } in [{ a: 1 }]', true],
    ['1 in null', false],
    // functions
    ['length(input.items) + length(input.text) + length(input.map) + length(null)', 8],
    ["contains('abc', 'b')", true],
    ["startsWith('abc', 'ab') && endsWith('abc', 'bc')", true],
    ["lower('AbC') + upper('é') + trim('  x ')", 'abcÉx'],
    ["replace('a.b.c', '.', '-')", 'a-b-c'],
    ["split('a,b,c', ',')", ['a', 'b', 'c']],
    ["join(['a', 1, null])", 'a, 1, '],
    ["join(['a', 'b'], '')", 'ab'],
    ["slice('abcdef', 1, 3)", 'bc'],
    ['slice(input.list, -2)', [1, 2]],
    ['keys({ b: 1, a: 2 })', ['b', 'a']],
    ['values({ b: 1, a: 2 })', [1, 2]],
    ['keys(input.poisoned)', ['constructor']],
    ["pluck(input.items, 'price')", [2, 3.5]],
    ['min(input.list)', 1],
    ['max(3, 9, 2)', 9],
    ['min([])', null],
    ["max(['a', 'c', 'b'])", 'c'],
    ["sum(pluck(input.items, 'price'))", 5.5],
    ['sum([])', 0],
    ['round(2.5)', 3],
    ['round(1.005, 2)', 1.01],
    ['round(1e21, 2)', 1e21],
    ['floor(-1.5) + ceil(1.2) + abs(-3)', 3],
    ['range(3)', [0, 1, 2]],
    ['range(2, 5)', [2, 3, 4]],
    ['range(5, 2)', []],
    ["default(input.missing, null, 'x')", 'x'],
    ["number('12.5') + number(true)", 13.5],
    ['string(12) + string(null) + string([1])', '12[1]'],
    ['json({ a: [1] })', '{"a":[1]}'],
    ['fromJson(\'{"a": 1}\').a', 1],
    ['fromJson(\'{"__proto__": {"x": 1}}\').x', null],
  ])('%s is %j', (text, expected) => {
    expect(evaluate(text)).toEqual(expected)
  })

  it('pollutes nothing', () => {
    evaluate('fromJson(\'{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}\')')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('the value itself where it is alone', () => {
    expect(evaluate('input.date')).toBe((scope.input as { date: Date }).date)
  })
})

describe('an expression fails', () => {
  it.each([
    ['input.items + 1', "'+' takes numbers or a text; a list is given.", 12],
    ['1 - input.missing', "'-' takes numbers; null is given.", 2],
    ['2 * (3 - input.text)', "'-' takes numbers; a text is given.", 7],
    ["-'a'", "'-' takes numbers; a text is given.", 0],
    ['input.total > input.text', 'A number and a text have no order', 12],
    ['input.missing > 1', 'Null and a number have no order', 14],
    ['1 / input.zero', 'It is divided by 0.', 2],
    ['1 % 0', 'It is divided by 0.', 2],
    ['1e308 * 10', 'The result is too large for a number.', 6],
    ['upper(1)', "'upper' takes a text, and is given a number.", 0],
    ["sum(['a'])", "'sum' takes numbers, and is given a text.", 0],
    ["split('abc', 1)", "'split' takes a text", 0],
    ["replace('abc', '', 'x')", 'an empty text', 0],
    ["number('12a')", '"12a" is not a number.', 0],
    ["number('')", '"" is not a number.', 0],
    ["fromJson('{a}')", '"{a}" is not JSON.', 0],
    ['range(1.5)', "'range' takes whole numbers, and is given 1.5.", 0],
    ["'a' in 5", 'contains nothing', 4],
    ['json(input.big)', 'cannot be written as JSON', 0],
  ])('on %s', (text, why, at) => {
    let error: unknown
    try {
      evaluate(text)
    } catch (thrown) {
      error = thrown
    }
    expect(isTroupeError(error, 'expression_failed') && error.details).toMatchObject({ expression: text, at })
    expect((error as Error).message).toContain(why)
    expect((error as Error).message).toContain(`  ${text}\n  ${' '.repeat(at)}^`)
    expect(isTroupeError(error) && error.retryable).toBe(false)
  })

  const huge = 'x'.repeat(1_000_000)
  const many = Array.from({ length: 100_000 }, (_, index) => index)
  const large: Scope = { ...scope, input: { huge, many, same: Array<string>(5_000).fill(huge) } }

  it.each([
    ['input.huge + input.huge', 'A text of more than 1,048,576 characters'],
    ["replace(input.huge, 'x', 'xxxxxxxxxx')", 'A text of more than 1,048,576 characters'],
    ["join(input.same, '')", 'A text of more than 1,048,576 characters'],
    ["split(input.huge, '')", 'A list of more than 100,000 items'],
    ['range(1000000000)', 'A list of more than 100,000 items'],
    ['range(0, 9007199254740991)', 'A list of more than 100,000 items'],
    ['input.many == input.many && slice(input.many, 0) == slice(input.many, 0)', 'more than 200,000 steps'],
    ['[range(90000), range(90000), range(90000)]', 'more than 200,000 steps'],
    ["contains(input.many, 'x') || contains(input.many, 'y') || contains(input.many, 'z')", 'more than 200,000 steps'],
    ["fromJson('" + '['.repeat(200) + "')", 'more than 100 levels deep'],
    [`[${Array<string>(30).fill('input.huge + 1').join(', ')}]`, 'more than 200,000 steps'],
  ])('before %s has cost much', (text, why) => {
    expect(() => new Expression(text).evaluate(large)).toThrow(why)
  })

  it('on values deeper than any step gives', () => {
    let [left, right]: [unknown, unknown] = [1, 1]
    for (let depth = 0; depth < 5_000; depth += 1) [left, right] = [[left], [right]]
    const deep: Scope = { ...scope, input: { left, right } }
    expect(() => new Expression('input.left == input.right').evaluate(deep)).toThrow('more than 1000 levels deep')
  })
})

describe('the references of an expression', () => {
  it.each([
    ['input.a + 1', [], false],
    ['steps.a.x + steps.b', ['a', 'b'], false],
    ["steps['a b'].x", ['a b'], false],
    ['errors.pay.code', ['pay'], false],
    ['default(steps.a, [steps.b], { c: steps.c })', ['a', 'b', 'c'], false],
    ['input.x ? steps.a : -steps.b', ['a', 'b'], false],
    ['input[steps.a]', ['a'], false],
    ['keys(steps)', [], true],
    ['steps[input.name]', [], true],
    ['steps[steps.a]', ['a'], true],
  ])('of %s are %j', (text, steps, takesAny) => {
    const { references } = new Expression(text)
    expect(references.steps.map(({ step }) => step)).toEqual(steps)
    expect(references.anyAt !== undefined).toBe(takesAny)
  })
})
