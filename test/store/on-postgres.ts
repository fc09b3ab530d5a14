// A store on a Postgres for the cases of the conformance suite: one database for all of them, emptied before each.
import pg from 'pg'
import { systemClock } from '../../src/lib/clock.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import type { Backend, Database } from '../../src/testing/conformance/scene.ts'
import { openDatabase } from '../postgres.ts'

// As it was when it was made: nothing in its tables but counters, which begin anew as identities do. A function, so that it is planned once.
const makeEmptyAll = `
do $$
declare emptied text;
begin
  select string_agg(format('delete from troupe.%I;', tablename), ' ') into emptied
  from pg_tables where schemaname = 'troupe' and tablename not in ('migration', 'counter');
  select emptied || string_agg(format('perform setval(''troupe.%I'', 1, false);', sequencename), ' ') into emptied
  from pg_sequences where schemaname = 'troupe';
  execute format('create function pg_temp.empty_all() returns void language plpgsql as %L',
    format('begin %s update troupe.counter set value = 0; end', emptied));
end
$$`

const emptyAll = 'select pg_temp.empty_all()'

interface Opened {
  readonly url: string
  readonly admin: pg.Client
  close(): Promise<void>
}

/** A kind of store; `close` ends it. */
export function onPostgres(version: string): Backend & { close(): Promise<void> } {
  let opened: Promise<Opened> | undefined
  return {
    name: `Postgres ${version}`,
    create: async () => emptied(await (opened ??= open(version))),
    close: async () => (await opened)?.close(),
  }
}

async function open(version: string): Promise<Opened> {
  const { url, drop } = await openDatabase(version)
  const store = await openPostgres({ url, clock: systemClock })
  await store.close()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(makeEmptyAll)
  const close = async (): Promise<void> => {
    await admin.end()
    await drop()
  }
  return { url, admin, close }
}

async function emptied({ url, admin }: Opened): Promise<Database> {
  await admin.query(emptyAll)
  return { connect: (clock) => openPostgres({ url, clock }), remove: async () => undefined }
}
