import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { bandOf, countRows, mergeCounts, type Counts } from './aggregate.ts'
import { chunksOf, findInputs } from './files.ts'
import { quantile } from './findings.ts'
import { countChunk } from './stages.ts'

const inputs = await findInputs()
const counted = await Promise.all(chunksOf(inputs).map(countChunk))
const partsOf = (dataset: string) => counted.filter((part) => part.dataset === dataset).map(({ counts }) => counts)

async function readAll<Row>(index: number): Promise<Row[]> {
  return JSON.parse(await readFile(inputs.flights[index]!.path, 'utf8')) as Row[]
}

/** Straight from the rows, by the plainest code that could be right. */
function tallyOf(rows: readonly { delay: number }[]) {
  const delays = rows.map(({ delay }) => delay)
  return {
    flights: delays.length,
    minutes: delays.reduce((a, b) => a + b, 0),
    squares: delays.reduce((a, b) => a + b * b, 0),
    late: delays.filter((delay) => delay > 15).length,
  }
}

describe('the 200,000 flights', () => {
  const counts = mergeCounts(partsOf('flights-200k'))

  test('are read in 20 chunks without losing or refusing a row', () => {
    expect(partsOf('flights-200k').map(({ rows }) => rows)).toEqual(Array.from({ length: 20 }, () => 10_000))
    expect(counts.bad).toEqual([])
    expect(counts.total).toEqual({ flights: 200_000, minutes: 1_500_159, squares: 215_843_815, late: 43_145 })
  })

  test('agree by hour, by distance and in the median with a direct count', async () => {
    const rows = await readAll<{ delay: number; distance: number; time: number }>(0)
    const sorted = rows.map(({ delay }) => delay).sort((a, b) => a - b)

    for (const hour of [0, 5, 13, 23]) {
      expect(counts.hours[hour]).toEqual(tallyOf(rows.filter(({ time }) => Math.trunc(time) === hour)))
    }
    expect(counts.bands[1]).toEqual(tallyOf(rows.filter(({ distance }) => distance >= 250 && distance < 500)))
    expect(counts.bands[7]).toEqual(tallyOf(rows.filter(({ distance }) => distance >= 2500)))
    expect(quantile(counts, 0.5)).toBe(sorted[99_999])
    expect(quantile(counts, 0.9)).toBe(sorted[179_999])
  })
})

test('the 20,000 flights agree by airport with a direct count', async () => {
  const counts = mergeCounts(partsOf('flights-20k'))
  const rows = await readAll<{ delay: number; origin: string }>(1)

  expect(partsOf('flights-20k').map((part) => part.rows)).toEqual([5000, 5000, 5000, 5000])
  expect(counts.origins).toHaveLength(220)
  for (const iata of ['DFW', 'JFK', 'SEA']) {
    const found = counts.origins.find(([code]) => code === iata)?.[1]
    expect(found).toEqual(tallyOf(rows.filter(({ origin }) => origin === iata)))
  }
  expect([counts.firstDay, counts.lastDay]).toEqual(['2001/01/01', '2001/03/31'])
})

describe('mergeCounts', () => {
  test('gives the same bytes for chunks in any order and any grouping', () => {
    const parts = partsOf('flights-20k')
    const expected = JSON.stringify(mergeCounts(parts))

    expect(JSON.stringify(mergeCounts(parts.toReversed()))).toBe(expected)
    expect(JSON.stringify(mergeCounts([mergeCounts(parts.slice(2)), mergeCounts(parts.slice(0, 2))]))).toBe(expected)
  })

  test('keeps the first samples of each reason, whichever chunk comes first', () => {
    const broken = (firstRow: number): Counts =>
      countRows('flights-200k', firstRow, [{ value: 7 }, { value: { delay: 'x' } }, { brokenText: '{' }, { value: 8 }])

    const { rows, bad, total } = mergeCounts([broken(100), broken(0)])

    expect([rows, total.flights]).toEqual([8, 0])
    expect(bad).toEqual([
      {
        reason: 'delay is not a whole number of minutes',
        count: 2,
        samples: [
          { row: 1, text: '{"delay":"x"}' },
          { row: 101, text: '{"delay":"x"}' },
        ],
      },
      {
        reason: 'row is not JSON',
        count: 2,
        samples: [
          { row: 2, text: '{' },
          { row: 102, text: '{' },
        ],
      },
      {
        reason: 'row is not an object',
        count: 4,
        samples: [
          { row: 0, text: '7' },
          { row: 3, text: '8' },
          { row: 100, text: '7' },
        ],
      },
    ])
  })

  test('of nothing is nothing', () => {
    expect(mergeCounts([])).toEqual(countRows('flights-200k', 0, []))
  })
})

test('a band begins at its lower edge', () => {
  expect([1, 249.9, 250, 999, 1000, 2499, 2500, 9999].map(bandOf)).toEqual([0, 0, 1, 3, 4, 6, 7, 7])
})
