// Where a store is on a Postgres: what its URL says.
import { optionInvalid } from '../../model/errors.ts'

export interface Place {
  /** For the driver. */
  readonly url: string
  /** For people: without the password, and with the schema where one was named. */
  readonly shown: string
  /** Where the tables are; other programs have theirs elsewhere. */
  readonly schema: string
  /** The connection goes through a pooler that gives it to others after each transaction. */
  readonly isPooled: boolean
}

const isName = /^[a-z_][a-z0-9_]{0,62}$/

/** Reads `postgres://…`, with `?schema=` (troupe, unless told) and `?pgbouncer=true`. Throws `option_invalid`. */
export function placeOf(text: string): Place {
  const url = parsed(text)
  const schema = url.searchParams.get('schema') ?? 'troupe'
  if (!isName.test(schema)) throw optionInvalid('schema', schema, 'a name of small letters, digits and _')
  const isPooled = url.searchParams.get('pgbouncer') === 'true'
  url.searchParams.delete('pgbouncer')
  const shown = shownOf(url)
  url.searchParams.delete('schema')
  return { url: url.href, shown, schema, isPooled }
}

export function isPostgresUrl(url: unknown): url is string {
  return typeof url === 'string' && /^postgres(ql)?:\/\//.test(url)
}

/** The lock of a store among all others of its server. */
export function lockOf({ schema }: Place): string {
  return `hashtextextended('troupe ${schema}', 0)`
}

/** A URL as people may see it, however wrong it is. */
export function withoutPassword(url: string): string {
  return url.replace(/:(?!\/\/).*@/, ':***@').replace(/(password=)[^&#]*/gi, '$1***')
}

/** The driver reads passwords from two places. */
function shownOf(url: URL): string {
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '***'
  for (const name of new Set(shown.searchParams.keys())) if (/password/i.test(name)) shown.searchParams.set(name, '***')
  return shown.href
}

function parsed(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw optionInvalid('store', withoutPassword(text), 'a URL, as postgres://user:password@host:5432/database')
  }
}
