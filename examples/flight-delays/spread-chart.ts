// How the delays spread: why the mean and the median tell different stories.

import type { Findings } from './findings.ts'
import { drawPanel, type Bar } from './panel.ts'
import { clearLine, delayClass, scale, text, type Chart } from './svg.ts'
import { count, decimal, percent } from './words.ts'

const step = 5
const first = -60
const last = 180
const frame = { left: 48, top: 48, width: 896, height: 170 }

export function drawSpread(findings: Findings): Chart {
  const { delays, overall } = findings
  const bins = binsOf(delays)
  const beyond = delays
    .filter(([delay]) => delay >= last || delay < first)
    .reduce((total, [, flights]) => total + flights, 0)
  const bars = bins.map(({ from, flights }): Bar => {
    const share = overall.flights === 0 ? 0 : flights / overall.flights
    const tooltip = `${decimal(from, 0)} to ${decimal(from + step - 1, 0)} min: ${percent(share)}, ${count(flights)} flights`
    return { value: share * 100, className: delayClass(from), label: '', tooltip }
  })
  const heading = `Share of flights in each ${step} minutes of arrival delay`
  const panel = { ...frame, heading, bars, fill: 0.9, axisParts: 4, axisLabel: (value: number) => `${value}%` }
  const outside = `${percent(beyond / Math.max(1, overall.flights))} of the flights lie beyond these ends.`
  return {
    name: 'delay-spread',
    title: 'Spread of arrival delays',
    description: `A tall peak near zero and a long tail of late flights. Median ${overall.median} minutes, mean ${decimal(overall.mean)}; one in ten is ${overall.p90} minutes late or more. ${outside}`,
    width: 960,
    height: 268,
    body: drawPanel(panel) + drawAxis() + drawMarks(overall.median, overall.mean),
  }
}

function binsOf(delays: Findings['delays']): { from: number; flights: number }[] {
  const bins = Array.from({ length: (last - first) / step }, (_, index) => ({ from: first + index * step, flights: 0 }))
  for (const [delay, flights] of delays) {
    const bin = bins[Math.floor((delay - first) / step)]
    if (bin) bin.flights += flights
  }
  return bins
}

const toX = scale([first, last], [frame.left, frame.left + frame.width])

function drawAxis(): string {
  const y = frame.top + frame.height
  const values = Array.from({ length: (last - first) / 30 + 1 }, (_, index) => first + index * 30)
  const labels = values.map((value) =>
    text(decimal(value, 0), { x: toX(value), y: y + 20, class: 'soft small middle' }),
  )
  const caption = { x: frame.left + frame.width / 2, y: y + 42, class: 'soft small middle' }
  return labels.join('') + text('Minutes of arrival delay; below zero is early', caption)
}

function drawMarks(median: number, mean: number | null): string {
  const mark = (value: number, y: number, words: string) => {
    const x = toX(value)
    const ends = { x1: x, x2: x, y1: y - 4, y2: frame.top + frame.height }
    return clearLine('reference', ends) + text(words, { x: x + 7, y: y + 7, class: 'small clear' })
  }
  return (
    mark(median, frame.top - 2, `median ${median}`) +
    (mean === null ? '' : mark(mean, frame.top + 26, `mean ${decimal(mean)}`))
  )
}
