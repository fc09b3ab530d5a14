import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { chunksOf, findInputs, readChunk, writeWhole, type Inputs } from './files.ts'
import type { Findings } from './findings.ts'
import { render } from './render.ts'
import { countChunk, gatherFindings } from './stages.ts'
import { formatSummary, summaryOf } from './summary.ts'

const folder = await mkdtemp(join(tmpdir(), 'flight-delays-'))
afterAll(() => rm(folder, { recursive: true }))

const real = await findInputs()
const realCounted = await Promise.all(chunksOf(real).map(countChunk))

async function writeReport(inputs: Inputs, findings: Findings, name: string): Promise<Record<string, string>> {
  const { report, charts } = await render(findings, inputs.outline, join(folder, name))
  const files = [report, ...charts].map(async (path) => [
    path.slice(join(folder, name).length + 1),
    await readFile(path, 'utf8'),
  ])
  return Object.fromEntries(await Promise.all(files)) as Record<string, string>
}

async function plant(name: string, files: Record<string, string>): Promise<string> {
  const data = await mkdtemp(join(folder, name))
  await copyFile(real.airports.path, join(data, 'airports.csv'))
  for (const [file, text] of Object.entries(files)) await writeFile(join(data, file), text)
  return data
}

test('the report is the same byte for byte, whatever order the chunks end in and however often it is written', async () => {
  const first = await writeReport(real, await gatherFindings(real, realCounted), 'a')
  const again = await writeReport(real, await gatherFindings(real, realCounted), 'a')
  const shuffled = [...realCounted.slice(13), ...realCounted.slice(0, 13).toReversed()]
  const fromJournal = JSON.parse(JSON.stringify(await gatherFindings(real, shuffled))) as Findings

  expect(again).toEqual(first)
  expect(await writeReport(real, fromJournal, 'b')).toEqual(first)
  expect(await readdir(join(folder, 'a'))).toEqual([
    'delay-by-distance.svg',
    'delay-by-hour.svg',
    'delay-map.svg',
    'delay-spread.svg',
    'report.html',
    'worst-airports.svg',
  ])
})

test('the report states the findings and refers to nothing outside itself', async () => {
  const { 'report.html': html = '' } = await writeReport(real, await gatherFindings(real, realCounted), 'c')

  expect(html).toContain(
    'Leave in the hour from 05:00 and you land 2.9 minutes early on average; from 23:00, 35.2 minutes late.',
  )
  expect(html).toContain('All 220,000 flight rows passed every check; none was left out.')
  expect(html.match(/NaN|undefined|Infinity|\[object/g)).toBeNull()
  expect(html.match(/(?:src|href|url\()[^>]*|https?:[^"]*/g)).toBeNull()
  expect(html).not.toContain(folder)
})

test('the summary holds the figures and fits a terminal', async () => {
  const findings = await gatherFindings(real, realCounted)

  const summary = summaryOf(findings, { report: '/r/report.html', charts: [] })
  const lines = formatSummary(summary).split('\n')

  expect(summary).toMatchObject({ rowsRead: 220_000, badRows: 0, mean: 7.500795, median: 0, lateShare: 0.215725 })
  expect(summary.worstHour).toMatchObject({ hour: 23, flights: 1854 })
  expect(summary.worstAirports.map(({ iata }) => iata)).toEqual(['JFK', 'SEA', 'SMF', 'MIA', 'BOS'])
  expect(lines).toContain('Worst hour     23:00–23:59, mean 35.2 min')
  expect(lines).toContain('JFK  New York, NY                     200     16.2      6.2    33.5%')
  expect(lines.at(-1)).toBe('Report  /r/report.html')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
})

test('bad rows are counted, shown and escaped, and their neighbours still count', async () => {
  const timed = [
    '{"delay":20,"distance":300,"time":7.5}',
    '{"delay":"<b>late</b>","distance":300,"time":7.5}',
    '{"delay":1,',
    '7',
  ]
  const routed = [
    '{"date":"2001/01/01 00:47","delay":66,"distance":1750,"origin":"DTW","destination":"LAS"}',
    '{"date":"2001/13/01 00:47","delay":66,"distance":1750,"origin":"DTW","destination":"LAS"}',
    '{"date":"2001/01/02 10:00","delay":4,"distance":175,"origin":"QQQ","destination":"LAS"}',
  ]
  const data = await plant('planted', {
    'flights-200k.json': `[${timed.join().replace('{"delay":1,', '{"delay":}')}]`,
    'flights-20k.json': `[${routed.join()}]`,
  })
  const inputs = await findInputs(data)

  const findings = await gatherFindings(inputs, await Promise.all(chunksOf(inputs).map(countChunk)))
  const { 'report.html': html = '' } = await writeReport(inputs, findings, 'd')
  const summary = summaryOf(findings, { report: 'r', charts: [] })

  expect(summary).toMatchObject({ rowsRead: 7, badRows: 4, mean: 20, median: 20, lateShare: 1, worstHour: null })
  expect(summary.badRowsByReason).toEqual([
    { file: 'flights-200k.json', reason: 'delay is not a whole number of minutes', count: 1 },
    { file: 'flights-200k.json', reason: 'row is not JSON', count: 1 },
    { file: 'flights-200k.json', reason: 'row is not an object', count: 1 },
    { file: 'flights-20k.json', reason: 'date is not a real YYYY/MM/DD HH:MM', count: 1 },
  ])
  expect(html).toContain('row 1: <code>{&quot;delay&quot;:&quot;&lt;b&gt;late&lt;/b&gt;&quot;')
  expect(html).toContain('row 2: <code>{&quot;delay&quot;:}</code>')
  expect(html).toContain('Flights from airports missing in airports.csv, and so not on the map: 1 (QQQ).')
  expect(html.match(/NaN|undefined|Infinity|\[object/g)).toBeNull()
  expect(formatSummary(summary)).toContain('  1 in flights-200k.json: row is not JSON\n')
})

test('files without a single flight still make a report', async () => {
  const data = await plant('empty', { 'flights-200k.json': '[]', 'flights-20k.json': '[]' })
  const inputs = await findInputs(data)

  const findings = await gatherFindings(inputs, [])
  const { 'report.html': html = '' } = await writeReport(inputs, findings, 'e')

  expect(html).toContain('There was no flight to count.')
  expect(html.match(/NaN|undefined|Infinity|\[object/g)).toBeNull()
})

test('a missing or broken input is named', async () => {
  const data = await plant('broken', { 'flights-200k.json': '{"rows":[]}', 'flights-20k.json': '[]' })

  await expect(findInputs(join(folder, 'nowhere'))).rejects.toThrow(
    `Cannot read ${join(folder, 'nowhere', 'flights-200k.json')}: run npm ci`,
  )
  await expect(findInputs(data)).rejects.toThrow(
    'flights-200k.json is not a JSON array of flights: it does not begin with [',
  )
})

test('a chunk of a file that changed since it was found is refused', async () => {
  const data = await plant('changing', { 'flights-200k.json': '[1,2]', 'flights-20k.json': '[]' })
  const [chunk] = chunksOf(await findInputs(data))
  await writeFile(join(data, 'flights-200k.json'), '[1,2,3]')

  await expect(readChunk(chunk!)).rejects.toThrow('it had 5 bytes, now 7. Start a new run')
})

test('a file is replaced whole and nothing unfinished stays beside it', async () => {
  const path = join(await mkdtemp(join(folder, 'write')), 'deep', 'file.txt')

  await writeWhole(path, 'a long first text')
  await writeFile(`${path}.4711.unfinished`, 'left by a process that died')
  await writeWhole(path, 'short')

  expect(await readFile(path, 'utf8')).toBe('short')
  expect(await readdir(join(path, '..'))).toEqual(['file.txt'])
})
