// The rows of new runs, many to a statement.
import type { LiveState } from '../../../model/run.ts'
import type { StartRecord } from '../../start.ts'
import type { Query } from '../../query.ts'
import type { Database, SqlValue } from '../database/database.ts'
import { ManyRows } from '../database/many-rows.ts'
import { wholeMs, wholeOrNull } from '../database/times.ts'

const insertRow = new ManyRows(
  ['integer', 'text', 'integer', 'integer', 'text', 'text', 'integer', 'integer'],
  (rows) => `
insert into run (id, public_id, definition, queue, input, tags, created_at, deadline_at) ${rows}`,
)

// Of neighbours that begin alike; by primary key. Measured: half the time of a row of values for each.
const insertLives = `
insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at)
select id, 1, ?, queue, definition, ?, ?, ?, ?, 1, 0, ? from run where id between ? and ?`

// What few runs have; by primary key.
const addRarities = `update run set expires_at = ?, correlation_id = ?, retry = ?, is_unchecked = ? where id = ?`

/** The statements of this file whose plans are tested. */
export const hotNewRunStatements = { insertLives, addRarities }

/** How a new run begins. */
export interface Beginning {
  readonly state: LiveState
  readonly priority: number
  readonly dueAt: number | null
}

/** A transaction in which runs begin. */
export interface Begins {
  readonly db: Database
  readonly now: number
  readonly nodeId: number
  readonly epoch: number
}

/** Neighbours that begin alike. */
interface Group {
  readonly beginning: Beginning
  readonly first: number
  last: number
}

/** New runs of one transaction; they are there once `write` is performed. */
export class NewRuns {
  readonly #begins: Begins
  readonly #values: SqlValue[] = []
  readonly #rare: [number, StartRecord][] = []
  readonly #groups: Group[] = []

  constructor(begins: Begins) {
    this.#begins = begins
  }

  /** Takes the next run; their numbers rise. */
  add(runId: number, start: StartRecord, beginning: Beginning): void {
    const group = this.#groups.at(-1)
    if (group?.last === runId - 1 && isAlike(group.beginning, beginning)) group.last = runId
    else this.#groups.push({ beginning, first: runId, last: runId })
    const { id, definitionId, queueId, input, tags, deadlineAt } = start
    this.#values.push(runId, id, definitionId, queueId, input, tags, this.#begins.now, wholeOrNull(deadlineAt))
    if (isRare(start)) this.#rare.push([runId, start])
  }

  *write(): Query<void> {
    if (this.#groups.length === 0) return
    const { db, nodeId, epoch, now } = this.#begins
    yield* insertRow.write(db, this.#values)
    this.#values.length = 0
    for (const [runId, { expiresAt, correlationId, retry, isUnchecked }] of this.#rare) {
      yield* db.run(addRarities, wholeOrNull(expiresAt), correlationId, retry, isUnchecked === true ? 1 : null, runId)
    }
    this.#rare.length = 0
    for (const { beginning, first, last } of this.#groups) {
      const { state, priority, dueAt } = beginning
      const [node, underEpoch, startedAt] = state === 'running' ? [nodeId, epoch, now] : [null, 0, null]
      yield* db.run(insertLives, state, priority, dueAt, node, underEpoch, startedAt, first, last)
    }
    this.#groups.length = 0
  }
}

/** When a run that waits for its turn has no more time to begin. */
export function earliest(deadlineAt: number | null, expiresAt: number | null): number | null {
  const at = Math.min(deadlineAt ?? Infinity, expiresAt ?? Infinity)
  return at === Infinity ? null : wholeMs(at)
}

function isRare({ expiresAt, correlationId, retry, isUnchecked }: StartRecord): boolean {
  return expiresAt !== null || correlationId !== null || retry !== null || isUnchecked === true
}

function isAlike(one: Beginning, other: Beginning): boolean {
  return one.state === other.state && one.priority === other.priority && one.dueAt === other.dueAt
}
