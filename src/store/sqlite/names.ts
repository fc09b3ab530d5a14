// Names of definitions and queues, each kept once and spoken of by number.
import type { Connection } from './connection/connection.ts'

const insertDefinition = `
insert into definition (name, version) values (?, ?) on conflict do nothing`

const findDefinition = `select id from definition where name = ? and version = ?`

const findNames = `select name, on_failure as isTold from definition where id = ?`

const insertQueue = `insert into queue (name) values (?) on conflict do nothing`

const findQueue = `select id from queue where name = ?`

const findQueueNames = `select name from queue order by name`

export function internDefinition(db: Connection, name: string, version: string): number {
  return intern(db, { insert: insertDefinition, find: findDefinition }, [name, version])
}

/** Its name, and whether it wants to be told of its runs that fail. */
export function definitionOf(db: Connection, id: number): { readonly name: string; readonly isTold: number } {
  return db.get<{ name: string; isTold: number }>(findNames, id) ?? { name: '', isTold: 0 }
}

export function internQueue(db: Connection, name: string): number {
  return intern(db, { insert: insertQueue, find: findQueue }, [name])
}

export function listQueueNames(db: Connection): string[] {
  return db.all<{ name: string }>(findQueueNames).map(({ name }) => name)
}

function intern(db: Connection, { insert, find }: { insert: string; find: string }, values: readonly string[]): number {
  const known = db.get<{ id: number }>(find, ...values)
  if (known !== undefined) return known.id
  return db.write(() => {
    db.run(insert, ...values)
    const row = db.get<{ id: number }>(find, ...values)
    if (row === undefined) throw new Error(`The name ${values.join(' ')} was not kept`)
    return row.id
  })
}
