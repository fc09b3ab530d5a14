// What the store knows of definitions beside their names.
import type {
  DefinitionRules,
  DefinitionStore,
  KnownDefinition,
  UnfinishedPage,
  UnfinishedRun,
} from '../definitions.ts'
import { compareVersions } from '../../model/version.ts'
import type { Access } from './database/transaction.ts'
import { listUnfinished } from './runs/unfinished.ts'

// By primary key.
const findRules = `select retention, on_failure as isTold, starts from definition where id = ?`

const setRules = `update definition set retention = ?, on_failure = ?, starts = ? where id = ?`

// Walks the index of unique names, then by the unique definition; the nodes are few.
const findByName = `
select id, definition.version, starts, coalesce(template.named, 0) as named, exists (
  select 1 from node, json_each(node.definitions) as served
  where lease_until >= ? and cast(served.value as integer) = definition.id
) as isServed
from definition left join template on template.definition = definition.id
where definition.name = ? and starts is not null`

// By the unique public id.
const findOfRun = `select definition from run where public_id = ?`

// A scan: asked when a name was not found.
const findNames = `select distinct name from definition where starts is not null order by name`

/** The statements of this file whose plans are tested. */
export const hotDefinitionStatements = { findByName, findOfRun }

interface RulesRow extends Omit<DefinitionRules, 'isTold'> {
  readonly isTold: number
}

interface KnownRow extends KnownDefinition {
  readonly isServed: number
  /** Of a template: when its name was last made to mean it. */
  readonly named: number
}

function isBetter(one: KnownRow, other: KnownRow): boolean {
  if (one.named !== other.named) return one.named > other.named
  if (one.isServed !== other.isServed) return one.isServed === 1
  return compareVersions(one.version, other.version) > 0
}

export class SqlDefinitionStore implements DefinitionStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async keep(id: number, { retention, isTold, starts }: DefinitionRules): Promise<void> {
    const { db, read, write } = this.#access
    const wish = isTold ? 1 : 0
    const known = await read(() => db.get<RulesRow>(findRules, id))
    if (known?.retention === retention && known.isTold === wish && known.starts === starts) return
    await write(() => db.run(setRules, retention, wish, starts, id))
  }

  find(name: string): Promise<KnownDefinition | undefined> {
    const { db, read, now } = this.#access
    return read(function* () {
      const [first, ...others] = yield* db.all<KnownRow>(findByName, now(), name)
      if (first === undefined) return undefined
      const { id, version, starts } = others.reduce((best, other) => (isBetter(other, best) ? other : best), first)
      return { id, version, starts }
    })
  }

  findOf(runId: string): Promise<number | undefined> {
    const { db, read } = this.#access
    return read(function* () {
      const row = yield* db.get<{ definition: number }>(findOfRun, runId)
      return row?.definition
    })
  }

  listNames(): Promise<string[]> {
    const { db, read } = this.#access
    return read(function* () {
      const rows = yield* db.all<{ name: string }>(findNames)
      return rows.map(({ name }) => name)
    })
  }

  listUnfinished(page: UnfinishedPage): Promise<UnfinishedRun[]> {
    const { db, read, now } = this.#access
    return read(() => listUnfinished(db, page, now()))
  }
}
