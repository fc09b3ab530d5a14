// Sizes as people read them.
import { expect, it } from 'vitest'
import { formatBytes } from './bytes.ts'

it('writes sizes in the unit that fits', () => {
  expect([0, 512, 1_024, 1_536, 12 * 1_048_576, 7.25 * 2 ** 30, 3 * 2 ** 50].map(formatBytes)).toEqual([
    '0 bytes',
    '512 bytes',
    '1 KiB',
    '1.5 KiB',
    '12 MiB',
    '7.3 GiB',
    '3072 TiB',
  ])
})
