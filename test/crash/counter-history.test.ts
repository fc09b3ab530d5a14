// The checker of histories of a counter: what it takes, and what it finds.
import { expect, it } from 'vitest'
import { faultsOfCounter, type CountAsk } from './counter-history.ts'

const ask = (from: number, to: number, n: number | null): CountAsk => ({ from, to, n })

it('takes answers that could come from one place: in turn, at the same time, and with some that nobody heard', () => {
  expect(faultsOfCounter([], 0)).toEqual([])
  expect(faultsOfCounter([ask(0, 1, 1), ask(2, 3, 2)], 2)).toEqual([])
  expect(faultsOfCounter([ask(0, 9, 2), ask(1, 8, 1), ask(2, 3, 3)], 3)).toEqual([])
  expect(faultsOfCounter([ask(0, 1, 1), ask(0, 5, null), ask(2, 3, 3)], 3)).toEqual([])
  expect(faultsOfCounter([ask(0, 1, 1), ask(0, 5, null)], 1)).toEqual([])
})

it('finds a number that was given twice', () => {
  expect(faultsOfCounter([ask(0, 1, 1), ask(0, 2, 1)], 2)).toContain('1 was answered twice')
})

it('finds a later ask with a lower number', () => {
  const faults = faultsOfCounter([ask(0, 1, 2), ask(2, 3, 1)], 2)
  expect(faults).toEqual(['2 was answered before an ask began that was answered with less'])
})

it('finds what was counted twice, and what was lost', () => {
  expect(faultsOfCounter([ask(0, 1, 1), ask(2, 3, 3)], 3)).toEqual([
    '1 were counted that nobody was told, and 0 asks had no answer',
  ])
  expect(faultsOfCounter([ask(0, 1, 1), ask(2, 3, 2)], 1)).toEqual([
    '2 was answered, and the counter is at 1',
    '2 were answered, and the counter is at 1',
  ])
})
