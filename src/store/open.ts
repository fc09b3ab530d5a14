// Which store a URL asks for.
import { existsSync } from 'node:fs'
import type { Clock } from '../lib/clock.ts'
import { TroupeError } from '../lib/errors.ts'
import { openSqlite } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  readonly clock: Clock
  readonly synchronous: 'full' | 'normal'
  /** For those who only look: none is made. */
  readonly mustExist?: boolean
}

const inMemory = ':memory:'

/** Opens `sqlite:path` or `sqlite::memory:`. Throws `option_invalid` for another scheme, `store_…` when it cannot be opened. */
export async function openStore(url: string, { mustExist = false, ...options }: StoreOptions): Promise<Store> {
  if (typeof url === 'string' && url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length)
    if (mustExist && path !== inMemory && !existsSync(path)) throw storeMissing(path)
    if (path !== '') return openSqlite({ path, ...options })
  }
  throw new TroupeError(
    'option_invalid',
    `The store '${String(url)}' is not one this version can open: give sqlite:PATH, as in sqlite:.troupe/troupe.db, or sqlite::memory:.`,
    { details: { store: String(url) } },
  )
}

function storeMissing(location: string): TroupeError {
  return new TroupeError(
    'store_unavailable',
    `There is no store at ${location} yet: name one that is there, as in sqlite:.troupe/troupe.db.`,
    { details: { location } },
  )
}
