// What a script is: JSON in, JSON out, its own time and numbers, and errors that point at its lines.
import { describe, expect, it } from 'vitest'
import { noUnhandledRejections, rejection } from '../engine/stage.ts'
import { now, sandboxed } from './sandbox.ts'

noUnhandledRejections()

const { run, failure, lines, sandbox } = sandboxed()

describe('a script', () => {
  it('is the body of an async function, with the globals it is given', async () => {
    const globals = { input: { items: [1, 2, 3] }, steps: { score: { risk: 'high' } }, nothing: undefined }
    const script = `const sum = await Promise.resolve(input.items.reduce((a, b) => a + b, 0))
      return { sum, risk: steps.score.risk, nothing }`
    expect(await run(script, { globals })).toEqual({ sum: 6, risk: 'high', nothing: null })
    expect(await run('await null')).toBe(null)
    expect(await run('return input // the last line', { globals: { input: 1 } })).toBe(1)
  })

  it('may change what it was given, and declare names of its own for it', async () => {
    const given = { list: [1], name: 'a' }
    expect(await run('input.list.push(2); input.name = "b"; return input', { globals: { input: given } })).toEqual({
      list: [1, 2],
      name: 'b',
    })
    expect(given).toEqual({ list: [1], name: 'a' })
    expect(
      await run('const { input } = globalThis; let steps = input; return steps', { globals: { input: 1, steps: 2 } }),
    ).toBe(1)
  })

  it('is in strict mode', async () => {
    expect(await failure('total = 1; return total')).toMatchObject({ details: { name: 'ReferenceError' } })
    expect(await run('return [this, function () { return this }()].every((one) => one === undefined)')).toBe(true)
    expect(await run('return typeof script + arguments.length')).toBe('undefined0')
  })

  it('may be TypeScript', async () => {
    const script = `interface Item { readonly price: number; amount?: number }
type Items = readonly Item[]
const total = (items: Items): number => items.reduce<number>((sum, { price, amount = 1 }) => sum + price * amount, 0)
const by = new Map<string, number>([['total', total(input as Items)]])
class Box<T> { constructor(readonly value: T) {} }
return { total: by.get('total')!, odd: (input satisfies unknown).length }`.replace(
      'readonly value: T) {}',
      'value: T) { void value }',
    )
    expect(await run(script, { globals: { input: [{ price: 2, amount: 3 }, { price: 4 }] } })).toEqual({
      total: 10,
      odd: 2,
    })
    // As JavaScript this compares with `<` and `>`.
    expect(await run('const same = (value: any) => value; return same<number>(5)')).toBe(5)
  })

  it('has a time that stands still, in UTC', async () => {
    const script = `const before = Date.now(); for (let n = 0; n < 1e5; n++);
      return [before, Date.now(), new Date().toISOString(), Date().slice(0, 15), new Date(2020, 0, 2).toISOString(),
        new Date('2020-05-06T07:08:09Z').getHours(), new Date(0) instanceof Date, new Date().constructor === Date,
        new (class Day extends Date { next() { return this.getDate() + 1 } })().next(), Date.UTC(2020, 1), typeof Date.parse('2020')]`
    expect(await run(script)).toEqual([
      now,
      now,
      '2026-02-03T04:05:06.000Z',
      'Tue Feb 03 2026',
      '2020-01-02T00:00:00.000Z',
      7,
      true,
      true,
      4,
      Date.UTC(2020, 1),
      'number',
    ])
  })

  it('gives the same when it is run again with the same things, and other numbers under another seed', async () => {
    const script = `const numbers = Array.from({ length: 5 }, () => Math.random())
      const shuffled = [...'abcdefgh'].sort(() => Math.random() - 0.5).join('')
      return { numbers, shuffled, at: new Date() }`
    const first = await run(script)
    expect(await Promise.all([run(script), run(script), run(script)])).toEqual([first, first, first])
    const other = (await run(script, { seed: 'other' })) as { numbers: number[] }
    expect(other.numbers).not.toEqual((first as typeof other).numbers)
    expect(other.numbers.every((number) => number >= 0 && number < 1)).toBe(true)
  })

  it('says lines with console, which are there when it fails, too', async () => {
    const script = `console.log('total', 12, { a: [1] }, null, undefined, 3n, Symbol('s'))
      console.debug('d'); console.info('i'); console.warn('w'); console.error(new TypeError('odd'))
      throw new Error('no')`
    expect(await lines(script)).toEqual([
      { level: 'info', text: 'total 12 {"a":[1]} null undefined 3 Symbol(s)' },
      { level: 'debug', text: 'd' },
      { level: 'info', text: 'i' },
      { level: 'warn', text: 'w' },
      { level: 'error', text: 'TypeError: odd' },
    ])
    expect(await lines('console.log("before"); for (;;);', { timeoutMs: 50 })).toEqual([
      { level: 'info', text: 'before' },
    ])
  })

  it('says so much and no more', async () => {
    const many = await lines('for (let n = 0; n < 1500; n++) console.log(n)')
    expect(many).toHaveLength(1_001)
    expect(many.at(-1)).toEqual({ level: 'warn', text: '500 more lines were not kept' })
    const long = await lines(
      `console.log('x'.repeat(300000)); console.log('more'); const odd = {}; odd.odd = odd; console.log(odd)`,
    )
    expect(long.map(({ text }) => text.length)).toEqual([262_144, 26])
  })

  it('fails with what a reader of its lines throws', async () => {
    const refused = new Error('no room')
    const onLine = (): void => {
      throw refused
    }
    expect(await rejection(run('console.log(1)', { onLine }))).toBe(refused)
  })
})

describe('a script that fails', () => {
  it('tells what it threw, and the line and column, with the line itself', async () => {
    const script = `const order = { items: [] }\nconst price = (item) => item.price.total\n\nreturn price(order.items[0])`
    const error = await failure(script, { from: { file: 'order.yaml', line: 12, column: 7 } })
    expect(error).toMatchObject({
      code: 'script_failed',
      retryable: false,
      details: {
        name: 'TypeError',
        message: "cannot read property 'price' of undefined",
        file: 'order.yaml',
        line: 13,
      },
    })
    const { column } = error.details as { column: number }
    expect(error.message).toBe(
      `The script threw TypeError: cannot read property 'price' of undefined (order.yaml:13:${column})\n` +
        `  13 | const price = (item) => item.price.total\n     | ${' '.repeat(column - 7)}^`,
    )
  })

  it('tells its own lines also through the stripping of types', async () => {
    const script = `interface Item {\n  price: number\n}\nconst first: Item = (input as Item[])[0]!\n  return first.price`
    const error = await failure(script, { globals: { input: [] } })
    expect(error.details).toMatchObject({ name: 'TypeError', line: 5 })
    expect(error.message).toContain('\n  5 |   return first.price\n')
  })

  it('may throw anything', async () => {
    expect(await failure("throw 'a text'")).toMatchObject({ code: 'script_failed', message: 'The script threw a text' })
    expect(await failure('throw { code: 7 }')).toMatchObject({ message: 'The script threw {"code":7}' })
    expect(await failure('throw undefined')).toMatchObject({ message: 'The script threw undefined' })
    expect(await failure('throw null')).toMatchObject({ code: 'script_failed', message: 'The script threw null' })
    const own = `class Refused extends Error { name = 'Refused' }\nawait Promise.reject(new Refused('too late'))`
    expect(await failure(own)).toMatchObject({ details: { name: 'Refused', message: 'too late', line: 2 } })
  })

  it.each([
    ['require("fs")', 'no require'],
    ['process.exit()', 'no process'],
    ['await fetch("http://x")', 'no fetch'],
    ['setTimeout(() => {}, 1)', 'no setTimeout'],
    ['await import("fs")', 'imports nothing'],
  ])('says of %s what a script lacks', async (script, hint) => {
    const error = await failure(script)
    expect(error.code).toBe('script_failed')
    expect(error.message).toContain(hint)
  })

  it('is left alone with hints where its trouble is another one', async () => {
    const error = await failure('throw new Error("the import of process failed")')
    expect(error.message.split('\n')[0]).toBe(
      'The script threw Error: the import of process failed (line 1, column 16)',
    )
  })

  it('says when it awaits what nothing settles', async () => {
    expect(await failure('await new Promise(() => {})')).toMatchObject({
      code: 'script_failed',
      message: expect.stringContaining('awaits a promise that nothing settles') as string,
    })
  })
})

describe('a script that is not valid', () => {
  it.each([
    ['const a = 1\nconst b = ;\nreturn a', 2, 11],
    ['return (', 1, 9],
    ['const a = 1\nconst text = `a\nb\nc', 2, undefined],
    ['let a = 1\nlet a = 2', 2, undefined],
    ['import fs from "fs"', 1, undefined],
    ['export const a = 1', 1, undefined],
  ])('is told with the place: %j', async (script, line, column) => {
    const error = await failure(script)
    expect(error).toMatchObject({ code: 'script_invalid', retryable: false, details: { line } })
    if (column !== undefined) expect(error.details['column']).toBe(column)
  })

  it.each([
    ['enum', 'const a = 1\n\nenum Kind { A, B }\nreturn Kind.A', 3],
    ['namespace', 'namespace Kinds { export const a = 1 }\nreturn Kinds.a', 1],
    ['parameter property', 'class A {\n  constructor(readonly b: number) {}\n}', 2],
  ])('has TypeScript that cannot be stripped: %s', async (what, script, line) => {
    const error = await failure(script)
    expect(error).toMatchObject({ code: 'script_invalid', retryable: false, details: { line } })
    expect(error.message.toLowerCase()).toContain(what)
    expect(error.message).toContain(script.split('\n')[line - 1])
  })

  it('fails with script_failed when only running it shows that: texts that it evaluates itself', async () => {
    expect(await failure('JSON.parse("{")')).toMatchObject({ code: 'script_failed', details: { name: 'SyntaxError' } })
    expect(await failure('eval("(")')).toMatchObject({ code: 'script_failed', details: { name: 'SyntaxError' } })
  })
})

describe('what a script is given', () => {
  it('is checked', async () => {
    expect(await failure('')).toMatchObject({ code: 'option_invalid' })
    expect(await failure('return 1', { timeoutMs: 0 })).toMatchObject({ code: 'option_invalid' })
    expect(await failure('return 1', { memoryBytes: 16_777_215 })).toMatchObject({ code: 'option_invalid' })
    expect(await failure('return 1', { outputBytes: 0.5 })).toMatchObject({ code: 'option_invalid' })
    expect(await failure('return 1', { now: Number.NaN })).toMatchObject({ code: 'option_invalid' })
    expect(await failure('return 1', { globals: { 'a b': 1 } })).toMatchObject({ code: 'option_invalid' })
    expect(await failure(' '.repeat(1_048_577))).toMatchObject({ code: 'option_invalid' })
    const unfit = await failure('return 1', { globals: { input: { list: [1, { n: 2n }] } } })
    expect(unfit.message).toBe(
      'What the script is given cannot be written as JSON: input.list[1].n is a bigint: give it as text, or as a number.',
    )
  })

  it('arrives as it is, whatever its texts and names hold', async () => {
    const input = {
      '': 1,
      'a b': '\u0000\u2028\ud800',
      text: '</script>"\\`${x}',
      emoji: '🜁',
      long: 'x'.repeat(100_000),
    }
    expect(await run('return input', { globals: { input } })).toEqual(input)
    expect(await run('return [...input.emoji].length + input.long.length', { globals: { input } })).toBe(100_001)
  })

  it('takes no thread when its signal has aborted already', async () => {
    const reason = new Error('too late')
    expect(await rejection(sandbox.run('return 1', { now, seed: '', signal: AbortSignal.abort(reason) }))).toBe(reason)
  })
})
