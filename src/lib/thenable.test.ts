import { describe, expect, it } from 'vitest'
import { isThenable, settle } from './thenable.ts'

describe('isThenable', () => {
  it.each([
    [Promise.resolve(1), true],
    [{ then: () => undefined }, true],
    [{ then: 1 }, false],
    [() => undefined, false],
    [null, false],
    [undefined, false],
    ['then', false],
  ])('%o is one: %s', (value, expected) => {
    expect(isThenable(value)).toBe(expected)
  })
})

describe('settle', () => {
  it('takes an object whose then cannot be read for a value', () => {
    const odd = {
      get then() {
        throw new Error('no then')
      },
    }
    expect(isThenable(odd)).toBe(false)
  })

  const settled = async (fn: () => unknown): Promise<string[]> => {
    const seen: string[] = []
    settle(
      fn,
      (value) => seen.push(`value ${String(value)}`),
      (error) => seen.push(`error ${String(error)}`),
    )
    seen.push('returned')
    await new Promise((resolve) => setImmediate(resolve))
    return seen
  }
  const thrown = new Error('thrown')

  it('hands over a value or an error at once', async () => {
    expect(await settled(() => 1)).toEqual(['value 1', 'returned'])
    expect(
      await settled(() => {
        throw thrown
      }),
    ).toEqual(['error Error: thrown', 'returned'])
  })

  it('waits for promises, and for what behaves like one', async () => {
    expect(await settled(() => Promise.resolve(1))).toEqual(['returned', 'value 1'])
    expect(await settled(() => Promise.reject(thrown))).toEqual(['returned', 'error Error: thrown'])
    expect(await settled(() => ({ then: (resolve: (value: number) => void) => resolve(2) }))).toEqual([
      'returned',
      'value 2',
    ])
  })
})
