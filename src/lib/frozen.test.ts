import { expect, it } from 'vitest'
import { frozen } from './frozen.ts'

it('freezes lists and plain objects at every depth, and gives back the same value', () => {
  const value = { list: [{ a: 1 }], bare: Object.assign(Object.create(null), { b: {} }) as { b: object } }
  expect(frozen(value)).toBe(value)
  expect([value, value.list, value.list[0], value.bare, value.bare.b].every((each) => Object.isFrozen(each))).toBe(true)
})

it('leaves what a class made as it is', () => {
  const value = { bytes: new Uint8Array(2), map: new Map([[1, {}]]), at: new URL('http://localhost') }
  frozen(value)
  value.bytes[0] = 7
  expect([value.bytes[0], Object.isFrozen(value.map), Object.isFrozen(value.at)]).toEqual([7, false, false])
})

it('comes to an end with circles, with a list of a million and with a depth of a hundred thousand', () => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  let deep: unknown[] = []
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
  const wide = Array.from({ length: 1_000_000 }, () => 1)
  expect([frozen(circle), frozen(deep), frozen(wide)].map((each) => Object.isFrozen(each))).toEqual([true, true, true])
})
