// How long claims take while somebody's transaction stays open, so that the server can clear away nothing that has gone since.
import pg from 'pg'
import { quantiles, wait, type Quantiles } from '../measure.ts'
import type { Within } from '../postgres-server.ts'
import { Claimer } from '../queue/claimer.ts'
import { noop, openOn } from '../queue/ours.ts'
import { jobOf } from '../queue/work.ts'

/** How many runs come at a time, and each how many ms: 2,000 a second. */
const atOnce = 50
const eachMs = 25

export interface Held {
  /** Of each tenth of the time. */
  readonly tenths: readonly Quantiles[]
  readonly all: Quantiles
  /** How many runs a second have come and gone. */
  readonly perSecond: number
  /** Rows of `live` that have gone and are still there. */
  readonly deadRows: number
}

export const claimsBesideHeld = (fresh: Within, minutes: number, tell: (part: number) => void): Promise<Held> =>
  fresh(async (store) => {
    const client = await openOn(store)
    const claimer = await Claimer.open(store)
    const holder = new pg.Client({ connectionString: store })
    await holder.connect()
    await holder.query('begin isolation level repeatable read')
    await holder.query('select count(*) from troupe.live')
    const ticks = Math.round((minutes * 60_000) / eachMs)
    const times: number[] = []
    const startedAt = performance.now()
    for (let tick = 0; tick < ticks; tick++) {
      const earlyMs = startedAt + tick * eachMs - performance.now()
      if (earlyMs > 0) await wait(earlyMs)
      await client.callMany(
        noop,
        Array.from({ length: atOnce }, (_, i) => jobOf(i)),
      )
      times.push(await claimer.claim(atOnce))
      if (tick % 100 === 0) tell(tick / ticks)
    }
    const perSecond = ((ticks * atOnce) / (performance.now() - startedAt)) * 1_000
    const { rows } = await holder.query<{ dead: string }>(
      `select n_dead_tup as dead from pg_stat_user_tables where schemaname = 'troupe' and relname = 'live'`,
    )
    await holder.query('rollback')
    await holder.end()
    await claimer.close()
    await client.stop()
    const tenth = times.length / 10
    const tenths = Array.from({ length: 10 }, (_, i) => quantiles(times.slice(i * tenth, (i + 1) * tenth)))
    return { tenths, all: quantiles(times), perSecond, deadRows: Number(rows[0]?.dead) }
  })
