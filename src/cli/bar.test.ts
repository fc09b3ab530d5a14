import { describe, expect, it } from 'vitest'
import { drawBar, percent, shareOf } from './bar.ts'
import { plain } from './paint.ts'

describe('bar', () => {
  it('is as wide as asked at every share', () => {
    for (let share = 0; share <= 1; share += 0.01) expect(drawBar(share, 17, plain)).toHaveLength(17)
  })

  it('draws half cells', () => {
    expect(drawBar(0, 4, plain)).toBe('────')
    expect(drawBar(0.375, 4, plain)).toBe('━╸──')
    expect(drawBar(0.5, 4, plain)).toBe('━━──')
    expect(drawBar(1, 4, plain)).toBe('━━━━')
  })

  it('shows something as soon as anything is done, and is full only when all is', () => {
    expect(drawBar(0.0001, 4, plain)).toBe('╸───')
    expect(drawBar(0.9999, 4, plain)).toBe('━━━╸')
    expect(percent(0.9999)).toBe('99%')
    expect(percent(0.29)).toBe('29%')
  })

  it('measures nothing when there is no total, and never leaves 0 to 1', () => {
    expect(shareOf(undefined)).toBeUndefined()
    expect(shareOf({ done: 3, total: 0 })).toBeUndefined()
    expect(shareOf({ done: 7, total: 5 })).toBe(1)
    expect(shareOf({ done: -7, total: 5 })).toBe(0)
  })
})
