// The templates that are kept, each once.
import type {
  HandlerNeed,
  KeptTemplate,
  TemplateNaming,
  TemplateRecord,
  TemplateStore,
  TemplateView,
} from '../templates.ts'
import { wholeMs } from './connection/times.ts'
import type { Access } from './connection/transaction.ts'

// Not so that a person has damaged.
const isSound = `json_valid(template.form) and json_valid(template.needs)`

// By primary key.
const findSound = `select 1 from template where hash = ? and ${isSound}`

const nextSeq = `(select coalesce(max(seq), 0) + 1 from template)`

// By primary key; the newest change has the greatest seq. What was damaged is stored anew.
const insertTemplate = `
insert into template (hash, definition, namespace, name, version, form, needs, seq, kept_at)
values (?, ?, ?, ?, ?, ?, ?, ${nextSeq}, ?)
on conflict (hash) do update set form = excluded.form, needs = excluded.needs, seq = excluded.seq where not (${isSound})
on conflict do nothing`

// By primary key, and the last of its name in template_named. A refresh is told though its name means it already: not on all nodes.
const nameTemplate = `
update template set seq = ${nextSeq}, named = ${nextSeq}, is_refreshed = ?2
where hash = ?1 and (?2 = 1 or hash is not (
  select hash from template as other
  where other.namespace = template.namespace and other.name = template.name and other.named is not null
  order by other.named desc limit 1
))`

// By the unique definition.
const findForm = `select form from template where definition = ?`

// Walks the unique seq.
const findSince = `
select hash, definition as definitionId, namespace, name, version, iif(json_valid(needs), needs, null) as needs,
  iif(json_valid(form), form -> '$.lifecycle', null) as lifecycle, seq, named = seq and is_refreshed as isRefreshed
from template where seq > ? order by seq limit ?`

// The end of the unique seq.
const findLastSeq = `select coalesce(max(seq), 0) as seq from template`

// A scan: asked by nodes that know more templates than they would serve without need.
const findUnfinished = `select distinct live.definition from live join template on template.definition = live.definition`

// Scans, for people.
const findAll = `
select hash, namespace, name, version, kept_at as keptAt,
  iif(${isSound}, json_array_length(form, '$.steps'), null) as steps,
  named is not null and named = max(named) over (partition by namespace, name) as isNamed,
  coalesce(unfinished.runs, 0) as runs
from template left join (select definition, count(*) as runs from live group by definition) as unfinished
  on unfinished.definition = template.definition
order by namespace, name, template.kept_at desc, seq desc`

/** The statements of this file whose plans are tested. */
export const hotTemplateStatements = { nameTemplate, findForm, findSince }

type SinceRow = Omit<KeptTemplate, 'needs' | 'isRefreshed'> & {
  readonly needs: string | null
  readonly isRefreshed: number
}

type ViewRow = Omit<TemplateView, 'isNamed'> & { readonly isNamed: number }

export class SqliteTemplateStore implements TemplateStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async keep(record: TemplateRecord): Promise<void> {
    const { db, read, write, now } = this.#access
    const { hash, definitionId, namespace, name, version, form, needs } = record
    if ((await read(() => db.get(findSound, hash))) !== undefined) return
    const named = [hash, definitionId, namespace, name, version]
    await write(() => db.run(insertTemplate, ...named, form, JSON.stringify(needs), wholeMs(now())))
  }

  async name(namings: readonly TemplateNaming[]): Promise<void> {
    if (namings.length === 0) return
    const { db, write } = this.#access
    await write(() => {
      for (const { hash, isRefreshed } of namings) db.run(nameTemplate, hash, isRefreshed ? 1 : 0)
    })
  }

  findForm(definitionId: number): Promise<string | undefined> {
    const { db, read } = this.#access
    return read(() => db.get<{ form: string }>(findForm, definitionId)?.form)
  }

  listSince(seq: number, limit: number): Promise<KeptTemplate[]> {
    const { db, read } = this.#access
    return read(() =>
      db.all<SinceRow>(findSince, seq, limit).map((row) => ({
        ...row,
        needs: row.needs === null ? null : (JSON.parse(row.needs) as HandlerNeed[]),
        isRefreshed: row.isRefreshed === 1,
      })),
    )
  }

  lastSeq(): Promise<number> {
    const { db, read } = this.#access
    return read(() => db.get<{ seq: number }>(findLastSeq)?.seq ?? 0)
  }

  listUnfinished(): Promise<number[]> {
    const { db, read } = this.#access
    return read(() => db.all<{ definition: number }>(findUnfinished).map(({ definition }) => definition))
  }

  list(): Promise<TemplateView[]> {
    const { db, read } = this.#access
    return read(() => db.all<ViewRow>(findAll).map((row) => ({ ...row, isNamed: row.isNamed === 1 })))
  }
}
