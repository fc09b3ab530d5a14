// Three nights of an import that is written in YAML: one goes by itself, one waits for a person, one is refused and undone.
//
//   npm run demo:import
//   npx troupe templates graph examples/nightly-import/import.yaml      the graph as a picture
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadTemplate, template, Troupe, type RunHandle } from 'troupe'
import { Catalogue, listOf, rowsIn } from './catalogue.ts'
import { pictureOf, tableOf } from './picture.ts'
import { workersOf, type Verdict } from './workers.ts'

const folder = await mkdtemp(join(tmpdir(), 'troupe-import-'))
const catalogue = new Catalogue()
for (const { sku, cents } of rowsIn(listOf('Sunday'))) catalogue.prices.set(sku, cents)

const text = await readFile(new URL('import.yaml', import.meta.url), 'utf8')
const { template: nightlyImport } = loadTemplate(text, { file: 'import.yaml' })
const troupe = await Troupe.open({
  store: `sqlite:${join(folder, 'troupe.db')}`,
  definitions: [...workersOf(catalogue, folder), template(nightlyImport)],
  logLevel: 'error',
})
await troupe.start()

/** What people say who are asked, on the nights on which they are. */
const verdicts: Readonly<Record<string, Verdict>> = {
  Tuesday: { isAccepted: true, by: 'Ann' },
  Wednesday: { isAccepted: false, by: 'Ann' },
}

for (const night of ['Monday', 'Tuesday', 'Wednesday']) {
  console.log(`\n${night}\n`)
  const run = await troupe.call('nightly_import', { night, shops: ['north', 'south', 'west'] })
  const telling = tellAll(run)
  const verdict = verdicts[night]
  if (verdict !== undefined) await run.tell('review', verdict)
  const [end] = await Promise.allSettled([run.result()])
  await telling
  console.log(
    end.status === 'fulfilled' ? `  ${JSON.stringify(end.value)}` : `  failed: ${(end.reason as Error).message}`,
  )
  const steps = await troupe.steps(run.id)
  console.log(`\n${pictureOf(nightlyImport, steps)}\n\n${tableOf(steps)}`)
  catalogue.close()
}

console.log(`\nSKU-1000 costs ${catalogue.prices.get('SKU-1000')} cents`)
await troupe.stop()
await rm(folder, { recursive: true })

/** What the workers say, as they say it. */
async function tellAll(run: RunHandle<unknown>): Promise<void> {
  for await (const message of run) console.log(`  ${String(message)}`)
}
