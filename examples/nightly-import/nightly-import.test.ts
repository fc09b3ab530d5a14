import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkTemplate, loadTemplate, template, Troupe } from 'troupe'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { Catalogue, listOf, rowsIn } from './catalogue.ts'
import { pictureOf } from './picture.ts'
import { workersOf } from './workers.ts'

const text = await readFile(new URL('import.yaml', import.meta.url), 'utf8')
const { template: nightlyImport } = loadTemplate(text)
const catalogue = new Catalogue()
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-import-test-'))
  for (const { sku, cents } of rowsIn(listOf('Sunday'))) catalogue.prices.set(sku, cents)
})

afterEach(async () => {
  catalogue.close()
  await rm(folder, { recursive: true })
})

const open = () =>
  Troupe.open({
    store: 'sqlite::memory:',
    definitions: [...workersOf(catalogue, folder), template(nightlyImport)],
    logLevel: 'error',
  })

it('loads without a warning', () => {
  expect(checkTemplate(text)).toEqual([])
})

it('puts the prices in force by itself on a night like others', async () => {
  await using troupe = await open()
  await troupe.start()
  const output = await troupe.run('nightly_import', { night: 'Monday', shops: ['east', 'north'] })
  expect(output).toEqual({ rows: 1_000, percent: 0.5, releasedBy: 'nobody', told: 2 })
  expect(catalogue.prices.get('SKU-1001')).toBe(538)
})

it('undoes all of it, the last step first, when a shop cannot be told', async () => {
  await using troupe = await open()
  await troupe.start()
  const run = await troupe.call('nightly_import', { night: 'Tuesday', shops: ['closed'] })
  await run.tell('review', { isAccepted: true, by: 'Ann' })
  await expect(run.result()).rejects.toThrow('there is no such shop any more')
  const undone = (await troupe.steps(run.id)).map(({ path }) => path).filter((path) => path.endsWith('/undo'))
  expect(undone[0]).toBe('release/undo')
  expect(undone.at(-1)).toBe('fetch/undo')
  expect(undone.slice(1, -1).toSorted()).toEqual([1, 2, 3, 4].map((batch) => `load_00${batch}/undo`))
  expect([catalogue.loaded, catalogue.prices.get('SKU-1000'), await readdir(folder)]).toEqual([0, 500, []])
})

it('draws what was done as a tree', () => {
  const at = { kind: 'step', attempt: 1, value: null, error: undefined, startedAt: 0, finishedAt: 0 } as const
  const paths = ['fetch', 'divide', 'load_001', 'load_002', 'compare', 'route', 'review', 'load_002/undo', 'fetch/undo']
  const steps = paths.map((path) => ({ ...at, path }))
  const refused = { ...at, path: 'release', error: new Error('no') }
  expect(pictureOf(nightlyImport, [...steps, refused]).split('\n')).toEqual([
    '  └─ fetch ↶',
    '     └─ divide ✓',
    '        └─ load ✓↶  (and fetch)',
    '           └─ compare ✓',
    '              └─ route ✓',
    '                 ├─ accept ·',
    '                 └─ review ✓',
    '                    └─ release ✗  (and accept)',
    '                       └─ tell ·',
  ])
})

it('tells of its three nights', { timeout: 60_000 }, async () => {
  const lines = (await printedBy(() => import('./main.ts'))).flatMap((line) => line.split('\n'))
  const isDrawn = (line: string): boolean => /[└├│]| ms$|took$/.test(line)
  const said = lines.filter((line) => line !== '' && !isDrawn(line)).map((line) => line.trim())
  const loaded = ['1 to 250', '251 to 500', '501 to 750', '751 to 1000'].map(
    (span, n) => `load_00${n + 1}: rows ${span}`,
  )
  const knows = (text: string): string[] => ['north', 'south', 'west'].map((shop) => `${shop} knows: ${text}`)
  expect(said.toSorted()).toEqual(
    [
      'Monday',
      'Monday: 1000 rows are here, with attempt 2',
      ...loaded,
      'the prices are in force, accepted by nobody',
      ...knows('prices of Monday: 1000 rows, moved by 0.5 %'),
      '{"rows":1000,"percent":0.5,"releasedBy":"nobody","told":3}',
      'Tuesday',
      'Tuesday: 1000 rows are here, with attempt 1',
      ...loaded,
      'the prices are in force, accepted by Ann',
      ...knows('prices of Tuesday: 1000 rows, moved by 9 %'),
      '{"rows":1000,"percent":9,"releasedBy":"Ann","told":3}',
      'Wednesday',
      'Wednesday: 1000 rows are here, with attempt 1',
      ...loaded,
      ...[1, 2, 3, 4].map((batch) => `load_00${batch} is unloaded`),
      'the list is deleted',
      'failed: the prices of Wednesday were refused by Ann',
      'SKU-1000 costs 590 cents',
    ].toSorted(),
  )
  const drawn = lines.filter((line) => line.includes('─ release')).map((line) => line.trim())
  expect(drawn).toEqual(['│  └─ release ✓  (and review)', '└─ release ✓  (and accept)', '└─ release ✗  (and accept)'])
})
