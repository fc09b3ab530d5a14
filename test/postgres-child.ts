// A process that starts a Postgres, says where, and stays.
import { startPostgres } from './postgres-server.ts'

console.log((await startPostgres({ version: '18' })).url)
