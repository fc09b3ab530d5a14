import { describe, expect, it } from 'vitest'
import { cut, cutMiddle, padEnd, padStart, widthOf, wrap } from './width.ts'

describe('width', () => {
  it('counts columns, not characters', () => {
    expect(widthOf('order')).toBe(5)
    expect(widthOf('日本')).toBe(4)
    expect(widthOf('🚀')).toBe(2)
    expect(widthOf('e\u0301')).toBe(1)
    expect(widthOf('\u001b[31mred\u001b[39m')).toBe(3)
  })

  it('cuts what does not fit and says so', () => {
    expect(cut('order', 5)).toBe('order')
    expect(cut('orders', 5)).toBe('orde…')
    expect(cut('日本語', 4)).toBe('日…')
    expect(cut('order', 0)).toBe('')
  })

  it('cuts the middle where both ends tell something', () => {
    expect(cutMiddle('ship[sku-17]/pack', 11)).toBe('ship[…/pack')
    expect(widthOf(cutMiddle('ship[sku-17]/pack', 10))).toBe(10)
  })

  it('pads to columns', () => {
    expect(padEnd('日', 4)).toBe('日  ')
    expect(padStart('7', 3)).toBe('  7')
  })

  it('breaks lines at spaces and leaves long words whole', () => {
    expect(wrap('look at what is left', 8)).toEqual(['look at', 'what is', 'left'])
    expect(wrap('see 01a1fc87-976f now\nthen', 8)).toEqual(['see', '01a1fc87-976f', 'now', 'then'])
  })
})
