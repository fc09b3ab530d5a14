// What the workflow returns, and how a terminal shows it.

import { rankHours, worstAirports, type BandGroup, type Findings, type Group } from './findings.ts'
import { count, decimal, hourRange, miles, percent } from './words.ts'

export interface Summary {
  readonly rowsRead: number
  readonly badRows: number
  readonly badRowsByReason: readonly { readonly file: string; readonly reason: string; readonly count: number }[]
  /** Of the 200,000-flight sample: arrival delay in minutes, and the share more than 15 minutes late (0–1). */
  readonly mean: number | null
  readonly median: number
  readonly lateShare: number | null
  /** Among hours with enough flights to compare. */
  readonly worstHour: (Group & { readonly hour: number }) | null
  readonly distances: readonly BandGroup[]
  readonly worstAirports: readonly (Group & { readonly iata: string; readonly place: string })[]
  /** Absolute paths of what was written. */
  readonly report: string
  readonly charts: readonly string[]
}

const airportsShown = 5

export function summaryOf(findings: Findings, written: Pick<Summary, 'report' | 'charts'>): Summary {
  const { overall, files, badRows, bands } = findings
  const flightFiles = files.filter(({ file }) => file.endsWith('.json'))
  return {
    rowsRead: flightFiles.reduce((total, file) => total + file.rows, 0),
    badRows: flightFiles.reduce((total, file) => total + file.bad, 0),
    badRowsByReason: badRows.map(({ file, reason, count: found }) => ({ file, reason, count: found })),
    mean: overall.mean,
    median: overall.median,
    lateShare: overall.lateShare,
    worstHour: rankHours(findings)[0] ?? null,
    distances: bands,
    worstAirports: worstAirports(findings)
      .slice(0, airportsShown)
      .map(({ airport, ...group }) => ({ iata: airport.iata, place: `${airport.city}, ${airport.state}`, ...group })),
    ...written,
  }
}

/** Draws the summary as aligned plain text, no line but the path of the report wider than 80 columns. */
export function formatSummary(summary: Summary): string {
  const { worstHour } = summary
  const facts: [string, string][] = [
    ['Rows read', count(summary.rowsRead)],
    ['Bad rows', count(summary.badRows)],
    ['Mean delay', `${decimal(summary.mean)} min`],
    ['Median delay', `${decimal(summary.median, 0)} min`],
    ['Late > 15 min', percent(summary.lateShare)],
    ['Worst hour', worstHour ? `${hourRange(worstHour.hour)}, mean ${decimal(worstHour.mean)} min` : '–'],
  ]
  const heads = ['flights', 'mean', '±', 'late']
  return [
    ...facts.map(([name, value]) => name.padEnd(15) + value),
    ...summary.badRowsByReason.map(({ file, reason, count: found }) => clip(`  ${count(found)} in ${file}: ${reason}`)),
    '',
    line('Distance, miles', heads),
    ...summary.distances.map((band) => line(miles(band), figures(band))),
    '',
    line('Worst airports', heads),
    ...summary.worstAirports.map((airport) => line(`${airport.iata}  ${airport.place}`, figures(airport))),
    '',
    `Report  ${summary.report}`,
  ].join('\n')
}

function figures({ flights, mean, margin, lateShare }: Group): string[] {
  return [count(flights), decimal(mean), decimal(margin), percent(lateShare)]
}

function line(name: string, cells: readonly string[]): string {
  return clip(name, 32).padEnd(32) + cells.map((cell) => cell.padStart(9)).join('')
}

function clip(text: string, width = 80): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
