// The durable workflow: from two files of flights to a report on disk. Kill it anywhere; started again, it ends the same.

import { workflow } from 'troupe'
import { z } from 'zod'
import { countRows, mergeCounts } from './aggregate.ts'
import { parseAirports } from './airports.ts'
import { chunksOf, findInputs, readChunk, readSource } from './files.ts'
import { findingsOf } from './findings.ts'
import { render } from './render.ts'
import { headline } from './sentences.ts'
import { summaryOf } from './summary.ts'

const Input = z
  .object({
    /** Folder for the report. */
    out: z.string().default('./.troupe/flight-delays'),
    /** Folder with flights-200k.json, flights-20k.json and airports.csv, in place of those of vega-datasets. */
    data: z.string().optional(),
  })
  .prefault({})

export const flightDelays = workflow('flight-delays', { input: Input }, async (ctx, { out, data }) => {
  const inputs = await ctx.step('find inputs', () => findInputs(data), { retry: { attempts: 1 } })
  const chunks = chunksOf(inputs)
  const stages = chunks.length + 3
  let done = 1
  ctx.emit({ stage: 'find inputs', files: inputs.flights.length + 1, chunks: chunks.length })
  ctx.progress(done, stages)

  const counted = await ctx.map(
    'parse',
    chunks,
    async (chunk, ctx) => {
      const counts = await ctx.step('count', async () => {
        return countRows(chunk.dataset, chunk.range.firstRow, await readChunk(chunk))
      })
      ctx.emit({ stage: 'parse', chunk: chunk.key, flights: counts.total.flights, bad: counts.rows - counts.total.flights })
      ctx.progress(++done, stages)
      return { dataset: chunk.dataset, counts }
    },
    { key: (chunk) => chunk.key, concurrency: 4 },
  )

  const findings = await ctx.step('aggregate', async () => {
    const merged = (dataset: string) => mergeCounts(counted.filter((part) => part.dataset === dataset).map(({ counts }) => counts))
    const counts = { 'flights-200k': merged('flights-200k'), 'flights-20k': merged('flights-20k') }
    return findingsOf(counts, parseAirports(await readSource(inputs.airports)), inputs)
  })
  ctx.emit({ stage: 'aggregate', finding: headline(findings), badRows: findings.badRows })
  ctx.progress(++done, stages)

  const written = await ctx.step('render', () => render(findings, inputs.outline, out))
  ctx.emit({ stage: 'render', report: written.report })
  ctx.progress(++done, stages)

  return summaryOf(findings, written)
})
