// What every write to a run shares: the batch it belongs to, and the fence that lets in only who holds the run.
import type { Held } from '../../store.ts'
import type { Query } from '../../query.ts'
import type { Admission } from '../limiters/admission.ts'
import type { Database } from '../database/database.ts'
import { packed } from '../database/packed.ts'
import type { PausedQueues } from '../views/queues.ts'
import type { Outbox } from '../events/events.ts'
import type { Rollup } from '../views/rollup.ts'

/** What every statement of one batch needs to know. */
export interface Write {
  readonly db: Database
  readonly nodeId: number
  readonly now: number
  /** The epoch of all claims of this batch, above every earlier one. */
  readonly epoch: number
  readonly fence: Fence
  readonly rollup: Rollup
  readonly outbox: Outbox
  readonly paused: PausedQueues
  /** What the answer tells besides. */
  readonly news: News
  readonly admission: Admission
}

export interface News {
  woken: number
  /** The ids of runs under way that were told something. */
  readonly told: Set<string>
  /** How many more may end because others did. */
  room: number
  /** Something was asked of the node of a run under way. */
  isAsked: boolean
  /** More are to end, each in its turn. */
  isMoreToEnd: boolean
}

/** A transaction in which runs may end. */
export type Ends = Pick<Write, 'db' | 'now' | 'rollup' | 'news' | 'admission' | 'outbox'>

// The fence: whether a run is still held under this claim; by primary key.
const checkRun = `
select 1 as is_held from live
where run_id = ? and epoch = ? and node = ? and state = 'running'`

// The same for many runs: those of a node, with their claims; by primary key.
const findRunning = packed<{ runId: number; epoch: number }>(
  { runId: 'run_id', epoch: 'epoch' },
  `from live where run_id in (select value from json_each(?)) and node = ? and state = 'running'`,
)

/** When a ready run is due: at the end of the time its caller gave it, or gave it to begin; one that undoes has all it needs. By primary key. */
export const readyUntil = `(select case when live.undo = 2 then null when live.started_at is null and live.generation = 1
  then case when expires_at is null or deadline_at < expires_at then deadline_at else expires_at end else deadline_at end
  from run where run.id = live.run_id)`

/** The same for a run that is given back: what came for its token decides it, and does not run out of time; walks token_run. */
export const againUntil = `case when exists (
  select 1 from token where token.run_id = live.run_id and token.epoch = live.epoch and token.path = '' and token.value is not null
) then null else ${readyUntil} end`

/** A run that saved a step in this activation counts its deliveries anew; by primary key prefix, and only after a delivery. */
export const deliveriesSoFar = `case
  when deliveries = 0 or exists (select 1 from step where step.run_id = live.run_id and step.epoch = live.epoch) then 0
  else deliveries end`

/** The statements of this file whose plans are tested. */
export const hotRunStatements = { checkRun, findRunning: findRunning.sql }

// Fewer are asked for one by one.
const fewRuns = 4

/** Invariant: I5. Only what passed the fence is written: a write under a claim that is not the current one changes nothing. */
export class Fence {
  /** Runs whose writes were refused. */
  readonly lost = new Set<Held>()
  readonly #held = new Set<Held>()
  readonly #db: Database
  readonly #nodeId: number

  constructor(db: Database, nodeId: number) {
    this.#db = db
    this.#nodeId = nodeId
  }

  /** Those of some records whose runs are held. Each run is asked for once a batch, and before anything is written for it. */
  *letIn<T extends { readonly held: Held }>(records: readonly T[]): Query<readonly T[]> {
    if (records.length === 0) return records
    const unknown = new Set<Held>()
    for (const { held } of records) if (!this.#held.has(held) && !this.lost.has(held)) unknown.add(held)
    if (unknown.size > 0) yield* this.#ask([...unknown])
    return records.filter(({ held }) => this.#held.has(held))
  }

  /** Nothing more is written for a run that was held until now; its node is told that all of its batch was in vain. */
  refuse(run: Held): void {
    this.#held.delete(run)
    this.lost.add(run)
  }

  /** Keeps what a statement that asked for many runs found out about this one. */
  admit(run: Held, isHeld: boolean): boolean {
    if (!this.#held.has(run)) (isHeld ? this.#held : this.lost).add(run)
    return isHeld
  }

  /** Measured: 20 steps of 20 runs ask in 9 µs with one statement, and in 30 one by one. */
  *#ask(runs: readonly Held[]): Query<void> {
    if (runs.length < fewRuns) {
      for (const run of runs) this.admit(run, yield* this.#db.has(checkRun, run.runId, run.epoch, this.#nodeId))
      return
    }
    const ids = JSON.stringify(runs.map(({ runId }) => runId))
    const found = yield* this.#db.allPacked(findRunning, ids, this.#nodeId)
    const epochOf = new Map(found.map(({ runId, epoch }) => [runId, epoch]))
    for (const run of runs) this.admit(run, epochOf.get(run.runId) === run.epoch)
  }
}
