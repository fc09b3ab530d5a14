// Numbers that only rise: run ids, epochs and the store's clock.
import type { Query } from '../query.ts'
import type { Database } from './database/database.ts'

// Takes a block of numbers; by primary key, and on Postgres of a sequence. Whoever asks is alone on the store.
const takeNumbers = (name: CounterName): string =>
  `update counter set value = value + ? where name = '${name}' returning value`

// Moves the clock forward, never back; by primary key.
const advanceClock = `
update counter set value = case when value > ?1 then value else ?1 end where name = 'clock' returning value`

const readClock = `select value from counter where name = 'clock'`

export type CounterName = 'run' | 'epoch' | 'turn' | 'message'

/** Takes `count` numbers that nobody else gets and returns the first. */
export function* takeFrom(db: Database, name: CounterName, count: number): Query<number> {
  const row = yield* db.get<{ value: number }>(takeNumbers(name), count)
  if (row === undefined) throw new Error(`The store has no counter named ${name}`)
  return row.value - count + 1
}

export function* moveClock(db: Database, now: number): Query<number> {
  const row = yield* db.get<{ value: number }>(advanceClock, now)
  return row?.value ?? now
}

export function* clockValue(db: Database): Query<number> {
  const row = yield* db.get<{ value: number }>(readClock)
  return row?.value ?? 0
}
