// Names of definitions and queues, each kept once and spoken of by number.
import type { Query } from '../query.ts'
import type { Database } from './database/database.ts'

const insertDefinition = `
insert into definition (name, version) values (?, ?) on conflict do nothing`

const findDefinition = `select id from definition where name = ? and version = ?`

const findNames = `select name, on_failure as isTold from definition where id = ?`

const insertQueue = `insert into queue (name) values (?) on conflict do nothing`

const findQueue = `select id from queue where name = ?`

const findQueueNames = `select name from queue order by name`

/** A name that is kept once. */
export interface Name {
  readonly insert: string
  readonly find: string
  readonly values: readonly string[]
}

export function definitionNamed(name: string, version: string): Name {
  return { insert: insertDefinition, find: findDefinition, values: [name, version] }
}

export function queueNamed(name: string): Name {
  return { insert: insertQueue, find: findQueue, values: [name] }
}

/** The number of a name; undefined for one that nobody has spoken of. */
export function* findName(db: Database, { find, values }: Name): Query<number | undefined> {
  const row = yield* db.get<{ id: number }>(find, ...values)
  return row?.id
}

/** The number of a name, which is kept from now on. */
export function* intern(db: Database, name: Name): Query<number> {
  const known = yield* findName(db, name)
  if (known !== undefined) return known
  yield* db.run(name.insert, ...name.values)
  const id = yield* findName(db, name)
  if (id === undefined) throw new Error(`The name ${name.values.join(' ')} was not kept`)
  return id
}

/** Its name, and whether it wants to be told of its runs that fail. */
export function* definitionOf(db: Database, id: number): Query<{ readonly name: string; readonly isTold: number }> {
  const row = yield* db.get<{ name: string; isTold: number }>(findNames, id)
  return row ?? { name: '', isTold: 0 }
}

export function* listQueueNames(db: Database): Query<string[]> {
  const rows = yield* db.all<{ name: string }>(findQueueNames)
  return rows.map(({ name }) => name)
}
