// The worker: from a file of sales to a page that shows them. The page is there whole, or not at all.
import { createReadStream } from 'node:fs'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { worker, type WorkerContext } from 'troupe'
import { z } from 'zod'
import { CsvReader } from '../csv.ts'
import { page } from '../page.ts'
import { Adder, type Totals } from '../totals.ts'

const Order = z.object({
  /** A CSV file: date, region, product, quantity, unit_price. */
  sales: z.string(),
  /** The folder for the report. */
  out: z.string(),
})

const rowsBetweenMessages = 5_000

export const generateReport = worker(
  'generate-report',
  { input: Order, timeout: '5m' },
  async (ctx, { sales, out }) => {
    const totals = await addUp(ctx, sales)

    ctx.emit({ stage: 'drawing', rows: totals.rows })
    await mkdir(out, { recursive: true })
    const unfinished = join(out, `.${ctx.runId}.html`)
    ctx.defer(() => rm(unfinished, { force: true }))
    await writeFile(unfinished, page(totals), { signal: ctx.signal })
    const report = join(out, 'sales.html')
    await rename(unfinished, report)
    return { report, ...totals }
  },
)

/** The file may be larger than the memory; a cancel or a timeout ends it between two pieces. */
async function addUp(ctx: WorkerContext<unknown>, file: string): Promise<Totals> {
  const { size } = await stat(file)
  const stream = createReadStream(file, { encoding: 'utf8', signal: ctx.signal })
  const csv = new CsvReader()
  const adder = new Adder()
  let told = 0
  for await (const piece of stream) {
    for (const row of csv.read(piece as string)) adder.add(row)
    ctx.progress(stream.bytesRead, Math.max(size, stream.bytesRead))
    if (adder.rows < told + rowsBetweenMessages) continue
    told = adder.rows
    ctx.emit({ stage: 'reading', rows: told })
  }
  for (const row of csv.end()) adder.add(row)
  return adder.totals()
}
