// Where the sides of the Postgres bench keep their runs: databases of one server.
import { ask, type Within } from '../postgres-server.ts'
import type { Counts, Place } from '../queue/place.ts'
import { RawPostgres } from './raw.ts'

const countAll = `select (select count(*) from troupe.run) as runs, (select count(*) from troupe.finished) as finished`

export const onPostgres = (fresh: Within): Place => ({
  fresh,
  count: countRuns,
  openRaw: (url) => RawPostgres.open(url),
})

export async function countRuns(url: string): Promise<Counts> {
  const [counts] = await ask<Record<keyof Counts, string>>(url, countAll)
  return { runs: Number(counts?.runs), finished: Number(counts?.finished) }
}
