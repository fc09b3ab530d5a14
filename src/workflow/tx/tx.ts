// ctx.tx: what a step does in a database of the user's and that it was done are committed together.
import type { Activation } from '../../engine/activation/activation.ts'
import { valueSize } from '../../engine/value-size.ts'
import { decode, encode } from '../../lib/codec.ts'
import type { Storable } from '../../lib/storable.ts'
import { isThenable } from '../../lib/thenable.ts'
import type { Coding } from '../../model/codecs/codecs.ts'
import { leaseLost, optionInvalid } from '../../model/errors.ts'
import type { RememberedStep, StepRecord } from '../../store/store.ts'
import { isPostgres, postgresTx, type PostgresClient, type PostgresPool } from './tx-postgres.ts'
import { refusePromise, rollBack, sqliteTx, type SqliteHandle } from './tx-sqlite.ts'
import type { StepContext, StepSpec } from '../steps/step.ts'
import type { StepOptions } from '../steps/step-options.ts'

/** What the function of `ctx.tx` is given beside the transaction. */
export type TxContext = Omit<StepContext, 'later'>

/** A handle of node:sqlite or better-sqlite3, a pool of `pg`, or one client of it. */
export type TxDatabase = SqliteHandle | PostgresPool | PostgresClient

/** What a transaction leaves in its own database: that a step was done, and with what result. */
export interface TxRow {
  readonly run: string
  readonly path: string
  readonly generation: number
  readonly at: number
}

export interface TxWork {
  readonly row: TxRow
  /** Whether what an earlier generation left says nothing of this one. */
  readonly isPast: (generation: number) => Promise<boolean>
  /** Does the work; gives the result as it is kept. */
  readonly perform: (tx: object) => string | Promise<string>
  /** Throws when the attempt is over, so that nothing of it is committed. */
  readonly checkGoingOn: () => void
}

/** A step that was recorded in the transaction itself. */
export class CommittedStep {
  readonly step: RememberedStep

  constructor(step: RememberedStep) {
    this.step = step
  }
}

/** The function that does the work, and its options. */
export type TxArguments<Tx, Result, Input> = [
  fn: ((tx: Tx, step: TxContext) => Result) & Storable<Awaited<Result>, 'result'>,
  options?: StepOptions<Input, Awaited<NoInfer<Result>>>,
]

/** What it needs of the steps of the run. */
export interface TxOwner {
  readonly activation: Activation
  nextSeq(): number
}

export interface TxOrder {
  readonly what: string
  readonly db: TxDatabase
  readonly fn: (tx: never, step: TxContext) => unknown
  readonly hasUndo: boolean
}

const expected = 'a DatabaseSync of node:sqlite, a Database of better-sqlite3, or a Pool or Client of pg'

/** Throws `option_invalid` for what is no database. */
export function txFunction(owner: TxOwner, order: TxOrder): StepSpec['fn'] {
  const { db, what } = order
  if (isPostgres(db)) return (step, path) => elsewhere(owner, { path, step, order }, (work) => postgresTx(db, work))
  if (!isSqlite(db)) throw optionInvalid(`The database of ${what}`, typeof db, expected)
  const isOwn = owner.activation.deps.store.callers.hasFile(db)
  if (isOwn) return (step, path) => withJournal(owner, { path, step, order }, db)
  return (step, path) => elsewhere(owner, { path, step, order }, (work) => sqliteTx(db, work))
}

interface Attempt {
  readonly path: string
  readonly step: StepContext
  readonly order: TxOrder
}

/** Values without codecs. */
const asTheyAre: Pick<Coding, 'read' | 'write'> = { read: (text) => text, write: (text) => text }

/** The row lies where the work is done, and the journal is written after it. */
async function elsewhere(
  owner: TxOwner,
  { path, step, order }: Attempt,
  perform: (work: TxWork) => Promise<string>,
): Promise<unknown> {
  const { held, claimed, deps, around } = owner.activation
  const { signal } = step
  const size = valueSize(around.maxValueBytes, `result of ${order.what}`)
  const { coding = asTheyAre } = deps
  const keep = (value: unknown): string => coding.write(encode(value, size), `step:${path}`)
  const text = await perform({
    row: { run: claimed.id, path, generation: held.generation, at: deps.store.now() },
    isPast: (generation) => deps.store.callers.isPast({ runId: held.runId, generation, path }),
    perform: (tx) => {
      const value = order.fn(tx as never, step)
      return isThenable(value) ? Promise.resolve(value).then(keep) : keep(value)
    },
    checkGoingOn: () => signal.throwIfAborted(),
  })
  return decode(coding.read(text, `step:${path}`))
}

/** The file is that of the store: the journal itself is a part of the transaction. */
function withJournal(owner: TxOwner, { path, step, order }: Attempt, db: SqliteHandle): CommittedStep {
  const { held, claimed, deps, around } = owner.activation
  const startedAt = deps.store.now()
  db.exec('begin immediate')
  try {
    const value = order.fn(db as never, step)
    refusePromise(order.what, value)
    const text = encode(value, valueSize(around.maxValueBytes, `result of ${order.what}`))
    const seq = owner.nextSeq()
    const { hasUndo } = order
    const kept = { path, seq, kind: 'tx', isError: false, value: text, hasUndo } as const
    const record: StepRecord = { ...kept, held, attempt: step.attempt, startedAt, finishedAt: deps.store.now() }
    if (!deps.store.callers.recordStep(db, record)) throw leaseLost(claimed.id)
    db.exec('commit')
    return new CommittedStep(kept)
  } catch (error) {
    rollBack(db)
    throw error
  }
}

function isSqlite(db: object): db is SqliteHandle {
  const { exec, prepare } = db as Partial<SqliteHandle>
  return typeof exec === 'function' && typeof prepare === 'function'
}
