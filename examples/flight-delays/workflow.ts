// The durable workflow: from two files of flights to a report on disk. Kill it anywhere; started again, it ends the same.

import { workflow } from 'troupe'
import { z } from 'zod'
import { chunksOf, findInputs } from './files.ts'
import { render } from './render.ts'
import { headline } from './sentences.ts'
import { countChunk, gatherFindings } from './stages.ts'
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
      const part = await ctx.step('count', () => countChunk(chunk))
      const { rows, total } = part.counts
      ctx.emit({ stage: 'parse', chunk: chunk.key, flights: total.flights, bad: rows - total.flights })
      ctx.progress(++done, stages)
      return part
    },
    { key: (chunk) => chunk.key, concurrency: 4 },
  )

  const findings = await ctx.step('aggregate', () => gatherFindings(inputs, counted))
  ctx.emit({ stage: 'aggregate', finding: headline(findings), badRows: findings.badRows })
  ctx.progress(++done, stages)

  const written = await ctx.step('render', () => render(findings, inputs.outline, out))
  ctx.emit({ stage: 'render', report: written.report })
  ctx.progress(++done, stages)

  return summaryOf(findings, written)
})
