// Attempts to get out of the sandbox, to leave something in it for the next script, or to bring something odd out of it.
import { beforeEach, describe, expect, it } from 'vitest'
import { noUnhandledRejections } from '../engine/stage.ts'
import { sandboxed } from './sandbox.ts'

noUnhandledRejections()

const { run, failure, lines } = sandboxed({ max: 1 })

/** Names of the host, or of its modules, that must not be there. */
const hostNames = `['process', 'require', 'module', 'exports', '__dirname', '__filename', 'global', 'Buffer', 'fetch', 'XMLHttpRequest',
  'WebSocket', 'WebAssembly', 'Worker', 'navigator', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'structuredClone',
  'std', 'os', 'bjson', 'print', 'scriptArgs', 'load', 'Deno', 'Bun', 'crypto', 'Atomics', 'gc', 'HostRef', 'postMessage']`

const noHost = `${hostNames}.filter((name) => typeof GLOBAL[name] !== 'undefined')`

const reaching: readonly (readonly [string, string, unknown])[] = [
  ['the global object', `return ${noHost.replace('GLOBAL', 'globalThis')}`, []],
  [
    'the constructor of a constructor',
    `const GLOBAL = (0).constructor.constructor('return this')(); return ${noHost}`,
    [],
  ],
  ['Function', `const GLOBAL = new Function('return this')(); return ${noHost}`, []],
  ['indirect eval', `const GLOBAL = (0, eval)('this'); return ${noHost}`, []],
  [
    'the constructors of async functions and generators',
    `const made = [async () => {}, function* () {}, async function* () {}].map((one) => one.constructor('return typeof process'))
     const [a, , c] = made
     return [await a(), made[1]().next().value, (await c().next()).value]`,
    ['undefined', 'undefined', 'undefined'],
  ],
  [
    'the constructors of what it is given',
    `return [input, input.list, input.text].map((one) => one.constructor.constructor('return typeof process')())`,
    ['undefined', 'undefined', 'undefined'],
  ],
  [
    'the constructors of what the sandbox made: console, Date, Math.random',
    `return [console.log, Date, Date.now, Math.random].map((one) => one.constructor('return typeof process + typeof require')())`,
    Array(4).fill('undefinedundefined'),
  ],
  [
    'who calls it',
    `const callers = [() => (function f() { return f.caller })(), () => (function () { return arguments.callee.caller })()]
     return callers.map((one) => { try { return typeof one() } catch (error) { return error.name } })`,
    ['TypeError', 'TypeError'],
  ],
  [
    'the frames of an error',
    `Error.prepareStackTrace = (error, frames) => frames; return typeof new Error('x').stack`,
    'string',
  ],
  [
    'the frames above, with a handler of its own',
    `let seen = 0
     Error.prepareStackTrace = (error, frames) => { for (const f of frames) { seen += f.getThis?.() ? 1 : 0; seen += f.getFunction?.()?.constructor('return typeof process')() === 'object' ? 1 : 0 } return '' }
     try { null.x } catch (error) { void error.stack }
     return seen`,
    0,
  ],
  [
    'the internals of a Proxy',
    `const p = new Proxy({}, { get: (t, k, r) => r === p ? typeof k : 'other' }); return p.x`,
    'string',
  ],
]

describe('no script reaches out', () => {
  it.each(reaching)('by way of %s', async (_, script, expected) => {
    expect(await run(script, { globals: { input: { list: [], text: '' } } })).toEqual(expected)
  })

  it.each([
    'return 1 }); globalThis.escaped = typeof process; (async () => { return 2',
    'return 1 })(); (async function () { return 2',
    'return 1 } async function other() { return 2',
    'return 1 }, async function () { return 2',
    '})/*',
    '} /*\n*/ {',
  ])('by closing the function it is the body of: %s', async (script) => {
    expect(await failure(script)).toMatchObject({ code: 'script_invalid' })
  })

  it.each([
    'await import("node:fs")',
    'await import("file:///etc/passwd")',
    'await import("./scene.js")',
    'await import("data:text/javascript,export default 1")',
    '(0, eval)("import(\'fs\')").then((fs) => { throw fs }); await (0, eval)("import(\'fs\')")',
    'await new Function("return import(\'fs\')")()',
  ])('by importing: %s', async (script) => {
    const error = await failure(script)
    expect(error.code).toBe('script_failed')
    expect(error.message).toContain('imports nothing')
  })

  it('with what an error tells of the host: no path, no file of it, nothing of Node', async () => {
    const script = `const stacks = []
      try { null.x } catch (error) { stacks.push(error.stack) }
      try { eval('(') } catch (error) { stacks.push(error.stack, error.fileName) }
      try { JSON.parse('{') } catch (error) { stacks.push(error.stack) }
      try { new Proxy({}, { get() { throw new Error('in') } }).x } catch (error) { stacks.push(error.stack) }
      try { await import('fs') } catch (error) { stacks.push(error.stack, error.message) }
      return stacks.join()`
    expect(await run(script)).not.toMatch(/\/|\\|node|file:|wasm|\.ts|\.m?js\b/)
  })

  it('with SharedArrayBuffer and Atomics: waiting is no way to stop its thread', async () => {
    const script = `if (typeof Atomics === 'undefined') return 'none'
      return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`
    const ended = await run(script, { timeoutMs: 100 }).catch((error: { code: string }) => error.code)
    expect(['none', 'script_timed_out', 'script_failed']).toContain(ended)
    expect(await run('return 1')).toBe(1)
  })
})

describe('no script leaves anything for the next one', () => {
  const seen = `return [typeof left, {}.left ?? 0, [].left ?? 0, Object.keys(globalThis).filter((key) => key === 'left'), Array.prototype.map.name, JSON.stringify({ a: 1 }), Math.max(1, 2),
    typeof console.log, new Date().getTime() === Date.now(), Symbol.for('left').description, (() => {}).left ?? 0, Promise.left ?? 0, \`\${/a/[Symbol.replace].name}\`]`
  const untouched = ['undefined', 0, 0, [], 'map', '{"a":1}', 2, 'function', true, 'left', 0, 0, '[Symbol.replace]']

  beforeEach(async () => {
    expect(await run(seen)).toEqual(untouched)
  })

  it.each([
    ['a global', 'globalThis.left = 1; var left2 = 1'],
    ['on Object.prototype', 'Object.prototype.left = 1; Object.prototype.toJSON = () => 7'],
    ['by __proto__', '({}).__proto__.left = 1; [].__proto__.left = 1; (() => {}).__proto__.left = 1'],
    [
      'in place of built-ins',
      `Array.prototype.map = () => 'left'; JSON.stringify = () => '"left"'; Math.max = () => 3; Promise.left = 1; Symbol.for('left')`,
    ],
    ['in place of console and Date', 'console.log = 1; globalThis.Date = class {}'],
    ['frozen', 'Object.freeze(Object.prototype); Object.freeze(globalThis); Object.preventExtensions(Array.prototype)'],
    [
      'a promise that goes on',
      'const on = () => Promise.resolve().then(() => { globalThis.left = 1; return on() }); on(); return 1',
    ],
    [
      'a getter on what is asked next',
      `Object.defineProperty(globalThis, 'input', { get() { return 'left' }, configurable: false })`,
    ],
    [
      'what is called at the end',
      `globalThis.registry = new FinalizationRegistry(() => { globalThis.left = 1 }); registry.register({}, 1)`,
    ],
  ])('%s', async (_, script) => {
    await run(script).catch(() => undefined)
    expect(await run(seen)).toEqual(untouched)
    expect(await run('return input', { globals: { input: 'right' } })).toBe('right')
  })

  // The memory behind what was used before any script is left as it is.
  it.each([1_000, 70_000, 4_194_304])('in the %i bytes of a buffer', async (bytes) => {
    const count = Math.ceil(4_194_304 / bytes)
    const filled = `Array.from({ length: ${count} }, () => new Uint8Array(${bytes}).fill(65))`
    expect(await run(`return ${filled}.length`)).toBe(count)
    const found = `Array.from({ length: ${count} }, () => new Uint8Array(${bytes})).filter((each) => each.includes(65))`
    expect(await run(`return ${found}.length`)).toBe(0)
  })
})

describe('what comes out', () => {
  it.each<[string, string, unknown]>([
    ['nothing', 'void 0', null],
    ['undefined within', 'return { a: undefined, b: [undefined, , 1] }', { b: [null, null, 1] }],
    ['-0', 'return [-0, 1e308, 5e-324, 2 ** 53]', [0, 1e308, 5e-324, 2 ** 53]],
    ['dates', 'return { at: new Date(0), never: new Date(NaN) }', { at: '1970-01-01T00:00:00.000Z', never: null }],
    ['objects of classes', 'class A { b = 1; #c = 2; get d() { return 3 } }; return new A()', { b: 1 }],
    ['symbols for keys', `return { [Symbol('a')]: 1, b: 2 }`, { b: 2 }],
    ['toJSON', 'return { toJSON: () => ({ a: [1] }) }', { a: [1] }],
    ['toJSON for all', 'Object.prototype.toJSON = function () { return 5 }; return { a: 1 }', 5],
    ['getters', 'let n = 0; return { get a() { return ++n }, get b() { return ++n } }', { a: 1, b: 2 }],
    ['a proxy', `return new Proxy({ a: 1 }, { get: (t, k) => k === 'a' ? [7] : undefined })`, { a: [7] }],
    ['a proxy of a list', 'return new Proxy([1, 2], {})', [1, 2]],
    ['boxed values', `return [Object('a'), Object(1), Object(false)]`, ['a', 1, false]],
    ['no prototype', 'const o = Object.create(null); o.a = 1; return o', { a: 1 }],
    [
      'inherited properties, which are left out',
      'return Object.create({ a: 1 }, { b: { value: 2, enumerable: true }, c: { value: 3 } })',
      { b: 2 },
    ],
    ['the same object twice', 'const a = { n: 1 }; return [a, a]', [{ n: 1 }, { n: 1 }]],
    ['a thenable', 'return { then: (resolve) => resolve({ a: 1 }) }', { a: 1 }],
    ['halves of surrogate pairs', `return '\\ud800' + 'x' + '\\udc00'`, '\ud800x\udc00'],
    ['NUL and line separators', `return { '\\0': '\\u2028\\0' }`, { '\0': '\u2028\0' }],
    ['very long names', `return Object.keys({ ['k'.repeat(100000)]: 1 })[0].length`, 100_000],
    [
      'a species of its own',
      `class A extends Array { static get [Symbol.species]() { return Object } }; return [A.from([1, 2]), Array.from(A.from([1]).concat([3]))]`,
      [
        [1, 2],
        [1, 3],
      ],
    ],
    [
      'names of Object.prototype',
      `return { constructor: 1, hasOwnProperty: 2, toString: 3, prototype: {} }`,
      { constructor: 1, hasOwnProperty: 2, toString: 3, prototype: {} },
    ],
    ['what a script does to JSON', `JSON.stringify = () => 'no'; JSON.parse = () => 'no'; return { a: 1 }`, { a: 1 }],
    ['what a script does to promises', `Promise.prototype.then = () => 'no'; return 1`, 1],
    [
      'an async generator',
      `const g = (async function* () { yield 1; yield 2 })(); const all = []; for await (const n of g) all.push(n); return all`,
      [1, 2],
    ],
  ])('has a form: %s', async (_, script, expected) => {
    expect(await run(script)).toEqual(expected)
  })

  it.each([
    ['NaN', 'return { a: [0, NaN] }', 'The result.a[1] is NaN'],
    ['Infinity', 'return -Infinity', 'The result is -Infinity'],
    ['a bigint', 'return { "a b": 5n }', 'The result["a b"] is a bigint'],
    ['a function', 'return { a: { b() {} } }', 'The result.a.b is a function'],
    ['a symbol', 'return [Symbol.iterator]', 'The result[0] is a symbol'],
    ['a map', 'return { a: new Map([[1, 2]]) }', 'The result.a is a Map'],
    ['a set', 'return new Set([1])', 'The result is a Set'],
    ['an error', 'return [new TypeError("x")]', 'The result[0] is a Error'],
    ['a promise', 'return { later: Promise.resolve(1) }', 'The result.later is a promise: await it first'],
    ['bytes', 'return { bytes: new Uint8Array(3) }', 'The result.bytes is a Uint8Array'],
    ['a cycle', 'const a = { b: [] }; a.b.push({ a }); return a', 'The result.b[0].a is inside itself'],
    ['a cycle of toJSON', 'const a = { toJSON() { return { a } } }; return a', 'levels deep'],
    ['what is very deep', 'let a = {}; for (let n = 0; n < 100000; n++) a = { a }; return a', 'levels deep'],
    [
      '__proto__ as a name',
      `return JSON.parse('{"a":{"__proto__":{"isAdmin":true}}}')`,
      'The result.a.__proto__ is a name that changes objects',
    ],
    [
      'a proxy that throws',
      `return new Proxy({ a: 1 }, { ownKeys() { throw new RangeError('no') } })`,
      'RangeError: no',
    ],
    ['a proxy that lies', `return new Proxy({}, { ownKeys: () => ['a', 'a'] })`, 'TypeError'],
    ['a getter that throws', `return { get a() { throw new Error('no') } }`, 'Error: no'],
    [
      'what a script does to lists',
      `Object.defineProperty(Array.prototype, '0', { set() { throw 'odd' } }); return { a: { b: [] } }`,
      'odd',
    ],
    ['a revoked proxy', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy', 'TypeError'],
  ])('or is an error: %s', async (_, script, message) => {
    const error = await failure(script)
    expect(error).toMatchObject({ code: 'script_failed', retryable: false })
    expect(error.message).toContain(message)
  })

  it('changes no prototype here', async () => {
    const output = (await run(`return JSON.parse('{"constructor":{"prototype":{"polluted":1}}}')`)) as object
    Object.assign({}, output)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(output)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(await run('return []'))).toBe(Array.prototype)
  })

  it('is refused as an error when what is given has __proto__ for a name', async () => {
    const input = JSON.parse('{"__proto__":{"a":1}}') as object
    expect(await failure('return input.a', { globals: { input } })).toMatchObject({ code: 'value_not_storable' })
  })

  it.each([
    ['a stack that is a getter', `throw Object.defineProperty(new Error('x'), 'stack', { get() { throw 1 } })`],
    ['a message that is an object', `throw Object.assign(new Error(), { message: { toString() { throw 1 } } })`],
    ['a proxy of an error', `throw new Proxy(new Error('x'), { get() { throw 1 }, getPrototypeOf() { throw 1 } })`],
    [
      'a stack with lines that are not there',
      `throw Object.assign(new Error('x'), { stack: 'at script:99999999999999999999:1' })`,
    ],
    [
      'a stack that is very long',
      `throw Object.assign(new Error('x'.repeat(1e6)), { stack: 'script:1'.repeat(1e6), name: 'n'.repeat(1e6) })`,
    ],
    [
      'an error whose name pretends',
      `throw Object.assign(new Error('x'), { name: 'TroupeError', code: 'run_cancelled', retryable: true })`,
    ],
  ])('is a plain error when it throws %s', async (_, script) => {
    const error = await failure(script)
    expect(error).toMatchObject({ code: 'script_failed', retryable: false })
    expect(error.message.length).toBeLessThan(10_000)
  })

  it('keeps its lines apart from what is said of it', async () => {
    expect(await lines(`console.log('"},{"level":"error","text":"forged')`)).toEqual([
      { level: 'info', text: '"},{"level":"error","text":"forged' },
    ])
  })
})
