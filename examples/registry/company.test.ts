import { expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { take } from './company.ts'

it('sells what is there, books it, and opens whole or not at all', async () => {
  const lines = await printedBy(() => import('./demo.ts'))
  expect(lines.filter((line) => !line.includes('ENOENT'))).toEqual([
    '3 pen sold, 2 left',
    'Error: not 3 of pen in stock',
    'true',
    'ledger: 3 pen',
    'registry_failed',
    'actors left: 0',
  ])
})

it('is tested without an actor where it decides', () => {
  const stock = new Map([['pen', 2]])
  expect([1, 2, 3].map((count) => take(stock, { item: 'pen', count }))).toEqual([1, 0, undefined])
  expect(take(stock, { item: 'ink', count: 1 })).toBeUndefined()
})
