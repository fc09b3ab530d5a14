// Twenty thousand sales, added up in the background, and shown on a page.
//
//   node --import jiti/register examples/report/main.ts
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Troupe } from 'troupe'
import { money } from './page.ts'
import { writeSales } from './sales.ts'
import { generateReport } from './workers/generate-report.ts'

const folder = await mkdtemp(join(tmpdir(), 'troupe-report-'))
const sales = join(folder, 'sales.csv')
await writeSales(sales, 20_000)

const troupe = await Troupe.open({ store: `sqlite:${join(folder, 'troupe.db')}`, definitions: [generateReport] })
await troupe.start()

const handle = await troupe.call(generateReport, { sales, out: folder })
for await (const message of handle) {
  const { stage, rows } = message as { stage: string; rows: number }
  console.log(`${stage}: ${rows} rows`)
}
const { report, rows, cents, byProduct } = await handle.result()

console.log(`${rows} rows, ${money(cents)} in all`)
for (const [name, { quantity, cents }] of Object.entries(byProduct)) {
  console.log(`  ${name.padEnd(16)}${String(quantity).padStart(8)}${money(cents).padStart(14)}`)
}
await troupe.stop()
console.log(`Open it: ${report}`)
