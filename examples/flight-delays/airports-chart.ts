// The airports whose departures arrive latest, as a list of bars with margins of error.

import { worstAirports, type AirportGroup, type Findings } from './findings.ts'
import { clearLine, delayClass, element, escape, marked, scale, text, ticks, type Chart, type Scale } from './svg.ts'
import { count, decimal, percent } from './words.ts'

const rowHeight = 30
const top = 56
const left = 250
const right = 800

export function drawWorstAirports(findings: Findings): Chart {
  const airports = worstAirports(findings)
  const bottom = top + airports.length * rowHeight
  const ends = airports.flatMap(({ mean, margin }) => [mean + (margin ?? 0), mean - (margin ?? 0)])
  const axis = ticks(Math.min(0, ...ends), Math.max(5, ...ends), 6)
  const toX = scale([axis[0]!, axis.at(-1)!], [left, right])
  return {
    name: 'worst-airports',
    title: 'Airports of departure with the highest mean arrival delay',
    description: `From the most delayed: ${airports.map(describe).join('; ')}.`,
    width: 960,
    height: bottom + 30,
    body: [
      drawHead(),
      ...axis.map((value) => drawTick(value, toX(value), bottom)),
      ...airports.map((airport, index) => drawRow(airport, top + index * rowHeight, toX)),
      drawAverage(findings.airportSample.mean, toX, bottom),
    ].join(''),
  }
}

function drawHead(): string {
  return [
    text('Mean arrival delay, minutes', { x: left, y: 22, class: 'heading' }),
    text('late', { x: 872, y: 44, class: 'soft small end' }),
    text('flights', { x: 944, y: 44, class: 'soft small end' }),
  ].join('')
}

function drawTick(value: number, x: number, bottom: number): string {
  const line = element('line', { class: value === 0 ? 'axis' : 'grid', x1: x, x2: x, y1: top, y2: bottom })
  return line + text(decimal(value, 0), { x, y: bottom + 18, class: 'soft small middle' })
}

function drawRow(group: AirportGroup & { mean: number }, y: number, toX: Scale): string {
  const { airport, mean, margin, lateShare, flights } = group
  const middle = y + rowHeight / 2
  const code = element('tspan', { 'font-weight': 600 }, escape(airport.iata))
  const place = element('tspan', { class: 'soft', dx: 8 }, escape(shorten(`${airport.city}, ${airport.state}`)))
  const whisker = { x1: toX(mean - (margin ?? 0)), x2: toX(mean + (margin ?? 0)), y1: middle, y2: middle }
  const [from, to] = [toX(Math.min(0, mean)), toX(Math.max(0, mean))]
  return marked(
    describe(group),
    element('text', { x: 0, y: middle + 4 }, code, place),
    element('rect', { class: delayClass(mean), x: from, y: y + 5, width: to - from, height: rowHeight - 10 }),
    clearLine('whisker', whisker),
    text(decimal(mean), { x: whisker.x2 + 7, y: middle + 4, class: 'small' }),
    text(percent(lateShare, 0), { x: 872, y: middle + 4, class: 'small end' }),
    text(count(flights), { x: 944, y: middle + 4, class: 'small end' }),
  )
}

function drawAverage(mean: number | null, toX: Scale, bottom: number): string {
  if (mean === null) return ''
  const x = toX(mean)
  const line = clearLine('reference', { x1: x, x2: x, y1: top - 6, y2: bottom })
  return line + text(`all flights ${decimal(mean)}`, { x, y: top - 11, class: 'soft small middle' })
}

function describe({ airport, mean, margin, lateShare, flights }: AirportGroup): string {
  const { iata, name, city, state } = airport
  const figures = `mean ${decimal(mean)} ± ${decimal(margin)} min, ${percent(lateShare)} late, ${count(flights)} flights`
  return `${iata} ${name}, ${city}, ${state}: ${figures}`
}

function shorten(place: string): string {
  return place.length > 27 ? `${place.slice(0, 26)}…` : place
}
