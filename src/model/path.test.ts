import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinPath, keyedPath, ownPath, patternOf, repeatedPath } from './path.ts'

/** How a workflow reaches a step: names, each perhaps one item of a collection, and perhaps not the first of its name. */
interface Part {
  readonly name: string
  readonly key: string | undefined
  readonly use: number
}

describe('a path', () => {
  it('is made of the names down to a step', () => {
    expect(joinPath('', 'pack')).toBe('pack')
    expect(joinPath('ship', 'pack')).toBe('ship/pack')
    expect(keyedPath('ship', 'sku-17')).toBe('ship[sku-17]')
    expect(joinPath(keyedPath('ship', 'sku-17'), 'pack')).toBe('ship[sku-17]/pack')
  })

  it('counts the uses of a name from the second on', () => {
    expect(repeatedPath('pay', 1)).toBe('pay')
    expect(repeatedPath('pay', 2)).toBe('pay#2')
    expect(repeatedPath('pay', 10)).toBe('pay#10')
  })

  it('escapes what carries meaning in it', () => {
    expect(joinPath('', 'a/b[c]#2\\d')).toBe('a\\/b\\[c\\]\\#2\\\\d')
    expect(joinPath('x', 'a/b')).toBe('x/a\\/b')
    expect(keyedPath('ship', 'a]/b')).toBe('ship[a\\]\\/b]')
  })

  it('is no answer or patch where a step is named like one', () => {
    expect([ownPath('', 'patch', 'card'), ownPath('ship', 'answer', 'a/b')]).toEqual([
      'patch card',
      'ship/answer a\\/b',
    ])
    expect([joinPath('', 'patch card'), joinPath('ship', 'answer a/b')]).toEqual([
      '\\patch card',
      'ship/\\answer a\\/b',
    ])
    expect([joinPath('', '\\patch card'), joinPath('', 'patches'), joinPath('', 'a patch card')]).toEqual([
      '\\\\patch card',
      'patches',
      'a patch card',
    ])
  })

  it('escapes every time it is asked, whatever was escaped before', () => {
    const names = ['a/b', 'plain', 'c#d', '/']
    expect(names.map((name) => joinPath('', name))).toEqual(['a\\/b', 'plain', 'c\\#d', '\\/'])
    expect(names.map((name) => joinPath('', name))).toEqual(['a\\/b', 'plain', 'c\\#d', '\\/'])
  })

  it('writes what no store keeps as its number', () => {
    expect(joinPath('', 'a\0b')).toBe('a\\u0000b')
    expect(keyedPath('ship', '\ud800')).toBe('ship[\\ud800]')
    expect(joinPath('', 'duck 🦆')).toBe('duck 🦆')
    expect(joinPath('', '\\u0000')).toBe('\\\\u0000')
  })

  it('survives being written as UTF-8, and holds no NUL', () => {
    fc.assert(
      fc.property(anyName(), anyName(), (name, key) => {
        const path = keyedPath(joinPath('', name), key)
        expect(Buffer.from(path).toString()).toBe(path)
        expect(path).not.toContain('\0')
      }),
    )
  })

  it('is another one for every other way to a step, and tells the way', () => {
    fc.assert(
      fc.property(fc.array(anyPart(), { minLength: 1, maxLength: 4 }), (parts) => {
        expect(readPath(pathOf(parts))).toEqual(parts)
      }),
      { numRuns: 2_000 },
    )
  })
})

function anyName(): fc.Arbitrary<string> {
  const letter = fc.oneof(
    fc.constantFrom('/', '[', ']', '#', '\\', '1', '2', 'u', '0', '\0', '\ud800', '\udfff'),
    fc.string({ unit: 'binary' }),
  )
  return fc
    .array(letter, { minLength: 1, maxLength: 6 })
    .map((letters) => letters.join(''))
    .filter((name) => name !== '')
}

function anyPart(): fc.Arbitrary<Part> {
  const key = fc.option(fc.oneof(anyName(), fc.constant('')), { nil: undefined })
  return fc.record({ name: anyName(), key, use: fc.integer({ min: 1, max: 12 }) })
}

function pathOf(parts: readonly Part[]): string {
  return parts.reduce((scope, { name, key, use }) => {
    const path = repeatedPath(joinPath(scope, name), use)
    return key === undefined ? path : keyedPath(path, key)
  }, '')
}

/** Reads a path back: what can be read back uniquely is unique. */
function readPath(path: string): Part[] {
  const text = String.raw`((?:[^/[\]#\\]|\\u[0-9a-f]{4}|\\[/[\]#\\])*)`
  const part = new RegExp(String.raw`${text}(?:#(\d+))?(?:\[${text}\])?(?:/|$)`, 'gy')
  const found = Array.from(path.matchAll(part), ([whole, name = '', use = '1', key]) => ({ whole, name, use, key }))
  const parts = found.filter(({ whole }, place) => whole !== '' || place < found.length - 1)
  return parts.map(({ name, use, key }) => ({
    name: unescape(name),
    key: key === undefined ? undefined : unescape(key),
    use: Number(use),
  }))
}

function unescape(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|(.))/g, (_, code: string | undefined, char: string) =>
    code === undefined ? char : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

it('a pattern leaves out keys and numbers, and nothing that is a part of a name', () => {
  expect(patternOf('charge#2')).toBe('charge')
  expect(patternOf('ship[sku-17]/pack#3')).toBe('ship[]/pack')
  expect(patternOf('out[x\\]/y]/in[2]/s')).toBe('out[]/in[]/s')
  expect(patternOf('a\\#2/b\\[c\\]')).toBe('a\\#2/b\\[c\\]')
})
