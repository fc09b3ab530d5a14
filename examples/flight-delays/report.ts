// The report as one HTML page that needs no network: headline, figures, charts, and what is known about the data.

import type { Charts } from './chart.ts'
import { enoughFlights, rankHours, type Findings } from './findings.ts'
import { airportsOffMap } from './map-chart.ts'
import { dataQuality } from './quality-section.ts'
import { pageStyle } from './report-style.ts'
import * as say from './sentences.ts'
import { chartStyle, escape, inlineSvg, type Chart } from './svg.ts'
import { dataTable } from './table.ts'
import { clock, count, day, decimal, hourRange, miles, percent } from './words.ts'

/** Writes the page; it says nothing of when or where it was made, so the same findings give the same bytes. */
export function reportHtml(findings: Findings, charts: Charts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>When flights run late</title>
<style>${pageStyle}
${chartStyle}</style>
</head>
<body>
<main>
${opening(findings)}
${hoursSection(findings, charts.hours)}
${spreadSection(findings, charts.spread)}
${distancesSection(findings, charts.distances)}
${mapSection(findings, charts.map)}
${airportsSection(findings, charts.airports)}
${dataQuality(findings)}
</main>
</body>
</html>
`
}

function opening(findings: Findings): string {
  const { overall } = findings
  const worst = rankHours(findings)[0]
  const tiles = [
    { value: count(overall.flights), label: 'flights counted' },
    { value: `${decimal(overall.mean)} min`, label: 'mean arrival delay' },
    { value: `${decimal(overall.median, 0)} min`, label: 'median arrival delay' },
    { value: percent(overall.lateShare), label: 'more than 15 minutes late' },
    { value: worst ? clock(worst.hour) : '–', label: 'worst hour to leave' },
  ]
  const written = tiles.map(({ value, label }) => `<div><dt>${label}</dt><dd>${escape(value)}</dd></div>`)
  return `<header>
<p class="eyebrow">${escape(samples(findings))}</p>
<h1>${escape(say.headline(findings))}</h1>
<p class="lede">${escape(say.overallSentence(findings))} Delay is counted at arrival, against the timetable; cancelled flights are not in the data.</p>
<dl class="tiles">${written.join('')}</dl>
</header>`
}

function hoursSection(findings: Findings, chart: Chart): string {
  const note = `Flights are sorted by when they actually left, not by the timetable. One that waits until 23:00 counts there, so the last hours gather flights that were late already, and part of the rise towards the night comes from that. Hours marked “few” have fewer than ${enoughFlights.hourPlotted} flights; hours with fewer than ${count(enoughFlights.hourRanked)} are drawn but left out of the comparison above. Lines on the bars are 95% intervals of the mean.`
  const rows = findings.hours.map(({ hour, ...group }) => [hourRange(hour), ...figures(group)])
  const table = dataTable('The same by hour, in figures', ['Departure', ...figureHeads], rows)
  return section({ id: 'hours', title: say.hoursSentence(findings), chart, note, after: table })
}

function spreadSection(findings: Findings, chart: Chart): string {
  const { median, mean } = findings.overall
  const note = `A few very late flights pull the mean (${decimal(mean)}) above the median (${decimal(median, 0)}): the typical flight is near its time, and the risk is in the long tail to the right.`
  return section({ id: 'spread', title: say.spreadSentence(findings), chart, note })
}

function distancesSection(findings: Findings, chart: Chart): string {
  const note = `Each band runs to where the next begins. Lines on the bars are 95% intervals of the mean: the longer the flights, the fewer of them and the wider the interval.`
  const rows = findings.bands.map((band) => [miles(band), ...figures(band)])
  const table = dataTable('The same by distance, in figures', ['Miles', ...figureHeads], rows)
  return section({ id: 'distances', title: say.distancesSentence(findings), chart, note, after: table })
}

function mapSection(findings: Findings, chart: Chart): string {
  const { airports, airportSample } = findings
  const off = airportsOffMap(airports)
  const rest = off === 0 ? '' : ` ${off} of the airports lie off the map.`
  const note = `${count(airportSample.flights)} flights from ${airports.length} airports, in the smaller file, the only one that names them. Colour is the mean arrival delay of the flights that left there; hollow dots have fewer than ${enoughFlights.airportColoured} flights, too few to colour.${rest}`
  return section({ id: 'map', title: say.mapSentence(findings), chart, note })
}

function airportsSection(findings: Findings, chart: Chart): string {
  const note = `Airports of departure with at least ${enoughFlights.airportRanked} flights in the sample. Lines are 95% intervals: where two overlap much, the order between them may be chance.`
  const rows = findings.airports
    .filter(({ flights }) => flights >= enoughFlights.airportRanked)
    .map(({ airport, ...group }) => [
      `${airport.iata} ${airport.name}, ${airport.city}, ${airport.state}`,
      ...figures(group),
    ])
  const table = dataTable('All ranked airports, by code', ['Airport', ...figureHeads], rows)
  return section({ id: 'airports', title: say.airportsSentence(findings), chart, note, after: table })
}

interface Section {
  readonly id: string
  readonly title: string
  readonly chart: Chart
  readonly note: string
  readonly after?: string
}

function section({ id, title, chart, note, after = '' }: Section): string {
  return `<section aria-labelledby="${id}">
<h2 id="${id}">${escape(title)}</h2>
<figure>
<div class="scroll" tabindex="0" role="group" aria-label="${escape(chart.title)}">${inlineSvg(chart)}</div>
<figcaption>${escape(note)}</figcaption>
</figure>
${after}
</section>`
}

const figureHeads = ['Flights', 'Mean delay, min', '± (95%)', 'Late over 15 min']

function figures({ flights, mean, margin, lateShare }: Omit<Findings['hours'][number], 'hour'>): string[] {
  return [count(flights), decimal(mean), decimal(margin), percent(lateShare)]
}

function samples({ airportSample: { firstDay, lastDay, flights }, overall }: Findings): string {
  const dates = firstDay && lastDay ? `, ${day(firstDay)} to ${day(lastDay)}` : ''
  return `US airline flights · a sample of ${count(overall.flights)} by hour and distance · one of ${count(flights)} by airport${dates}`
}
