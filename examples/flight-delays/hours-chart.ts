// Delay by hour of departure: three panels over one clock that starts where the flying day does, at five in the morning.

import { lateAfterMinutes } from './aggregate.ts'
import { enoughFlights, type Findings, type HourGroup } from './findings.ts'
import { drawPanel, drawSlotLabels, type Bar, type Panel } from './panel.ts'
import { delayClass, text, type Chart } from './svg.ts'
import { count, decimal, hourRange, percent, shortCount } from './words.ts'

const firstHour = 5
const frame = { left: 48, width: 896, fill: 0.72 }

export function drawHours(findings: Findings): Chart {
  const hours = findings.hours.map((_, index) => findings.hours[(index + firstHour) % 24]!)
  const means: Panel = {
    ...frame,
    top: 42,
    height: 220,
    axisParts: 7,
    axisLabel: (value) => decimal(value, 0),
    heading: 'Mean arrival delay, minutes',
    bars: hours.map(meanBar),
  }
  const shares: Panel = {
    ...frame,
    top: 330,
    height: 130,
    axisParts: 4,
    axisLabel: (value) => `${value}%`,
    heading: `Share of flights more than ${lateAfterMinutes} minutes late`,
    bars: hours.map(shareBar),
  }
  const flights: Panel = {
    ...frame,
    top: 528,
    height: 70,
    axisParts: 2,
    axisLabel: (value) => (value === 0 ? '0' : `${value / 1000}k`),
    heading: 'Flights in the sample',
    bars: hours.map(flightsBar),
  }
  const labels = hours.map(({ hour }) => String(hour).padStart(2, '0'))
  return {
    name: 'delay-by-hour',
    title: 'Arrival delay by hour of departure',
    description: `Bars for each hour from 05 to 04: ${hours.filter(isPlotted).map(describeHour).join('; ')}.`,
    width: 960,
    height: 646,
    body: [
      ...[means, shares, flights].map(drawPanel),
      drawSlotLabels(frame, labels, 618),
      text('Hour of actual departure, local time', {
        x: frame.left + frame.width / 2,
        y: 639,
        class: 'soft small middle',
      }),
    ].join(''),
  }
}

function meanBar(group: HourGroup): Bar {
  const { mean, margin } = group
  if (mean === null || !isPlotted(group)) return tooFew(group)
  return { value: mean, margin, className: delayClass(mean), label: decimal(mean), tooltip: describeHour(group) }
}

function shareBar(group: HourGroup): Bar {
  const { lateShare } = group
  if (lateShare === null || !isPlotted(group)) return tooFew(group)
  return { value: lateShare * 100, className: 'share', label: percent(lateShare, 0), tooltip: describeHour(group) }
}

function flightsBar(group: HourGroup): Bar {
  return { value: group.flights, className: 'plain', label: shortCount(group.flights), tooltip: describeHour(group) }
}

function tooFew(group: HourGroup): Bar {
  const tooltip = `${hourRange(group.hour)}: only ${count(group.flights)} flights, too few to compare`
  return { value: null, className: '', label: 'few', tooltip }
}

function isPlotted(group: HourGroup): boolean {
  return group.flights >= enoughFlights.hourPlotted
}

function describeHour({ hour, mean, lateShare, flights }: HourGroup): string {
  return `${hourRange(hour)}: mean ${decimal(mean)} min, ${percent(lateShare)} late, ${count(flights)} flights`
}
