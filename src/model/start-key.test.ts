import { describe, expect, it } from 'vitest'
import { decideStart, keyMoves, scopeOf, type KeyedRun, type KeyedState, type StartKey } from './start-key.ts'

const found = (state: KeyedRun['state']): KeyedRun => ({ state, createdAt: 100, finishedAt: 200 })
const cache: StartKey = { rule: 'cache', key: 'k', ttlMs: 50 }
const throttle: StartKey = { rule: 'throttle', key: 'k', periodMs: 50 }

describe('decideStart', () => {
  it.each([
    { rule: 'attach', key: 'k' },
    { rule: 'replace', key: 'k' },
    { rule: 'debounce', key: 'k', mostMs: null },
    { rule: 'keepLast', key: 'k' },
    { rule: 'append', key: 'k', size: null, maxBytes: 9 },
    { rule: 'entity', key: 'k' },
  ] as const)('does as the table says, whatever the time: $rule', (key) => {
    for (const state of ['waiting', 'under_way', 'succeeded', 'failed'] as const) {
      expect(decideStart(key, found(state), 1e9)).toBe(keyMoves[key.rule][state])
    }
    expect(decideStart(key, undefined, 0)).toBe('start')
  })

  it('throttles from the start of the run, whatever became of it', () => {
    for (const state of ['waiting', 'under_way', 'succeeded', 'failed'] as const) {
      expect([149, 150].map((now) => decideStart(throttle, found(state), now))).toEqual(['attach', 'start'])
    }
  })

  it('caches from the end of the run, when it succeeded, and while it is under way', () => {
    const moves = (state: KeyedState & KeyedRun['state']): string[] =>
      [249, 250].map((now) => decideStart(cache, found(state), now))
    expect(moves('succeeded')).toEqual(['attach', 'start'])
    expect(moves('under_way')).toEqual(['attach', 'attach'])
    expect(moves('failed')).toEqual(['start', 'start'])
  })
})

it('gives attach and replace the same keys, and every other rule its own', () => {
  expect(scopeOf('attach')).toBe(scopeOf('replace'))
  expect([scopeOf('debounce'), scopeOf('cache')]).toEqual(['debounce', 'cache'])
})
