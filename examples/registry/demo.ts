// Opens the company, sells something, closes it in the right order; then a company that cannot open.
//
//   node --import jiti/register examples/registry/demo.ts
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ActorSystem, isTroupeError } from 'troupe/actor'
import { FrontDesk, Ledger, Stock } from './company.ts'

const folder = await mkdtemp(join(tmpdir(), 'company-'))
const path = join(folder, 'ledger.txt')
await writeFile(path, '')

const system = new ActorSystem({ name: 'company' })

// Each starts when the one before is ready; they are stopped in reverse, so that nobody outlives what it needs.
const { ledger, stock } = await system.registry({
  ledger: () => new Ledger(path),
  stock: () => new Stock([['pen', 5]]),
})
const { frontDesk } = await system.registry({ frontDesk: () => new FrontDesk(stock, ledger) })

console.log(await frontDesk.ask('order', { item: 'pen', count: 3 }))
console.log(await frontDesk.ask('order', { item: 'pen', count: 3 }).catch((error: unknown) => String(error)))
console.log(system.lookup('stock', Stock) === stock)
await system.stop({ within: '5s' })
console.log(`ledger: ${(await readFile(path, 'utf8')).trim()}`)

// One that does not start takes along what was started before it.
const other = new ActorSystem({ name: 'other' })
const opening = other.registry({
  stock: () => new Stock([]),
  ledger: () => new Ledger(join(folder, 'nowhere', 'ledger.txt')),
})
await opening.catch((error: unknown) => console.log(isTroupeError(error) ? error.code : error))
console.log(`actors left: ${other.metrics().actors}`)
await rm(folder, { recursive: true })
