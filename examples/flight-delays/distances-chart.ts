// Delay by length of the flight: mean with its margin of error, and the share of late flights, side by side.

import { lateAfterMinutes } from './aggregate.ts'
import type { BandGroup, Findings } from './findings.ts'
import { drawPanel, drawSlotLabels, type Bar, type Panel } from './panel.ts'
import { text, type Chart } from './svg.ts'
import { count, decimal, miles, percent } from './words.ts'

const top = 42
const height = 200
const width = 424

export function drawDistances({ bands }: Findings): Chart {
  const shared = { top, height, width, fill: 0.66 }
  const means: Panel = {
    ...shared,
    left: 40,
    axisParts: 4,
    axisLabel: (value) => decimal(value, 0),
    heading: 'Mean arrival delay, minutes',
    bars: bands.map(meanBar),
  }
  const shares: Panel = {
    ...shared,
    left: 520,
    axisParts: 4,
    axisLabel: (value) => `${value}%`,
    heading: `Share more than ${lateAfterMinutes} minutes late`,
    bars: bands.map(shareBar),
  }
  return {
    name: 'delay-by-distance',
    title: 'Arrival delay by distance',
    description: `Bars for each band of distance: ${bands.map(describeBand).join('; ')}.`,
    width: 960,
    height: 312,
    body: [means, shares].map((panel) => drawPanel(panel) + drawDistanceAxis(panel, bands)).join(''),
  }
}

function drawDistanceAxis(panel: Panel, bands: readonly BandGroup[]): string {
  const labels = bands.map(({ from, to }) => (to === null ? `${from}+` : String(from)))
  const caption = { x: panel.left + panel.width / 2, y: top + height + 52, class: 'soft small middle' }
  return drawSlotLabels(panel, labels, top + height + 30) + text('Distance in miles, from …', caption)
}

function meanBar(group: BandGroup): Bar {
  const { mean, margin } = group
  const tooltip = describeBand(group)
  if (mean === null) return { value: null, className: '', label: 'none', tooltip }
  return { value: mean, margin, className: 'mean', label: decimal(mean), tooltip }
}

function shareBar(group: BandGroup): Bar {
  const { lateShare } = group
  const tooltip = describeBand(group)
  if (lateShare === null) return { value: null, className: '', label: 'none', tooltip }
  return { value: lateShare * 100, className: 'share', label: percent(lateShare, 1), tooltip }
}

function describeBand(group: BandGroup): string {
  const { mean, margin, lateShare, flights } = group
  return `${miles(group)} miles: mean ${decimal(mean)} ± ${decimal(margin)} min, ${percent(lateShare)} late, ${count(flights)} flights`
}
