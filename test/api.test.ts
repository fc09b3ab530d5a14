// Keeps api.txt, the public types, up to date.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { entries } from '../scripts/entries.ts'
import { publicTypes } from '../scripts/public-types.ts'

describe('the public types', () => {
  it('are those of api.txt; when the change is meant, refresh it with `npm run api`', { timeout: 120_000 }, () => {
    expect(publicTypes(entries)).toBe(readFileSync('api.txt', 'utf8'))
  })
})
