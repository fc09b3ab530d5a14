// The templates that are kept, each once.
import type {
  HandlerNeed,
  IdleRules,
  IdleTemplates,
  KeptTemplate,
  TemplateNaming,
  TemplateRecord,
  TemplateStore,
  TemplateView,
} from '../templates.ts'
import { wholeMs } from './database/times.ts'
import type { Access } from './database/transaction.ts'

// Not so that a person has damaged.
const isSound = `json_valid(template.form) and json_valid(template.needs)`

// How exactly it is known when somebody last had one.
const dayMs = 86_400_000

// By primary key.
const findSound = `select 1 from template where hash = ? and used_at > ? and ${isSound}`

const nextSeq = `(select coalesce(max(seq), 0) + 1 from template)`

// By primary key; the newest change has the greatest seq. What was damaged is stored anew.
const insertTemplate = `
insert into template (hash, definition, namespace, name, version, form, needs, seq, kept_at, used_at)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ${nextSeq}, cast(?8 as integer), cast(?8 as integer)
where not exists (select 1 from template as other where other.definition = ?2 and other.hash <> ?1)
on conflict (hash) do update set
  used_at = excluded.used_at,
  form = case when ${isSound} then template.form else excluded.form end,
  needs = case when ${isSound} then template.needs else excluded.needs end,
  seq = case when ${isSound} then template.seq else excluded.seq end`

// By primary key, and the last of its name in template_named. A refresh is told though its name means it already: not on all nodes.
const nameTemplate = `
update template set seq = ${nextSeq}, named = ${nextSeq}, is_refreshed = ?2, used_at = ?3
where hash = ?1 and (?2 = 1 or hash is distinct from (
  select hash from template as other
  where other.namespace = template.namespace and other.name = template.name and other.named is not null
  order by other.named desc limit 1
))`

// By primary key, then by template_named: who has learnt what a name meant may start a run of it yet.
const renewNamed = `
update template set used_at = ?2 where hash in (
  select other.hash from template as meant join template as other
    on other.namespace = meant.namespace and other.name = meant.name and other.named is not null
  where meant.hash = ?1)`

// Of template_used alone, by template_named, and a scan of the schedules: asked now and then. The newest change stays: its number is not given again.
const isIdle = `
template.used_at <= ?1 and (template.named is null or exists (
  select 1 from template as newer
  where newer.namespace = template.namespace and newer.name = template.name and newer.named > template.named
)) and template.definition not in (select definition from schedule)
  and template.seq < (select max(seq) from template)`

// Walks template_used, oldest first.
const findIdle = `select definition from template where ${isIdle} order by used_at limit ?2`

// Walks the primary key of run.
const findRuns = `select id, definition from run where id > ? order by id limit ?`

// By the unique definition.
const renewUsed = `update template set used_at = ? where definition in (select value from json_each(?))`

// By the unique definition.
const deleteIdle = `delete from template where definition in (select value from json_each(?2)) and ${isIdle}`

// By the unique definition.
const findForm = `select form from template where definition = ?`

// Walks the unique seq.
const findSince = `
select hash, definition as definitionId, namespace, name, version, case when json_valid(needs) then needs end as needs,
  case when json_valid(form) then form -> '$.lifecycle' end as lifecycle, seq,
  case when named = seq then is_refreshed else 0 end as isRefreshed
from template where seq > ? order by seq limit ?`

// The end of the unique seq.
const findLastSeq = `select coalesce(max(seq), 0) as seq from template`

// A scan: asked by nodes that know more templates than they would serve without need.
const findUnfinished = `select distinct live.definition from live join template on template.definition = live.definition`

// Scans, for people.
const findAll = `
select hash, namespace, name, version, kept_at as keptAt,
  case when ${isSound} then json_array_length(form, '$.steps') end as steps,
  named is not null and named = max(named) over (partition by namespace, name) as isNamed,
  coalesce(unfinished.runs, 0) as runs
from template left join (select definition, count(*) as runs from live group by definition) as unfinished
  on unfinished.definition = template.definition
order by namespace, name, template.kept_at desc, seq desc`

/** The statements of this file whose plans are tested. */
export const hotTemplateStatements = {
  nameTemplate,
  renewNamed,
  findForm,
  findSince,
  findRunsOfTemplates: findRuns,
  renewUsed,
}

type SinceRow = Omit<KeptTemplate, 'needs' | 'isRefreshed'> & {
  readonly needs: string | null
  readonly isRefreshed: number
}

type ViewRow = Omit<TemplateView, 'isNamed'> & { readonly isNamed: number }

export class SqlTemplateStore implements TemplateStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async keep(record: TemplateRecord): Promise<void> {
    const { db, read, write, now } = this.#access
    const { hash, definitionId, namespace, name, version, form, needs } = record
    if ((await read(() => db.get(findSound, hash, now() - dayMs))) !== undefined) return
    const named = [hash, definitionId, namespace, name, version]
    await write(() => db.run(insertTemplate, ...named, form, JSON.stringify(needs), wholeMs(now())))
  }

  async name(namings: readonly TemplateNaming[]): Promise<void> {
    if (namings.length === 0) return
    const { db, write, now } = this.#access
    await write(function* () {
      const at = wholeMs(now())
      for (const { hash, isRefreshed } of namings) {
        if ((yield* db.change(nameTemplate, hash, isRefreshed ? 1 : 0, at)) > 0) yield* db.run(renewNamed, hash, at)
      }
    })
  }

  findForm(definitionId: number): Promise<string | undefined> {
    const { db, read } = this.#access
    return read(function* () {
      const row = yield* db.get<{ form: string }>(findForm, definitionId)
      return row?.form
    })
  }

  listSince(seq: number, limit: number): Promise<KeptTemplate[]> {
    const { db, read } = this.#access
    return read(function* () {
      const rows = yield* db.all<SinceRow>(findSince, seq, limit)
      return rows.map((row) => ({
        ...row,
        needs: row.needs === null ? null : (JSON.parse(row.needs) as HandlerNeed[]),
        isRefreshed: row.isRefreshed === 1,
      }))
    })
  }

  lastSeq(): Promise<number> {
    const { db, read } = this.#access
    return read(function* () {
      const row = yield* db.get<{ seq: number }>(findLastSeq)
      return row?.seq ?? 0
    })
  }

  async findIdle({ before, limit }: IdleRules): Promise<IdleTemplates> {
    const { db, read } = this.#access
    const rows = await read(() => db.all<{ definition: number }>(findIdle, before, limit))
    return { definitionIds: rows.map(({ definition }) => definition), after: 0 }
  }

  /** Invariant: I3. No run can begin between the last look and the end of the text: they are one transaction. */
  deleteIdle({ definitionIds, after }: IdleTemplates, { before, limit }: IdleRules): Promise<IdleTemplates> {
    const { db, write, now } = this.#access
    return write(function* () {
      const runs = yield* db.all<{ id: number; definition: number }>(findRuns, after, limit)
      const used = new Set(runs.map(({ definition }) => definition))
      const found = definitionIds.filter((id) => used.has(id))
      if (found.length > 0) yield* db.run(renewUsed, wholeMs(now()), JSON.stringify(found))
      const left = definitionIds.filter((id) => !used.has(id))
      if (runs.length === limit) return { definitionIds: left, after: runs.at(-1)?.id ?? after }
      yield* db.run(deleteIdle, before, JSON.stringify(left))
      return { definitionIds: [], after: 0 }
    })
  }

  listUnfinished(): Promise<number[]> {
    const { db, read } = this.#access
    return read(function* () {
      const rows = yield* db.all<{ definition: number }>(findUnfinished)
      return rows.map(({ definition }) => definition)
    })
  }

  list(): Promise<TemplateView[]> {
    const { db, read } = this.#access
    return read(function* () {
      const rows = yield* db.all<ViewRow>(findAll)
      return rows.map((row) => ({ ...row, isNamed: row.isNamed === 1 }))
    })
  }
}
