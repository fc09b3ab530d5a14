// A process that starts a run in a transaction on Postgres, and is killed before the commit, or right after it.
import pg from 'pg'
import { Troupe, worker } from 'troupe'

const { store, commits } = JSON.parse(process.argv[2] ?? '') as { store: string; commits: boolean }
const echo = worker('echo', {}, (_ctx, n: number) => n)
const troupe = await Troupe.open({ store, definitions: [echo], logLevel: 'silent' })
const tx = new pg.Client({ connectionString: store })
await tx.connect()
await tx.query('begin')
await tx.query('insert into orders values (1)')
await troupe.call(echo, 1, { tx })
if (commits) await tx.query('commit')
process.kill(process.pid, 'SIGKILL')
