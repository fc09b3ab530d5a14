// A process whose workflow takes money off an account in a transaction, and that kills itself in the midst of it or right after its commit.
import { Troupe, workflow } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { openClient, openPool } from './pools.ts'

interface Order {
  readonly store: string
  /** The file of the account, or the address of a Postgres. */
  readonly bank: string
  /** Where it dies; nowhere when it is empty. */
  readonly death: string
  /** One client in place of a pool. */
  readonly isClient?: boolean
}

const { store, bank, death, isClient = false } = JSON.parse(process.argv[2] ?? '{}') as Order
const die = (place: string): void => {
  if (place === death) process.kill(process.pid, 'SIGKILL')
}
const take = `update account set balance = balance - 30`

const openBank = isClient ? openClient : openPool
const pool = bank.startsWith('postgres:') ? await openBank(bank) : undefined
const file = pool === undefined ? await openDriver(bank) : undefined
file?.exec('pragma busy_timeout = 5000')
const pay = workflow('pay', {}, async (ctx) => {
  if (pool !== undefined)
    return ctx.tx('take', pool, async (client) => {
      await client.query(take)
      die('inside')
      return 30
    })
  return ctx.tx('take', file!, (db) => {
    db.exec(take)
    die('inside')
    return 30
  })
})
const options = { store, definitions: [pay], logLevel: 'silent' as const }
const troupe = await Troupe.openIn(options, { clock: systemClock, failpoint: die, leaseMs: 200 })
await troupe.start()
const handle = await troupe.call(pay, undefined, { idempotencyKey: 'once' })
await handle.result()
await troupe.stop()
await pool?.end()
