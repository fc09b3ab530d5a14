import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Troupe } from 'troupe'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { printedBy } from '../printed.ts'
import { money } from './page.ts'
import { writeSales } from './sales.ts'
import { generateReport } from './workers/generate-report.ts'

let home: string
let out: string
let sales: string
let troupe: Troupe

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'troupe-report-test-'))
  out = join(home, 'out')
  sales = join(home, 'sales.csv')
  troupe = await Troupe.open({ store: `sqlite:${join(home, 'troupe.db')}`, definitions: [generateReport] })
  await troupe.start()
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await troupe.stop()
  await rm(home, { recursive: true })
})

/** The same sums by other means: one pattern for a line, and money with a decimal point. */
async function recount() {
  const pattern = /^(\d{4}-\d\d)-\d\d,(\w+),(?:"((?:[^"]|"")*)"|([^,]*)),(\d+),(\S+)$/
  const lines = (await readFile(sales, 'utf8')).trim().split('\r\n').slice(1)
  const sums = new Map<string, number>()
  const add = (key: string, amount: number): void => void sums.set(key, (sums.get(key) ?? 0) + amount)
  for (const line of lines) {
    const [, month = '', region = '', quoted, bare = '', quantity = '', price = ''] = pattern.exec(line) ?? []
    const product = quoted?.replaceAll('""', '"') ?? bare
    const revenue = Number(quantity) * Number(price)
    add('all', revenue)
    add(`month ${month}`, revenue)
    add(`product ${product}`, revenue)
    add(`product ${product} in ${region}`, revenue)
    add(`pieces of ${product}`, Number(quantity))
  }
  return { rows: lines.length, sum: (key: string) => Math.round((sums.get(key) ?? NaN) * 100), pieces: sums }
}

it('adds up all sales, and shows the sums in a chart and a table', async () => {
  await writeSales(sales, 12_000)
  const result = await troupe.run(generateReport, { sales, out })
  const { rows, sum, pieces } = await recount()
  expect({ rows: result.rows, badRows: result.badRows, cents: result.cents }).toEqual({
    rows: 12_000,
    badRows: 0,
    cents: sum('all'),
  })
  expect(rows).toBe(12_000)
  const months = Array.from({ length: 12 }, (_, index) => `2025-${String(index + 1).padStart(2, '0')}`)
  expect(result.byMonth).toEqual(Object.fromEntries(months.map((month) => [month, sum(`month ${month}`)])))
  const names = ['Coffee, beans', 'Coffee, ground', '"Earl" tea', 'Salt & <pepper>', 'Rice']
  const regions = ['east', 'north', 'south', 'west']
  expect(Object.entries(result.byProduct)).toEqual(
    names.map((name) => [
      name,
      {
        quantity: pieces.get(`pieces of ${name}`),
        cents: sum(`product ${name}`),
        byRegion: Object.fromEntries(regions.map((region) => [region, sum(`product ${name} in ${region}`)])),
      },
    ]),
  )

  expect(result.report).toBe(join(out, 'sales.html'))
  expect(await readdir(out)).toEqual(['sales.html'])
  const html = await readFile(result.report, 'utf8')
  const table = [...html.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/g)].map(([, name, cells = '']) => [
    name,
    ...[...cells.matchAll(/<td>(.*?)<\/td>/g)].map(([, figure]) => figure),
  ])
  const written = ['Coffee, beans', 'Coffee, ground', '&quot;Earl&quot; tea', 'Salt &amp; &lt;pepper&gt;', 'Rice']
  expect(table).toEqual(
    names.map((name, index) => [
      written[index],
      String(pieces.get(`pieces of ${name}`)),
      ...regions.map((region) => money(sum(`product ${name} in ${region}`))),
      money(sum(`product ${name}`)),
    ]),
  )
  const bars = [...html.matchAll(/<title>(2025-\d\d): ([\d,.]+)<\/title><rect [^>]*height="([\d.]+)"/g)]
  expect(bars.map(([, month, amount]) => [month, amount])).toEqual(
    months.map((month) => [month, money(sum(`month ${month}`))]),
  )
  // As tall as the month is rich, to a tenth of a pixel.
  const tallest = Math.max(...bars.map((bar) => Number(bar[3])))
  const richest = Math.max(...months.map((month) => sum(`month ${month}`)))
  for (const [index, bar] of bars.entries()) {
    expect(Math.abs(Number(bar[3]) - (sum(`month ${months[index]}`) / richest) * tallest)).toBeLessThan(0.11)
  }
})

it('writes the same report for the same sales', async () => {
  await writeSales(sales, 1_000)
  const pages = []
  for (const folder of ['a', 'b']) {
    const { report } = await troupe.run(generateReport, { sales, out: join(home, folder) })
    pages.push(await readFile(report, 'utf8'))
  }
  expect(pages[0]).toBe(pages[1])
})

it('counts rows that it cannot read, and says so on the page', async () => {
  const head = '\uFEFFdate,region,product,quantity,unit_price'
  const bad = ['2025-01-03,east,Rice,two,2.00', '2025-01-03,east,Rice,2', '3.1.2025,east,Rice,2,2.00', '']
  await writeFile(sales, [head, '2025-01-02,east,Rice,2,1.05', ...bad].join('\n'))
  const result = await troupe.run(generateReport, { sales, out })
  expect(result).toMatchObject({ rows: 4, badRows: 3, cents: 210, byMonth: { '2025-01': 210 } })
  expect(await readFile(result.report, 'utf8')).toContain('From 4 rows. 3 rows could not be read and are not counted.')
})

it('refuses a file of other columns, and makes no report', async () => {
  await writeFile(sales, 'name,age\nAnn,40\n')
  const failing = troupe.run(generateReport, { sales, out })
  await expect(failing).rejects.toThrow('The columns are name,age: expected date,region,product,quantity,unit_price')
  expect(await readdir(home)).not.toContain('out')
})

it('stops reading when it is cancelled in the middle, and leaves no report', async () => {
  // Sales without end: they stop when nobody reads them any more.
  expect(spawnSync('mkfifo', [sales]).status).toBe(0)
  const [head, row] = ['date,region,product,quantity,unit_price', '2025-01-02,east,Rice,2,1.05']
  const shop = spawn('sh', ['-c', `{ echo ${head}; yes ${row}; } > "$0"`, sales], { stdio: 'ignore' })
  const closed = once(shop, 'exit')
  const handle = await troupe.call(generateReport, { sales, out })
  expect(await handle.recv()).toMatchObject({ stage: 'reading' })
  expect(await handle.cancel('nobody reads it')).toBe(true)
  await closed
  expect((await handle.status()).state).toBe('cancelled')
  expect(await readdir(home)).not.toContain('out')
})

it('prints what it reads and what it found', async () => {
  vi.stubEnv('TMPDIR', home)
  const lines = await printedBy(() => import('./main.ts'))
  expect(lines.map((line) => line.replace(/^Open it: .*troupe-report-\w+/, 'Open it: …'))).toEqual([
    'reading: 6477 rows',
    'reading: 12945 rows',
    'reading: 19422 rows',
    'drawing: 20000 rows',
    '20000 rows, 830,839.82 in all',
    '  Coffee, beans      27958    339,566.00',
    '  Coffee, ground     36243    326,047.44',
    '  "Earl" tea         19981    112,778.61',
    '  Salt & <pepper>    11775     40,572.87',
    '  Rice                3975     11,874.90',
    'Open it: …/sales.html',
  ])
})
