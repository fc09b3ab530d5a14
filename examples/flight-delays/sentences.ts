// The sentences of the report, each computed from the findings, so that none can outlive the data it speaks of.

import { enoughFlights, hasMean, rankHours, worstAirports, type Findings } from './findings.ts'
import { clock, count, decimal, lateness, miles, percent } from './words.ts'

/** The main finding. */
export function headline(findings: Findings): string {
  const ranked = rankHours(findings)
  const [worst, best] = [ranked[0], ranked.at(-1)]
  if (!worst || !best || worst === best) return overallSentence(findings)
  return `Leave in the hour from ${clock(best.hour)} and you land ${lateness(best.mean)} on average; from ${clock(worst.hour)}, ${lateness(worst.mean)}.`
}

export function overallSentence({ overall }: Findings): string {
  if (overall.mean === null) return 'There was no flight to count.'
  return `Across ${count(overall.flights)} flights the mean arrival is ${lateness(overall.mean)}, the median ${lateness(overall.median)}.`
}

export function hoursSentence(findings: Findings): string {
  const ranked = rankHours(findings)
  const [worst, best] = [ranked[0], ranked.at(-1)]
  if (!worst || !best || worst === best) return 'Delay by hour of departure'
  return `From ${percent(best.lateShare, 0)} late at ${clock(best.hour)} to ${percent(worst.lateShare, 0)} at ${clock(worst.hour)}`
}

export function spreadSentence({ overall, delays }: Findings): string {
  const onTime = delays.filter(([delay]) => delay <= 0).reduce((total, [, flights]) => total + flights, 0)
  if (overall.flights === 0) return 'No flights'
  return `${percent(onTime / overall.flights, 0)} arrive on time or early, and one in ten ${count(overall.p90)} minutes late or more`
}

export function distancesSentence({ bands }: Findings): string {
  const ranked = bands.filter(hasMean).sort((a, b) => a.mean - b.mean || a.from - b.from)
  const [best, worst] = [ranked[0], ranked.at(-1)]
  if (!best || !worst || best === worst) return 'Delay by distance'
  return `By distance, the mean delay stays between ${decimal(best.mean)} minutes (${miles(best)} miles) and ${decimal(worst.mean)} (${miles(worst)})`
}

export function mapSentence({ airports }: Findings): string {
  const least = enoughFlights.airportColoured
  const compared = airports.filter(({ flights }) => flights >= least).filter(hasMean)
  const late = compared.filter(({ mean }) => mean > 0).length
  return `Flights from ${late} of the ${compared.length} airports with ${least} flights or more arrive late on average`
}

export function airportsSentence(findings: Findings): string {
  const worst = worstAirports(findings)[0]
  if (!worst) return 'No airport has enough flights to be ranked'
  const { airport, mean, margin } = worst
  return `${airport.city} (${airport.iata}) heads the list: ${lateness(mean)}, give or take ${decimal(margin)}`
}
