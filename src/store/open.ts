// Which store a URL asks for.
import { existsSync } from 'node:fs'
import type { Clock } from '../lib/clock.ts'
import { TroupeError } from '../lib/errors.ts'
import type { Coding } from '../lib/value-codec.ts'
import { codedStore } from './coded.ts'
import { openSqlite } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  readonly clock: Clock
  readonly synchronous: 'full' | 'normal'
  /** For those who only look: none is made. */
  readonly mustExist?: boolean
  /** The form of what is stored of the data of programs; as it was encoded, unless told. */
  readonly coding?: Coding | undefined
}

const inMemory = ':memory:'

/** Opens `sqlite:path` or `sqlite::memory:`. Throws `option_invalid` for another scheme, `store_…` when it cannot be opened. */
export async function openStore(url: string, { mustExist = false, ...options }: StoreOptions): Promise<Store> {
  if (typeof url === 'string' && url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length)
    if (mustExist && path !== inMemory && !existsSync(path)) throw storeMissing(path)
    const { coding, ...rest } = options
    if (path !== '') return coded(await openSqlite({ path, ...rest }), coding)
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

/** A store as a process sees it that has a coding. */
export function coded(store: Store, coding: Coding | undefined): Store {
  return coding === undefined ? store : codedStore(store, coding)
}
