// The intake on Postgres: the table into which transactions of programs write, and how its rows become runs.
import type { IntakePage, IntakeStore, LeftStart, MadeStart, TakenStart } from '../intake.ts'
import type { Query } from '../query.ts'
import { noNode, writeIn, type Access } from '../sql/database/transaction.ts'
import { intern, queueNamed } from '../sql/names.ts'
import { endRuns, type Ending } from '../sql/runs/moves.ts'
import type { Ends } from '../sql/runs/runs.ts'
import { insertRuns } from '../sql/runs/starts.ts'
import type { StartRecord } from '../start.ts'

// By primary key, from its first row that is left.
const findLeft = `
select id as place, run as id, name, case when start is null then input end as input, options from intake
where id > ? and (name is null or name not in (select value from json_each(?) /* texts */)) order by id limit ?`

// By primary key. Race: who takes in is alone on the store, so each row is given once.
const takeLeft = `
delete from intake where id in (select value from json_each(?)) returning id as place, run as id, input, start`

/** A start that a program made, as it is left beside its input. */
export type LeftRecord = Omit<StartRecord, 'id' | 'input'> & { readonly queue: string }

interface LeftRow {
  readonly place: number
  readonly id: string
  readonly name: string | null
  readonly input: string | null
  readonly options: string | null
}

interface TakenRow {
  readonly place: number
  readonly id: string
  readonly input: string | null
  readonly start: string | null
}

export class PostgresIntakeStore implements IntakeStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async list({ after, limit, without }: IntakePage): Promise<readonly LeftStart[]> {
    const { db, read } = this.#access
    const rows = await read(() => db.all<LeftRow>(findLeft, after, JSON.stringify(without), limit))
    return rows.map(leftOf)
  }

  takeIn(taken: readonly TakenStart[]): Promise<readonly string[]> {
    return this.#access.end((ends) => takeIn(ends, taken))
  }
}

function leftOf({ place, id, name, input, options }: LeftRow): LeftStart {
  return { place, plain: name === null ? undefined : { id, name, input, options: options ?? '{}' } }
}

function* takeIn(ends: Ends, taken: readonly TakenStart[]): Query<readonly string[]> {
  const { db } = ends
  const made = new Map(taken.map((one) => [one.place, one.made]))
  const rows = yield* db.all<TakenRow>(takeLeft, JSON.stringify([...made.keys()]))
  const queueIds = new Map<string, number>()
  const starts: StartRecord[] = []
  const failures = new Map<string, string>()
  for (const row of rows.toSorted((one, other) => one.place - other.place)) {
    const { queue, record, failure } = made.get(row.place) ?? recordOf(row)
    const queueId = queueIds.get(queue) ?? (yield* intern(db, queueNamed(queue)))
    queueIds.set(queue, queueId)
    starts.push({ ...record, id: row.id, queueId })
    if (failure !== undefined) failures.set(row.id, failure)
  }
  const started = yield* insertRuns(writeIn(ends, { nodeId: noNode, epoch: 0 }), starts)
  const endings = started.flatMap(({ id, runId }): Ending[] => {
    const value = failures.get(id)
    return value === undefined ? [] : [{ runId, outcome: 'failed', value }]
  })
  yield* endRuns(ends, endings)
  return starts.map(({ id }) => id)
}

/** Of a row that nobody has to make a start any more. */
function recordOf({ id, input, start }: TakenRow): MadeStart {
  const { queue, ...left } = JSON.parse(start ?? '') as LeftRecord
  return { queue, record: { ...left, id, input: input ?? 'u' }, failure: undefined }
}
