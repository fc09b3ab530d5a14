// All charts of the report; the front door to the drawing.

import { drawWorstAirports } from './airports-chart.ts'
import { drawDistances } from './distances-chart.ts'
import type { Findings } from './findings.ts'
import { drawHours } from './hours-chart.ts'
import { drawMap } from './map-chart.ts'
import { drawSpread } from './spread-chart.ts'
import type { Chart } from './svg.ts'
import type { Outline } from './usa.ts'

export interface Charts {
  readonly hours: Chart
  readonly spread: Chart
  readonly distances: Chart
  readonly map: Chart
  readonly airports: Chart
}

/** Draws everything; the same findings give the same bytes. */
export function drawCharts(findings: Findings, outline: Outline): Charts {
  return {
    hours: drawHours(findings),
    spread: drawSpread(findings),
    distances: drawDistances(findings),
    map: drawMap(findings, outline),
    airports: drawWorstAirports(findings),
  }
}
