// The workers of the import: what its template names is done here.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PermanentError, RetryAfterError, worker, type Definition } from 'troupe'
import { listOf, rowsIn, type Catalogue } from './catalogue.ts'

export interface Verdict {
  readonly isAccepted: boolean
  readonly by: string
}

interface List {
  readonly file: string
  readonly rows: number
}

interface GivenBatch {
  readonly steps: { readonly fetch: List }
  readonly batch: { readonly name: string; readonly cursor: { readonly from: number; readonly to: number } }
}

/** What undoes a step is given what that gave, beside what it was given. */
interface Undone<Output> {
  readonly output: Output
}

export function workersOf(catalogue: Catalogue, folder: string): readonly Definition[] {
  return [...listWorkers(folder), ...rowWorkers(catalogue), ...priceWorkers(catalogue)]
}

function listWorkers(folder: string): readonly Definition[] {
  const fetchList = worker('fetch_list', {}, async (ctx, { night }: { readonly night: string }): Promise<List> => {
    if (night === 'Monday' && ctx.attempt === 1) throw new Error('the supplier does not answer')
    const file = join(folder, `${night}.csv`)
    const list = listOf(night)
    await writeFile(file, list)
    const { length } = rowsIn(list)
    ctx.emit(`${night}: ${length} rows are here, with attempt ${ctx.attempt}`)
    return { file, rows: length }
  })
  const deleteList = worker('delete_list', {}, async (ctx, { output }: Undone<List>) => {
    await rm(output.file, { force: true })
    ctx.emit('the list is deleted')
  })
  return [fetchList, deleteList]
}

function rowWorkers(catalogue: Catalogue): readonly Definition[] {
  const loadRows = worker('load_rows', {}, async (ctx, { steps, batch }: GivenBatch) => {
    const { from, to } = batch.cursor
    const rows = rowsIn(await readFile(steps.fetch.file, 'utf8')).slice(from, to)
    const moves = rows.flatMap(({ sku, cents }) => {
      const before = catalogue.prices.get(sku)
      return before === undefined ? [] : [Math.abs(cents - before) / before]
    })
    catalogue.load(batch.name, rows)
    ctx.emit(`${batch.name}: rows ${from + 1} to ${to}`)
    return {
      batch: batch.name,
      rows: rows.length,
      known: moves.length,
      moved: moves.reduce((sum, one) => sum + one, 0),
    }
  })
  const unloadRows = worker('unload_rows', {}, (ctx, { output }: Undone<{ readonly batch: string }>) => {
    catalogue.unload(output.batch)
    ctx.emit(`${output.batch} is unloaded`)
  })
  return [loadRows, unloadRows]
}

function priceWorkers(catalogue: Catalogue): readonly Definition[] {
  const releasePrices = worker(
    'release_prices',
    {},
    (ctx, given: { readonly verdict: Verdict | null; readonly night: string }) => {
      const { isAccepted, by } = given.verdict ?? { isAccepted: false, by: 'nobody, in twelve hours' }
      if (!isAccepted) throw new PermanentError(`the prices of ${given.night} were refused by ${by}`)
      catalogue.release()
      ctx.emit(`the prices are in force, accepted by ${by}`)
      return { by }
    },
  )
  const restorePrices = worker('restore_prices', {}, (ctx) => {
    catalogue.restore()
    ctx.emit('the prices of before are in force again')
  })
  const tellShop = worker('tell_shop', {}, (ctx, { shop, text }: { readonly shop: string; readonly text: string }) => {
    if (shop === 'north' && ctx.attempt === 1) throw new RetryAfterError('the shop in the north is busy', '30ms')
    if (shop === 'closed') throw new PermanentError('there is no such shop any more')
    ctx.emit(`${shop} knows: ${text}`)
    return shop
  })
  return [releasePrices, restorePrices, tellShop]
}
