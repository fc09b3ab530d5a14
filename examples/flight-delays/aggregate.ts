// Counts flights in a form that can be added up in any order with the same result: whole numbers only.

import { parseRow, type BadRowReason, type Dataset, type Flight } from './parse.ts'
import type { RawRow } from './rows.ts'

/** A flight is late when it arrives more than this many minutes after its time. */
export const lateAfterMinutes = 15

/** Lower edges of the distance bands in miles; each band ends where the next begins. */
export const distanceBands = [0, 250, 500, 750, 1000, 1500, 2000, 2500] as const

const samplesPerReason = 3
const longestSample = 120

/** Sums over a group of flights. The squares are what a margin of error is computed from. */
export interface Tally {
  readonly flights: number
  readonly minutes: number
  readonly squares: number
  readonly late: number
}

export interface BadRow {
  /** Position in the file, the first row being 0. */
  readonly row: number
  readonly text: string
}

export interface BadRows {
  readonly reason: BadRowReason
  readonly count: number
  /** The first few of them, in the order of the file. */
  readonly samples: readonly BadRow[]
}

/** What one chunk of rows, or any number of chunks added together, amounts to. */
export interface Counts {
  readonly rows: number
  readonly bad: readonly BadRows[]
  readonly total: Tally
  /** `[minutes of delay, flights]`, by rising delay. */
  readonly delays: readonly (readonly [number, number])[]
  readonly hours: readonly Tally[]
  readonly bands: readonly Tally[]
  /** By airport of departure, by code; empty where the file does not name it. */
  readonly origins: readonly (readonly [string, Tally])[]
  readonly firstDay: string | null
  readonly lastDay: string | null
}

const emptyTally: Tally = { flights: 0, minutes: 0, squares: 0, late: 0 }

/** Counts the rows of one chunk; `firstRow` is where in the file it begins. */
export function countRows(dataset: Dataset, firstRow: number, rows: readonly RawRow[]): Counts {
  const counter = new Counter()
  rows.forEach((row, index) => {
    const parsed = parseRow(dataset, row)
    if ('flight' in parsed) counter.addFlight(parsed.flight)
    else counter.addBadRow(parsed.reason, { row: firstRow + index, text: sampleOf(row) })
  })
  return counter.counts()
}

/** Adds chunks together; the order they come in makes no difference. */
export function mergeCounts(parts: readonly Counts[]): Counts {
  const days = parts
    .flatMap((part) => [part.firstDay, part.lastDay])
    .filter((day) => day !== null)
    .sort()
  return {
    rows: sum(parts.map((part) => part.rows)),
    bad: mergeBadRows(parts.flatMap((part) => part.bad)),
    total: addTallies(parts.map((part) => part.total)),
    delays: mergePairs(
      parts.flatMap((part) => part.delays),
      sum,
    ).sort(([a], [b]) => a - b),
    hours: emptyHours().map((_, hour) => addTallies(parts.map((part) => part.hours[hour]!))),
    bands: distanceBands.map((_, band) => addTallies(parts.map((part) => part.bands[band]!))),
    origins: mergePairs(
      parts.flatMap((part) => part.origins),
      addTallies,
    ).sort(byCode),
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
  }
}

function addTallies(tallies: readonly Tally[]): Tally {
  return {
    flights: sum(tallies.map((tally) => tally.flights)),
    minutes: sum(tallies.map((tally) => tally.minutes)),
    squares: sum(tallies.map((tally) => tally.squares)),
    late: sum(tallies.map((tally) => tally.late)),
  }
}

/** The position in `distanceBands` of the band that holds `miles`. */
export function bandOf(miles: number): number {
  return distanceBands.findLastIndex((edge) => miles >= edge)
}

class Counter {
  #rows = 0
  #total = emptyTally
  #firstDay: string | null = null
  #lastDay: string | null = null
  readonly #hours = emptyHours()
  readonly #bands: Tally[] = distanceBands.map(() => emptyTally)
  readonly #delays = new Map<number, number>()
  readonly #origins = new Map<string, Tally>()
  readonly #bad: BadRows[] = []

  addFlight(flight: Flight): void {
    const { delay, day, origin } = flight
    const band = bandOf(flight.distance)
    this.#rows += 1
    this.#total = withDelay(this.#total, delay)
    this.#hours[flight.hour] = withDelay(this.#hours[flight.hour]!, delay)
    this.#bands[band] = withDelay(this.#bands[band]!, delay)
    this.#delays.set(delay, (this.#delays.get(delay) ?? 0) + 1)
    if (origin !== undefined) this.#origins.set(origin, withDelay(this.#origins.get(origin) ?? emptyTally, delay))
    if (day === undefined) return
    if (this.#firstDay === null || day < this.#firstDay) this.#firstDay = day
    if (this.#lastDay === null || day > this.#lastDay) this.#lastDay = day
  }

  addBadRow(reason: BadRowReason, sample: BadRow): void {
    this.#rows += 1
    this.#bad.push({ reason, count: 1, samples: [sample] })
  }

  counts(): Counts {
    return {
      rows: this.#rows,
      bad: mergeBadRows(this.#bad),
      total: this.#total,
      delays: [...this.#delays].sort(([a], [b]) => a - b),
      hours: this.#hours,
      bands: this.#bands,
      origins: [...this.#origins].sort(byCode),
      firstDay: this.#firstDay,
      lastDay: this.#lastDay,
    }
  }
}

function withDelay(tally: Tally, delay: number): Tally {
  return {
    flights: tally.flights + 1,
    minutes: tally.minutes + delay,
    squares: tally.squares + delay * delay,
    late: tally.late + (delay > lateAfterMinutes ? 1 : 0),
  }
}

function mergeBadRows(groups: readonly BadRows[]): BadRows[] {
  const byReason = mergePairs(
    groups.map((group) => [group.reason, group] as const),
    (same) => ({
      reason: same[0]!.reason,
      count: sum(same.map((group) => group.count)),
      samples: same
        .flatMap((group) => group.samples)
        .sort((a, b) => a.row - b.row)
        .slice(0, samplesPerReason),
    }),
  )
  return byReason.map(([, group]) => group).sort((a, b) => (a.reason < b.reason ? -1 : 1))
}

function mergePairs<K, V>(pairs: readonly (readonly [K, V])[], merge: (values: readonly V[]) => V): [K, V][] {
  const groups = new Map<K, V[]>()
  for (const [key, value] of pairs) {
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return [...groups].map(([key, values]) => [key, merge(values)])
}

function sampleOf(row: RawRow): string {
  const text = 'brokenText' in row ? row.brokenText : JSON.stringify(row.value)
  return text.length > longestSample ? `${text.slice(0, longestSample - 1)}…` : text
}

const emptyHours = (): Tally[] => Array.from({ length: 24 }, () => emptyTally)

const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0)

const byCode = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0
