// A store on a Postgres for the cases of the conformance suite: one database for all of them, emptied before each.
import pg from 'pg'
import { systemClock } from '../../src/lib/clock.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import type { Backend, Database } from '../../src/testing/conformance/scene.ts'
import { openDatabase } from '../postgres.ts'

// As it was when it was made: nothing in its tables but counters, which begin anew as identities do.
const emptyAll = `
do $$
declare made record;
begin
  for made in select tablename as name from pg_tables where schemaname = 'troupe' and tablename not in ('migration', 'counter') loop
    execute format('delete from troupe.%I', made.name);
  end loop;
  for made in select sequencename as name from pg_sequences where schemaname = 'troupe' loop
    execute format('alter sequence troupe.%I restart', made.name);
  end loop;
  update troupe.counter set value = 0;
end
$$`

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
