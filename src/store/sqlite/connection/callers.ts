// Transactions of callers: what they write of their own and the runs they start are committed together, or not at all.
import { realpathSync } from 'node:fs'
import { optionInvalid } from '../../../model/errors.ts'
import type { Started, StartRecord } from '../../start.ts'
import type { StepRecord } from '../../store.ts'
import type { CallersStore, StepOfGeneration } from '../../callers.ts'
import { performNow, type Query } from '../../query.ts'
import type { Connection } from './connection.ts'
import type { SqlDriver } from './driver.ts'
import { intern, queueNamed } from '../../sql/names.ts'
import { insertRuns } from '../../sql/runs/starts.ts'
import { isPast, recordSteps } from '../../sql/steps/steps.ts'
import { endsIn, noNode, writeIn, type Access } from '../../sql/database/transaction.ts'

const expected =
  'a DatabaseSync of node:sqlite or @photostructure/sqlite that has the file of this store open, in a transaction'

const findFile = `select file from pragma_database_list where name = 'main'`

export class SqliteCallersStore implements CallersStore {
  readonly intake = undefined
  readonly #db: Connection
  readonly #access: Access
  readonly #known = new WeakMap<object, Connection>()

  constructor(db: Connection, access: Access) {
    this.#db = db
    this.#access = access
  }

  async start(tx: object, queue: string, starts: readonly StartRecord[]): Promise<Started[]> {
    const db = this.#connectionOf(tx)
    return db.write(() => startWithin(db, { queue, starts, now: this.#access.now() }))
  }

  hasFile(db: object): boolean {
    return isSameFile(db, this.#db.location)
  }

  recordStep(tx: object, step: StepRecord): boolean {
    const db = this.#connectionOf(tx)
    db.checkSchema()
    return performNow(recordStepWithin(db, step, this.#access.now()))
  }

  isPast(step: StepOfGeneration): Promise<boolean> {
    return this.#access.read(() => isPast(this.#db, step))
  }

  /** The connection of a caller that is in a transaction on this store. Throws `option_invalid` for anything else. */
  #connectionOf(tx: object): Connection {
    const driver = checkedDriver(tx, this.#db.location)
    const connection = this.#known.get(tx) ?? this.#db.within(driver)
    this.#known.set(tx, connection)
    return connection
  }
}

function checkedDriver(tx: object, location: string): SqlDriver {
  if (!isDriver(tx)) throw optionInvalid('tx', 'something else', expected)
  if (location === ':memory:')
    throw optionInvalid('tx', 'a handle', 'none, as this store is in memory and has no other connection')
  const file = (tx.prepare(findFile).get() as { file: string } | undefined)?.file ?? ''
  if (file === '' || realpathSync(file) !== realpathSync(location))
    throw optionInvalid('tx', file === '' ? 'a database in memory' : file, `${expected}: ${location}`)
  if (!isInTransaction(tx))
    throw optionInvalid(
      'tx',
      'a handle without a transaction',
      `${expected}: begin one first, as by exec('begin immediate')`,
    )
  return tx
}

/** Whether a handle has this file open. */
function isSameFile(db: object, location: string): boolean {
  if (!isDriver(db) || location === ':memory:') return false
  const file = (db.prepare(findFile).get() as { file: string } | undefined)?.file ?? ''
  return file !== '' && realpathSync(file) === realpathSync(location)
}

// Invariant: I5. Only the claim that the caller knows of may write; by primary key.
const findHolder = `select node from live where run_id = ? and epoch = ? and state = 'running'`

/** Records a step as a part of the transaction of a caller; false when its run is another's now. */
function* recordStepWithin(db: Connection, step: StepRecord, now: number): Query<boolean> {
  const holder = yield* db.get<{ node: number }>(findHolder, step.held.runId, step.held.epoch)
  if (holder === undefined) return false
  yield* recordSteps(writeIn(endsIn(db, now), { nodeId: holder.node, epoch: 0 }), [step])
  return true
}

interface StartsOfCaller {
  readonly queue: string
  readonly starts: readonly StartRecord[]
  readonly now: number
}

/** Starts runs and nothing else, for somebody who is no node; all of them or none. */
function* startWithin(db: Connection, { queue, starts, now }: StartsOfCaller): Query<Started[]> {
  const queueId = yield* intern(db, queueNamed(queue))
  const write = writeIn(endsIn(db, now), { nodeId: noNode, epoch: 0 })
  const started = yield* insertRuns(
    write,
    starts.map((start) => ({ ...start, queueId })),
  )
  yield* write.rollup.write(db, now)
  return started
}

function isDriver(tx: object): tx is SqlDriver {
  const { exec, prepare } = tx as Partial<SqlDriver>
  return typeof exec === 'function' && typeof prepare === 'function'
}

function isInTransaction(tx: SqlDriver): boolean {
  const { isTransaction } = tx as { readonly isTransaction?: boolean }
  if (isTransaction !== undefined) return isTransaction
  try {
    tx.exec('begin')
  } catch {
    // There is one already.
    return true
  }
  tx.exec('rollback')
  return false
}
