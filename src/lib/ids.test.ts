import { describe, expect, it } from 'vitest'
import { systemClock, type Clock } from './clock.ts'
import { createIds, type RandomSource } from './ids.ts'

/** A clock that shows what the test sets. */
function clockAt(ms: number): Clock & { set(ms: number): void } {
  let now = ms
  return { ...systemClock, now: () => now, set: (ms) => void (now = ms) }
}

/** Fills with one byte and counts how often it was asked. */
function constantBytes(byte: number): RandomSource & { fills: number } {
  const source = {
    fills: 0,
    fill: (bytes: Uint8Array) => {
      source.fills += 1
      bytes.fill(byte)
    },
    next: () => 0.25,
  }
  return source
}

/** The time and the counter of an id. */
function partsOf(id: string): [ms: number, counter: number] {
  return [Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16), Number.parseInt(id.slice(15, 18), 16)]
}

describe('Ids', () => {
  it('makes a UUIDv7 of the time, a counter and random bytes', () => {
    const ids = createIds(clockAt(0x0123456789ab), constantBytes(0xff))
    expect([ids.uuid(), ids.uuid()]).toEqual([
      '01234567-89ab-7100-bfff-ffffffffffff',
      '01234567-89ab-7101-bfff-ffffffffffff',
    ])
  })

  it('sets the variant bits whatever the random bytes are', () => {
    expect(createIds(clockAt(1), constantBytes(0)).uuid()).toBe('00000000-0001-7100-8000-000000000000')
  })

  it('gives each id eight random bytes of its own', () => {
    let next = 0
    const counting: RandomSource = {
      fill: (bytes) => bytes.forEach((_, at) => (bytes[at] = next++ & 0xff)),
      next: () => 0,
    }
    const ids = createIds(clockAt(1), counting)
    expect([ids.uuid().slice(19), ids.uuid().slice(19)]).toEqual(['8001-020304050607', '8809-0a0b0c0d0e0f'])
  })

  it('starts the counter again in the next millisecond', () => {
    const clock = clockAt(5)
    const ids = createIds(clock, constantBytes(0))
    ids.uuid()
    ids.uuid()
    clock.set(6)
    expect(partsOf(ids.uuid())).toEqual([6, 0x100])
  })

  it('keeps counting from the latest time when the wall clock steps back', () => {
    const clock = clockAt(5000)
    const ids = createIds(clock, constantBytes(0))
    ids.uuid()
    clock.set(10)
    expect(partsOf(ids.uuid())).toEqual([5000, 0x101])
  })

  it('takes the next millisecond early when one is used up', () => {
    const ids = createIds(clockAt(7), constantBytes(0))
    const all = Array.from({ length: 0x1000 - 0x100 + 1 }, () => ids.uuid())
    expect(all.slice(-2).map(partsOf)).toEqual([
      [7, 0xfff],
      [8, 0x100],
    ])
  })

  it('rises strictly through 20,000 ids while the clock jumps about', () => {
    const clock = clockAt(1_000_000)
    const ids = createIds(clock)
    const all = Array.from({ length: 20_000 }, (_, index) => {
      clock.set(1_000_000 + ((index * 7919) % 13) - 6)
      return ids.uuid()
    })
    expect(all.toSorted()).toEqual(all)
    expect(new Set(all).size).toBe(20_000)
  })

  it('draws random bytes once for 512 ids', () => {
    const random = constantBytes(1)
    const ids = createIds(clockAt(1), random)
    for (let made = 0; made < 512; made++) ids.uuid()
    expect(random.fills).toBe(1)
    ids.uuid()
    expect(random.fills).toBe(2)
  })

  it('hands on the numbers of its source', () => {
    expect(createIds(clockAt(1), constantBytes(0)).random()).toBe(0.25)
  })

  it('draws from the system when no source is given', () => {
    const [one, other] = [createIds(clockAt(1)), createIds(clockAt(1))]
    expect(one.uuid()).toMatch(/^00000000-0001-7100-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(one.uuid().slice(19)).not.toBe(other.uuid().slice(19))
    const numbers = Array.from({ length: 100 }, () => one.random())
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    expect(new Set(numbers).size).toBe(100)
  })
})
