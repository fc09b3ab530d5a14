// Numbers that only rise: run ids, epochs and the store's clock.
import type { Connection } from './connection/connection.ts'

// Takes a block of numbers; by primary key.
const takeNumbers = `update counter set value = value + ? where name = ? returning value`

// Moves the clock forward, never back; by primary key.
const advanceClock = `
update counter set value = max(value, ?) where name = 'clock' returning value`

const readClock = `select value from counter where name = 'clock'`

export type CounterName = 'run' | 'epoch' | 'turn' | 'message'

/** Takes `count` numbers that nobody else gets and returns the first. */
export function takeFrom(db: Connection, name: CounterName, count: number): number {
  const row = db.get<{ value: number }>(takeNumbers, count, name)
  if (row === undefined) throw new Error(`The store has no counter named ${name}`)
  return row.value - count + 1
}

export function moveClock(db: Connection, now: number): number {
  return db.get<{ value: number }>(advanceClock, now)?.value ?? now
}

export function clockValue(db: Connection): number {
  return db.get<{ value: number }>(readClock)?.value ?? 0
}
