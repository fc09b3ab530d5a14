// The map: one dot for each airport of departure, its size the flights, its colour the mean delay.

import { enoughFlights, type AirportGroup, type Findings } from './findings.ts'
import { delayClass, delayClasses, element, marked, text, type Chart } from './svg.ts'
import { insetFrames, locate, mapSize, statesPath, type Frame, type Outline, type Point } from './usa.ts'
import { count, decimal, percent } from './words.ts'

interface Dot {
  readonly group: AirportGroup
  readonly at: Point
  readonly radius: number
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const labelledAirports = 36
const letterWidth = 8
const smallDot = 4
const legendSizes = [100, 500, 1000] as const

export function drawMap(findings: Findings, outline: Outline): Chart {
  const dots = placeDots(findings.airports)
  const busiest = dots.slice(0, 10).map(({ group }) => describe(group))
  return {
    name: 'delay-map',
    title: 'Mean arrival delay by airport of departure',
    description: `A map of the United States with ${dots.length} airports. The busiest: ${busiest.join('; ')}.`,
    ...mapSize,
    body: [
      element('path', { class: 'land', d: statesPath(outline) }),
      ...insetFrames.map(drawFrame),
      ...dots.map(drawDot),
      ...drawLabels(dots),
      drawColourLegend(),
      drawSizeLegend(),
    ].join(''),
  }
}

/** How many of the airports lie off the map. */
export function airportsOffMap(airports: readonly AirportGroup[]): number {
  return airports.length - placeDots(airports).length
}

/** The largest first, so that a small dot is never hidden beneath a large one. */
function placeDots(airports: readonly AirportGroup[]): Dot[] {
  return airports
    .flatMap((group) => {
      const at = locate(group.airport)
      return at ? [{ group, at, radius: radiusOf(group.flights) }] : []
    })
    .sort((a, b) => b.group.flights - a.group.flights || (a.group.airport.iata < b.group.airport.iata ? -1 : 1))
}

/** The area, not the radius, is in proportion to the flights. */
function radiusOf(flights: number): number {
  return Math.max(2, 0.55 * Math.sqrt(flights))
}

function drawDot({ group, at: [cx, cy], radius }: Dot): string {
  const isColoured = group.flights >= enoughFlights.airportColoured && group.mean !== null
  const className = isColoured ? `dot ${delayClass(group.mean)}` : 'few'
  return marked(describe(group), element('circle', { class: className, cx, cy, r: radius }))
}

function drawFrame({ name, x, y, width, height }: Frame): string {
  const border = element('rect', { class: 'frame', x, y, width, height, rx: 4 })
  return border + text(name, { x: x + 7, y: y + 15, class: 'soft tiny' })
}

/** Names the airports that matter most, each where its name touches no other name and no dot, or at least no large one. */
function drawLabels(dots: readonly Dot[]): string[] {
  const taken: Box[] = []
  return dotsToName(dots).map((dot) => {
    const others = dots.filter((other) => other !== dot)
    const large = others.filter(({ radius }) => radius > smallDot).map(boxOfDot)
    const small = others.filter(({ radius }) => radius <= smallDot).map(boxOfDot)
    const covered = (place: Box) => small.filter((other) => overlaps(place, other)).length
    const isFree = (place: Box) => ![...taken, ...large].some((other) => overlaps(place, other))
    const box = labelPlaces(dot)
      .filter(isFree)
      .sort((a, b) => covered(a) - covered(b))[0]
    if (!box) return ''
    taken.push(box)
    const middle = { x: box.x + box.width / 2, y: box.y + box.height - 3 }
    return text(dot.group.airport.iata, { ...middle, class: 'tiny middle halo' })
  })
}

/** The most delayed of those ranked go first, since they are what a reader looks for. */
function dotsToName(dots: readonly Dot[]): Dot[] {
  const ranked = dots.filter(({ group }) => group.flights >= enoughFlights.airportRanked)
  const worst = ranked.toSorted((a, b) => (b.group.mean ?? 0) - (a.group.mean ?? 0)).slice(0, 12)
  return [...worst, ...dots.filter((dot) => !worst.includes(dot)).slice(0, labelledAirports - worst.length)]
}

function labelPlaces({ group, at: [x, y], radius }: Dot): Box[] {
  const [width, height] = [group.airport.iata.length * letterWidth, 13]
  const size = { width, height }
  const beside = radius + 2
  return [
    { x: x + beside, y: y - height / 2, ...size },
    { x: x - beside - width, y: y - height / 2, ...size },
    { x: x - width / 2, y: y - beside - height, ...size },
    { x: x - width / 2, y: y + beside, ...size },
  ]
}

function boxOfDot({ at: [x, y], radius }: Dot): Box {
  const half = radius * 0.9
  return { x: x - half, y: y - half, width: half * 2, height: half * 2 }
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

function drawColourLegend(): string {
  let x = 8
  const entries = delayClasses.map(({ name, label }) => {
    const swatch = element('rect', { class: name, x, y: 30, width: 14, height: 14, rx: 3 })
    const words = text(label, { x: x + 20, y: 41.5, class: 'small' })
    x += 20 + label.length * 7 + 14
    return swatch + words
  })
  const few = element('circle', { class: 'few', cx: x + 7, cy: 37, r: 5 })
  const words = text(`fewer than ${enoughFlights.airportColoured} flights`, { x: x + 20, y: 41.5, class: 'small' })
  return [text('Mean arrival delay, minutes', { x: 8, y: 18, class: 'heading' }), ...entries, few, words].join('')
}

function drawSizeLegend(): string {
  const centers = [764, 818, 892]
  const circles = legendSizes.map((flights, index) => {
    const [cx, radius] = [centers[index]!, radiusOf(flights)]
    const circle = element('circle', { class: 'few', cx, cy: 60 - radius, r: radius })
    return circle + text(count(flights), { x: cx, y: 75, class: 'soft tiny middle' })
  })
  return text('Flights', { x: 708, y: 59, class: 'small' }) + circles.join('')
}

function describe({ airport, mean, lateShare, flights }: AirportGroup): string {
  const place = `${airport.iata} ${airport.city}, ${airport.state}`
  return `${place}: mean ${decimal(mean)} min, ${percent(lateShare)} late, ${count(flights)} flights`
}
