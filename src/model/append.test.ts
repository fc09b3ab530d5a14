import { describe, expect, it } from 'vitest'
import { decode, encode } from '../lib/codec.ts'
import { appendList, isFullList, type Room } from './append.ts'

const anyRoom: Room = { size: null, maxBytes: 1_000 }

const appended = (list: unknown[], added: unknown[], room = anyRoom): unknown => {
  const result = appendList(encode(list), encode(added), room)
  return result === undefined ? undefined : [decode(result.input), result.isFull]
}

describe('appendList', () => {
  it.each([
    [[1], [2, 3]],
    [[], [1]],
    [[1], []],
    [[], []],
    [[new Date(1)], ['a']],
    [['a'], [new Map([[1, 2n]])]],
    [[undefined], [[1]]],
    [['a,"]'], ['[']],
  ])('puts %j and %j one behind the other', (list, added) => {
    expect(appended(list, added)).toEqual([[...list, ...added], false])
    expect(appended(list, added, { size: 9, maxBytes: 1_000 })).toEqual([[...list, ...added], false])
  })

  it('says when it is full, and takes no part of what does not fit', () => {
    const room = { size: 3, maxBytes: 1_000 }
    expect(appended([1, 2], [3], room)).toEqual([[1, 2, 3], true])
    expect(appended([1, 2], [3, 4], room)).toBeUndefined()
  })

  it('takes as many bytes as there is room for, counted in UTF-8', () => {
    expect(appended(['12345678'], ['9'], { size: null, maxBytes: 17 })).toEqual([['12345678', '9'], false])
    expect(appended(['12345678'], ['9'], { size: null, maxBytes: 16 })).toBeUndefined()
    expect(appended(['€€€€€€€€'], ['9'], { size: null, maxBytes: 17 })).toBeUndefined()
  })
})

it('a list is full with so many items or more', () => {
  const isFull = (size: number | null): boolean => isFullList(encode([1, 2]), { size })
  expect([isFull(null), isFull(3), isFull(2), isFull(1)]).toEqual([false, false, true, true])
})
