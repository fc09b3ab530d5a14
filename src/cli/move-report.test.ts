import { expect, it } from 'vitest'
import { drawMove } from './move-report.ts'
import { plain } from './paint.ts'

const progress = { doing: 'copy', table: 'step', rows: 90_000, total: 200_000 } as const

it.each([
  [80, 'copying  ━━━━━━━━━━━━━╸──────────────── 45%  90,000/200,000 rows  step'],
  [46, 'copying  ━━━━╸───── 45%  90,000/200,000 rows'],
  [24, 'copying  ━━━━╸──── 45%'],
  [10, 'copying'],
  [4, ''],
])('fits a line of %i columns', (width, line) => {
  expect(drawMove(progress, width, plain)).toBe(line)
})

it('is full when there is nothing to move', () => {
  expect(drawMove({ doing: 'compare', table: 'ask', rows: 0, total: 0 }, 26, plain)).toBe('comparing  ━━━━━━━━━100%')
})

it('ends without a table', () => {
  const opening = { doing: 'open', table: '', rows: 7, total: 7 } as const
  expect(drawMove(opening, 80, plain)).toBe('opening  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━100%  7/7 rows')
})
