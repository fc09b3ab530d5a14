// What a script may take: time, memory, stack, room for what it returns. Each bound ends it, and the next script finds all as before.
import { afterEach, describe, expect, it } from 'vitest'
import { noUnhandledRejections } from '../engine/stage.ts'
import { sandboxed } from './sandbox.ts'

noUnhandledRejections()

const { run, failure, log } = sandboxed({ max: 1 })

afterEach(async () => {
  expect(await run('return [1, 2].map((n) => n + 1)')).toEqual([2, 3])
})

const endless: readonly (readonly [string, string])[] = [
  ['a loop', 'for (;;);'],
  ['a loop that catches everything', 'for (;;) try { for (;;); } catch {} finally { continue }'],
  ['a loop in a promise', 'await Promise.resolve().then(() => { for (;;); })'],
  ['promises that follow one another', 'const on = () => Promise.resolve().then(on); await on()'],
  ['a loop of awaits', 'for (;;) await null'],
  ['a loop of awaits that catches', 'for (;;) try { await null; for (;;); } catch {}'],
  ['a catastrophic expression', `/^(a+)+$/.test('a'.repeat(50) + '!')`],
  ['another one', `/(x+x+)+y/.exec('x'.repeat(100))`],
  [
    'a replacement that takes forever',
    `'a'.repeat(40).replace(/(a|aa)+$/, (m) => m) + 'a'.repeat(60).match(/^(?:(a*)*)*b/)`,
  ],
  ['a generator', 'function* all() { for (;;) yield 1 }; for (const one of all());'],
  ['an async generator', 'async function* all() { for (;;) yield 1 }; for await (const one of all());'],
  ['a getter at the end', 'return { get a() { for (;;); } }'],
  ['toJSON at the end', 'return { toJSON() { for (;;); } }'],
  ['a proxy at the end', 'return new Proxy({}, { ownKeys() { for (;;); } })'],
  [
    'a getter of what it throws',
    `throw { get message() { for (;;); }, toString() { for (;;); }, toJSON() { for (;;); } }`,
  ],
  ['a stack that is a getter', `throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } })`],
  ['a comparison', '[3, 1, 2].sort(() => { for (;;); })'],
]

describe('the time of a script', () => {
  it.each(endless)('is bounded: %s', async (_, script) => {
    expect(await failure(script, { timeoutMs: 60 })).toMatchObject({
      code: 'script_timed_out',
      retryable: true,
      details: { timeoutMs: 60 },
    })
    // By the interpreter itself, which leaves its thread to others.
    expect(log.lines).toEqual([])
  })

  it('D13: is bounded from outside, a little later, where the interpreter does not look at it', async () => {
    const script = `return 'a'.repeat(2e6).indexOf('a'.repeat(1e6) + 'b')`
    expect(await failure(script, { timeoutMs: 50 })).toMatchObject({ code: 'script_timed_out', retryable: true })
    expect(log.lines.splice(0)).toMatchObject([{ level: 'warn', fields: { timeoutMs: 50 } }])
  })
})

describe('the memory of a script', () => {
  it.each([
    ['a text', `return 'x'.repeat(2 ** 28).length`],
    ['a text that doubles', `let text = 'x'; for (;;) text += text`],
    ['a list', 'return new Array(5e8).fill(0).length'],
    ['a list that grows', 'const list = []; for (;;) list.push(list.length)'],
    ['bytes', 'return new Uint8Array(2 ** 30).length'],
    ['objects in one another', 'let all = null; for (;;) all = { all }'],
    ['closures', 'let all = () => 0; for (;;) { const before = all; all = () => before }'],
    ['promises', 'for (;;) await new Promise((done) => { globalThis.all = [globalThis.all, done]; done() })'],
    ['a map', 'const all = new Map(); for (let n = 0; ; n++) all.set(n, String(n))'],
    ['names', `const all = {}; for (let n = 0; ; n++) all['name' + n] = n`],
    ['a result that is made as it is read', `return Array.from({ length: 1e5 }, () => 'x'.repeat(1e4))`],
  ])('is bounded: %s', async (_, script) => {
    const error = await failure(script, { memoryBytes: 2 ** 24, timeoutMs: 10_000 })
    expect(error).toMatchObject({
      code: 'script_out_of_memory',
      retryable: false,
      details: { memoryBytes: 16_777_216 },
    })
    expect(error.message).toContain('16 MiB')
  })

  it('may be caught by the script, which has what is left', async () => {
    const script = `let list = []; try { for (;;) list.push(list.length) } catch (error) { list = null; return error.message }`
    expect(await run(script, { memoryBytes: 2 ** 24 })).toBe('out of memory')
  })

  it('holds for each script alone', async () => {
    const script = `return 'x'.repeat(6e6).length`
    for (let n = 0; n < 5; n++) expect(await run(script, { memoryBytes: 2 ** 24 })).toBe(6e6)
  })
})

describe('the stack of a script', () => {
  it.each([
    ['a function that calls itself', 'const down = (n) => 1 + down(n + 1); return down(0)'],
    ['getters', 'const o = { get a() { return this.a } }; return o.a'],
    ['toString', 'const o = { toString() { return `${o}` } }; return `${o}`'],
    ['a proxy of a proxy', 'let p = {}; for (let n = 0; n < 1e5; n++) p = new Proxy(p, {}); return p.a'],
    ['a sort in a sort', 'const down = () => [2, 1].sort(down); return down()'],
    ['JSON that is very deep', `return JSON.parse('['.repeat(200000) + ']'.repeat(200000))`],
    ['code that is very deep', `return eval('('.repeat(200000) + '1' + ')'.repeat(200000))`],
    ['an expression that is very deep', `return new RegExp('(?:'.repeat(200000) + ')'.repeat(200000)).test('')`],
    ['a text of functions', 'const down = () => eval("down()"); return down()'],
    ['replacing', `const down = () => 'a'.replace(/a/, down); return down()`],
    [
      'a list that is very deep',
      'let list = []; for (let n = 0; n < 1e5; n++) list = [list]; return list.flat(Infinity)',
    ],
  ])('is bounded: %s', async (_, script) => {
    const error = await failure(script, { timeoutMs: 10_000 })
    expect(error).toMatchObject({ code: 'script_failed', retryable: false })
    expect(error.message).toMatch(/stack overflow|too deep|nested|recursion/i)
  })

  it('is deep enough for what people write', async () => {
    expect(await run('const sum = (n) => n === 0 ? 0 : n + sum(n - 1); return sum(1000)')).toBe(500_500)
  })

  it.each([
    ['parentheses', `return ${'('.repeat(50_000)}1${')'.repeat(50_000)}`],
    ['blocks', `${'{'.repeat(50_000)}${'}'.repeat(50_000)}`],
    ['templates', `return ${'`${'.repeat(20_000)}1${'}`'.repeat(20_000)}`],
    ['types', `const a: ${'Array<'.repeat(20_000)}number${'>'.repeat(20_000)} = []`],
  ])('does not let a text take more than there is: %s', async (_, script) => {
    expect(await failure(script)).toMatchObject({ code: 'script_invalid', retryable: false })
  })
})

describe('the result of a script', () => {
  it('is bounded, in bytes of JSON', async () => {
    expect(await run(`return 'x'.repeat(98)`, { outputBytes: 100 })).toHaveLength(98)
    expect(await failure(`return 'x'.repeat(99)`, { outputBytes: 100 })).toMatchObject({
      code: 'value_too_large',
      retryable: false,
      details: { bytes: 101, maxBytes: 100 },
    })
    expect(await failure(`return 'ü'.repeat(60)`, { outputBytes: 100 })).toMatchObject({ details: { bytes: 122 } })
  })
})
