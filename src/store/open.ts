// Which store a URL asks for.
import { existsSync } from 'node:fs'
import type { Clock } from '../lib/clock.ts'
import { TroupeError } from '../lib/errors.ts'
import { codedLists, type ListForm } from '../model/append.ts'
import { seenFromOutside, type Coding } from '../model/codecs/codecs.ts'
import { codedStore } from './coded.ts'
import { checkCoding, codingFromOutside, proveCoding } from './proving.ts'
import { isPostgresUrl, withoutPassword } from './postgres/place.ts'
import { openPostgres, requirePostgres } from './postgres/postgres.ts'
import { openSqlite } from './sqlite/sqlite.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  readonly clock: Clock
  readonly synchronous: 'full' | 'normal'
  /** The form of what is stored of the data of programs; as it was encoded, unless told. */
  readonly coding?: Coding | undefined
  /** Nothing is written, and nobody is told of the coding. */
  readonly isLooking?: boolean
  /** False refuses a store whose tables are not those of this version, in place of making them so. */
  readonly migrate?: boolean
}

const inMemory = ':memory:'

/**
 * Opens `sqlite:path`, `sqlite::memory:` or `postgres://…`. Throws `option_invalid` for another scheme, `store_…` when it cannot be opened,
 * `value_unreadable` for codecs and keys that are not those of the store.
 */
export async function openStore(url: string, { coding, isLooking = false, ...options }: StoreOptions): Promise<Store> {
  const lists = coding && codedLists(coding)
  const store = await openPlain(url, { ...options, ...(lists && { lists }) })
  try {
    return await withCoding(store, coding, isLooking)
  } catch (error) {
    await store.close()
    throw error
  }
}

interface PlainOptions extends Pick<StoreOptions, 'clock' | 'synchronous' | 'migrate'> {
  readonly lists?: ListForm
}

async function openPlain(url: unknown, options: PlainOptions): Promise<Store> {
  const path = pathOf(url)
  if (path) return openSqlite({ path, ...options })
  if (isPostgresUrl(url)) return openPostgres({ url, ...options })
  throw new TroupeError(
    'option_invalid',
    `The store '${withoutPassword(String(url))}' is not one this version can open: give sqlite:PATH, as in sqlite:.troupe/troupe.db, sqlite::memory: or postgres://….`,
    { details: { store: withoutPassword(String(url)) } },
  )
}

/** Makes the tables of a store, or brings them up to date, and tells where it is. Throws `option_invalid`, `store_…`. */
export async function migrateTables(url: string, clock: Clock): Promise<string> {
  const store = await openPlain(url, { clock, synchronous: 'full' })
  await store.close()
  return store.location
}

/** Throws `store_unavailable` when there is no store yet: who only looks must not make one. `shown` is its path as people know it. */
export async function requireStore(url: string, shown = (path: string): string => path): Promise<void> {
  if (isPostgresUrl(url)) return requirePostgres(url)
  const location = pathOf(url)
  if (!location || location === inMemory || existsSync(location)) return
  throw new TroupeError(
    'store_unavailable',
    `There is no store at ${shown(location)} yet: programs and \`troupe run\` make one. If it is elsewhere, name that, as in --store sqlite:/srv/shop/.troupe/troupe.db.`,
    { details: { location } },
  )
}

async function withCoding(store: Store, coding: Coding | undefined, isLooking: boolean): Promise<Store> {
  if (coding === seenFromOutside) return codedStore(store, await codingFromOutside(store))
  // Who has no codecs is told so of each run.
  if (!isLooking) await proveCoding(store, coding)
  else if (coding !== undefined) await checkCoding(store, coding)
  return coding === undefined ? store : codedStore(store, coding)
}

/** The path of `sqlite:PATH`; undefined for another URL. */
export function pathOf(url: unknown): string | undefined {
  return typeof url === 'string' && url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined
}
