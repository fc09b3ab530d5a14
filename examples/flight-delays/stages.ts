// The work of the middle steps, free of the engine: counting one chunk, and gathering all chunks into findings.

import { countRows, mergeCounts, type Counts } from './aggregate.ts'
import { parseAirports } from './airports.ts'
import { readChunk, readSource, type Chunk, type Inputs } from './files.ts'
import { findingsOf, type Findings } from './findings.ts'
import type { Dataset } from './parse.ts'

/** What the step of one chunk returns: its counts, never its rows. */
export interface CountedChunk {
  readonly dataset: Dataset
  readonly counts: Counts
}

export async function countChunk(chunk: Chunk): Promise<CountedChunk> {
  const { dataset, range } = chunk
  return { dataset, counts: countRows(dataset, range.firstRow, await readChunk(chunk)) }
}

/** Adds the chunks of each file together, whatever order they come in, and names the airports. */
export async function gatherFindings(inputs: Inputs, counted: readonly CountedChunk[]): Promise<Findings> {
  const merged = (wanted: Dataset) => {
    return mergeCounts(counted.filter(({ dataset }) => dataset === wanted).map(({ counts }) => counts))
  }
  const counts = { 'flights-200k': merged('flights-200k'), 'flights-20k': merged('flights-20k') }
  return findingsOf(counts, parseAirports(await readSource(inputs.airports)), inputs)
}
