import { expect, it, vi } from 'vitest'
import { freshDatabase } from '../../test/postgres.ts'
import { printedBy } from '../printed.ts'

it('ships what was ordered, and nothing that was not', { timeout: 60_000 }, async () => {
  vi.stubEnv('DATABASE_URL', await freshDatabase())
  expect(await printedBy(() => import('./demo.ts'))).toEqual([
    'parcel 1: book',
    'parcel 2: book',
    'error: new row for relation "stock" violates check constraint "stock_count_check"',
    'parcel 1: pen in paper',
    '3 parcels',
  ])
  vi.unstubAllEnvs()
})
