import { describe, expect, it } from 'vitest'
import { editDistance, meantText, nearestNames } from './nearest.ts'

describe('nearestNames', () => {
  const known = ['flight-delays', 'greet', 'great', 'order', 'send-email']

  it('finds what was meant, the nearest first', () => {
    expect(nearestNames('gret', known)).toEqual(['great', 'greet'])
    expect(nearestNames('ordre', known)).toEqual(['order'])
    expect(nearestNames('Greet', known)).toEqual(['greet', 'great'])
    expect(nearestNames('delays', known)).toEqual(['flight-delays'])
  })

  it('guesses nothing that is far away', () => {
    expect(nearestNames('invoice', known)).toEqual([])
  })

  it('counts insertions, deletions, replacements and swaps as one mistake each', () => {
    expect(editDistance('', 'abc')).toBe(3)
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('order', 'odrer')).toBe(1)
  })
})

describe('meantText', () => {
  it('asks whether one of the near names was meant, behind a sentence', () => {
    expect(meantText('ordre', ['order'])).toBe(" Did you mean 'order'?")
    expect(meantText('gret', ['greet', 'great'])).toBe(" Did you mean 'great' or 'greet'?")
  })

  it('says nothing where none is near', () => {
    expect(meantText('invoice', ['order'])).toBe('')
  })
})
