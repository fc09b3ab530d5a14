// Transactions of callers: what they write of their own and the runs they start are committed together, or not at all.
import { optionInvalid } from '../../model/errors.ts'
import { keyWithinTransaction } from '../../model/start-errors.ts'
import type { CallersStore, PostgresTransaction, StepOfGeneration } from '../callers.ts'
import type { IntakeStore } from '../intake.ts'
import type { Access } from '../sql/database/transaction.ts'
import { isPast } from '../sql/steps/steps.ts'
import type { Started, StartRecord } from '../start.ts'
import { transactionRefused } from './errors.ts'
import { PostgresIntakeStore, type LeftRecord } from './intake.ts'
import type { Place } from './place.ts'

// Which database of which server this is: a copy of a server elsewhere has another one.
const whichDatabase = `(select current_database() || '@' || system_identifier from pg_control_system())`

const findDatabase = `select ${whichDatabase} as name`

// Fails outside a transaction, and lets what is refused leave the transaction as it was.
const mark = 'savepoint troupe_start'
const keep = 'release savepoint troupe_start'
const undo = 'rollback to savepoint troupe_start'

const expected =
  'a client of pg, or { query(text, values) } of another, in a transaction on the database of this store: begin one first'

export class PostgresCallersStore implements CallersStore {
  readonly intake: IntakeStore
  readonly #access: Access
  readonly #place: Place
  #database: string | undefined

  constructor(access: Access, place: Place) {
    this.#access = access
    this.#place = place
    this.intake = new PostgresIntakeStore(access)
  }

  /** Invariant: a transaction of a program takes no lock that others of the store wait for, and tells nobody: it may stay open for long. */
  async start(tx: object, queue: string, starts: readonly StartRecord[]): Promise<Started[]> {
    const key = starts.find((start) => start.key !== null)?.key
    if (key !== undefined && key !== null) throw keyWithinTransaction(key.key)
    if (!isQuerying(tx)) throw optionInvalid('tx', 'something else', expected)
    const database = await this.#findDatabase()
    await this.#leave(tx, [JSON.stringify(starts.map((start) => left(queue, start))), database])
    const createdAt = this.#access.now()
    const common = { runId: 0, isNew: true, isAmended: false, replacedId: undefined, held: undefined, createdAt }
    return starts.map(({ id }) => ({ id, ...common }))
  }

  hasFile(): boolean {
    return false
  }

  recordStep(): boolean {
    return false
  }

  isPast(step: StepOfGeneration): Promise<boolean> {
    return this.#access.read(() => isPast(this.#access.db, step))
  }

  async #findDatabase(): Promise<string> {
    if (this.#database !== undefined) return this.#database
    const { db, read } = this.#access
    const found = await read(() => db.get<{ name: string }>(findDatabase))
    this.#database = found?.name ?? ''
    return this.#database
  }

  /** mark → insert → keep */
  async #leave(tx: PostgresTransaction, values: readonly [starts: string, database: string]): Promise<void> {
    const refused = (error: unknown): never => {
      throw transactionRefused(error, this.#place, expected)
    }
    await tx.query(mark, []).catch(refused)
    try {
      const { rows } = await tx.query(insertOf(this.#place), [...values])
      const [answer] = rows as readonly { readonly written: unknown }[]
      if (Number(answer?.written) === 0)
        throw optionInvalid('tx', 'a transaction on another database', `${expected}: ${this.#place.shown}`)
      await tx.query(keep, [])
    } catch (error) {
      await tx.query(undo, []).catch(() => undefined)
      await tx.query(keep, []).catch(() => undefined)
      refused(error)
    }
  }
}

/** Starts are given as one list of JSON: any driver can bind that. */
function insertOf({ schema }: Place): string {
  return `with written as (
    insert into ${schema}.intake (run, input, start)
    select one.start ->> 'run', one.start ->> 'input', one.start ->> 'start'
    from json_array_elements(cast($1 as json)) with ordinality as one(start, place)
    where ${whichDatabase} = cast($2 as text) order by one.place
    returning 1
  ) select count(*) as written from written`
}

function left(queue: string, { id, input, ...start }: StartRecord): { run: string; input: string; start: string } {
  const record: LeftRecord = { ...start, queue }
  return { run: id, input, start: JSON.stringify(record) }
}

function isQuerying(tx: object): tx is PostgresTransaction {
  return typeof (tx as Partial<PostgresTransaction>).query === 'function'
}
