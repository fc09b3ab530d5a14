// A process that writes an order and starts its run in one transaction, and is killed before or after it commits.
import { Troupe, worker } from 'troupe'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'

const { store, commits } = JSON.parse(process.argv[2] ?? '{}') as { store: string; commits: boolean }
const echo = worker('echo', {}, (_ctx, n: number) => n)
const troupe = await Troupe.open({ store, definitions: [echo] })
const tx = await openDriver(store.slice('sqlite:'.length))
tx.exec('create table orders (id integer)')
tx.exec('begin immediate')
tx.exec('insert into orders values (7)')
await troupe.call(echo, 7, { tx })
if (commits) tx.exec('commit')
process.kill(process.pid, 'SIGKILL')
