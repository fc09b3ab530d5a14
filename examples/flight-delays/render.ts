// Draws the report from the findings and puts it on disk.

import { join, resolve } from 'node:path'
import { drawCharts } from './chart.ts'
import { readSource, writeWhole, type Source } from './files.ts'
import type { Findings } from './findings.ts'
import { reportHtml } from './report.ts'
import type { Summary } from './summary.ts'
import { standaloneSvg } from './svg.ts'
import type { Outline } from './usa.ts'

/** Writes each chart as an SVG file and all of them in `report.html`; the same findings give the same bytes. */
export async function render(
  findings: Findings,
  outline: Source,
  folder: string,
): Promise<Pick<Summary, 'report' | 'charts'>> {
  const charts = drawCharts(findings, JSON.parse(await readSource(outline)) as Outline)
  const written: string[] = []
  for (const chart of Object.values(charts)) {
    const path = resolve(join(folder, `${chart.name}.svg`))
    await writeWhole(path, standaloneSvg(chart))
    written.push(path)
  }
  const report = resolve(join(folder, 'report.html'))
  await writeWhole(report, reportHtml(findings, charts))
  return { report, charts: written }
}
