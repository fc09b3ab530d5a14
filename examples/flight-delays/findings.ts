// Turns the finished counts into what the report says: means with their margins, medians, the worst hour and airports.

import type { Airport, Airports } from './airports.ts'
import { distanceBands, type BadRows, type Counts, type Tally } from './aggregate.ts'
import type { Inputs } from './files.ts'
import type { Dataset } from './parse.ts'

/** Below these, a mean says more about chance than about flying. */
export const enoughFlights = { hourPlotted: 100, hourRanked: 1000, airportColoured: 30, airportRanked: 100 } as const

const longestRanking = 12

/** A group of flights in figures; `null` where there are too few to compute one. */
export interface Group {
  readonly flights: number
  /** Mean arrival delay, minutes. */
  readonly mean: number | null
  /** Half the width of the mean's 95 % interval, minutes. */
  readonly margin: number | null
  /** Of the flights, those late by more than 15 minutes; 0–1. */
  readonly lateShare: number | null
}

export interface HourGroup extends Group {
  readonly hour: number
}

export interface BandGroup extends Group {
  /** Miles: from, up to but not including to; `null` is no upper end. */
  readonly from: number
  readonly to: number | null
}

export interface AirportGroup extends Group {
  readonly airport: Airport
}

export interface FileQuality {
  readonly file: string
  readonly rows: number
  readonly bad: number
  readonly sha256: string
}

export interface BadRowsOfFile extends BadRows {
  readonly file: string
}

export interface Findings {
  readonly overall: Group & { readonly median: number; readonly p10: number; readonly p90: number }
  /** `[minutes of delay, flights]`, by rising delay. */
  readonly delays: Counts['delays']
  readonly hours: readonly HourGroup[]
  readonly bands: readonly BandGroup[]
  /** By code; those missing from airports.csv are in `unknownAirports`. */
  readonly airports: readonly AirportGroup[]
  readonly airportSample: Group & { readonly firstDay: string | null; readonly lastDay: string | null }
  readonly unknownAirports: readonly { readonly iata: string; readonly flights: number }[]
  readonly files: readonly FileQuality[]
  readonly badRows: readonly BadRowsOfFile[]
}

/** The counts of both flight files, each already merged. */
export type CountsByDataset = Readonly<Record<Dataset, Counts>>

/**
 * Works out every figure of the report.
 *
 * Hours, distances and the overall figures come from the larger file, airports from the smaller one, the only one that
 * names them. The two are samples of the same quarter that overlap, so they are never added together.
 */
export function findingsOf(counts: CountsByDataset, airports: Airports, inputs: Inputs): Findings {
  const large = counts['flights-200k']
  const small = counts['flights-20k']
  return {
    overall: {
      ...groupOf(large.total),
      median: quantile(large, 0.5),
      p10: quantile(large, 0.1),
      p90: quantile(large, 0.9),
    },
    delays: large.delays,
    hours: large.hours.map((tally, hour) => ({ hour, ...groupOf(tally) })),
    bands: large.bands.map((tally, band) => ({ ...edgesOf(band), ...groupOf(tally) })),
    airports: small.origins.flatMap(([iata, tally]) => {
      const airport = airports.byCode.get(iata)
      return airport ? [{ airport, ...groupOf(tally) }] : []
    }),
    airportSample: { ...groupOf(small.total), firstDay: small.firstDay, lastDay: small.lastDay },
    unknownAirports: small.origins
      .filter(([iata]) => !airports.byCode.has(iata))
      .map(([iata, tally]) => ({ iata, flights: tally.flights })),
    files: [
      ...inputs.flights.map(({ file, sha256, dataset }) => {
        const { rows, bad } = counts[dataset]
        return { file, rows, bad: bad.reduce((total, group) => total + group.count, 0), sha256 }
      }),
      { file: inputs.airports.file, rows: airports.rows, bad: airports.bad.length, sha256: inputs.airports.sha256 },
    ],
    badRows: inputs.flights.flatMap(({ file, dataset }) => counts[dataset].bad.map((group) => ({ file, ...group }))),
  }
}

/** The hours that can be compared, from the most delayed to the least. */
export function rankHours(findings: Findings): (HourGroup & { readonly mean: number })[] {
  return findings.hours
    .filter((hour) => hour.flights >= enoughFlights.hourRanked)
    .filter(hasMean)
    .sort((a, b) => b.mean - a.mean || a.hour - b.hour)
}

/** The airports of departure with enough flights, from the most delayed on, at most twelve. */
export function worstAirports(findings: Findings): (AirportGroup & { readonly mean: number })[] {
  return findings.airports
    .filter((airport) => airport.flights >= enoughFlights.airportRanked)
    .filter(hasMean)
    .sort((a, b) => b.mean - a.mean || (a.airport.iata < b.airport.iata ? -1 : 1))
    .slice(0, longestRanking)
}

/** The smallest delay that at least `share` of the flights do not exceed; 0 when there are none. */
export function quantile(counts: Pick<Counts, 'delays' | 'total'>, share: number): number {
  const wanted = Math.max(1, Math.ceil(counts.total.flights * share))
  let seen = 0
  for (const [delay, flights] of counts.delays) {
    seen += flights
    if (seen >= wanted) return delay
  }
  return 0
}

function groupOf({ flights, minutes, squares, late }: Tally): Group {
  if (flights === 0) return { flights, mean: null, margin: null, lateShare: null }
  const mean = minutes / flights
  const variance = flights > 1 ? Math.max(0, squares - minutes * mean) / (flights - 1) : null
  const margin = variance === null ? null : 1.96 * Math.sqrt(variance / flights)
  return { flights, mean, margin, lateShare: late / flights }
}

const edgesOf = (band: number) => ({ from: distanceBands[band]!, to: distanceBands[band + 1] ?? null })

export function hasMean<G extends Group>(group: G): group is G & { readonly mean: number } {
  return group.mean !== null
}
