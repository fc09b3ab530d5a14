// The statements of the yardstick on Postgres, and how they share transactions: what comes while one is under way is the next.
import pg from 'pg'

/** A run as it is held: each write says so. */
export interface Held {
  readonly id: number
  readonly epoch: number
}

export interface ClaimedRun extends Held {
  readonly input: string
}

export interface NewRun {
  readonly publicId: string
  readonly input: string
}

export interface StepRow extends Held {
  readonly path: string
  readonly seq: number
  readonly value: string
}

export interface EndRow extends Held {
  readonly value: string
}

/** How many runs one claim brings. Measured: with a thousand the server takes another plan. */
const atOnce = 500

const takeIds = `run_ids as (select setval('counter_run', nextval('counter_run') + cast($1 as bigint) - 1) - cast($1 as bigint) as before)`
const takeEpoch = `epochs as (select nextval('counter_epoch') as epoch)`
const insertRuns = `
bodies as (
  insert into run (id, public_id, definition, queue, input, created_at)
  select before + n, public_id, 1, 1, input, cast($4 as bigint)
  from run_ids, unnest(cast($2 as text[]), cast($3 as text[])) with ordinality as given(public_id, input, n)
  returning id
)`
const columnsOfLive =
  'run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at'

const startReady = `
with ${takeIds}, ${insertRuns}
insert into live (${columnsOfLive})
select id, 1, 'ready', 1, 1, 0, null, null, 0, 1, 0, null from bodies`

// Of the rows that are inserted together the ids follow each other.
const startHere = `
with ${takeIds}, ${takeEpoch}, ${insertRuns},
lives as (
  insert into live (${columnsOfLive})
  select id, 1, 'running', 1, 1, 0, null, 1, epoch, 1, 0, cast($4 as bigint) from bodies, epochs
)
select before, epoch from run_ids, epochs`

const recordSteps = `
insert into step (run_id, generation, path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at)
select live.run_id, live.generation, given.path, given.seq, 'step', 1, 0, given.value, live.epoch, cast($6 as bigint), cast($6 as bigint)
from unnest(cast($1 as bigint[]), cast($2 as bigint[]), cast($3 as text[]), cast($4 as bigint[]), cast($5 as text[]))
  as given(run_id, epoch, path, seq, value)
join live on live.run_id = given.run_id and live.epoch = given.epoch and live.node = 1 and live.state = 'running'
for update of live`

const endRuns = `
with gone as (
  delete from live using unnest(cast($1 as bigint[]), cast($2 as bigint[]), cast($3 as text[])) as given(run_id, epoch, value)
  where live.run_id = given.run_id and live.epoch = given.epoch and live.node = 1 and live.state = 'running'
  returning live.run_id, live.generation, live.attempt, live.epoch, live.started_at, given.value
)
insert into finished (run_id, generation, outcome, value, attempt, epoch, started_at, finished_at)
select run_id, generation, 'succeeded', value, attempt, epoch, started_at, cast($4 as bigint) from gone`

const claimRuns = `
with ${takeEpoch},
ready as materialized (
  select run_id from live where state = 'ready' and limited = 0 and queue = 1
  order by priority desc, run_id limit ${atOnce} for update skip locked
),
claimed as (
  update live set state = 'running', node = 1, epoch = epochs.epoch, due_at = null, started_at = $1
  from ready, epochs where live.run_id = ready.run_id
  returning live.run_id, live.epoch
)
select run.id, claimed.epoch, run.input from claimed join run on run.id = claimed.run_id order by run.id`

// A batch is looked up by key, row by row: with other joins the server reads the whole table for it.
const plans = ['enable_hashjoin=off', 'enable_mergejoin=off', 'plan_cache_mode=force_custom_plan']

/** What is written in the next transaction. */
interface Turn {
  readonly ready: NewRun[]
  readonly here: NewRun[]
  readonly steps: StepRow[]
  readonly ends: EndRow[]
  wantsClaim: boolean
  readonly written: Promise<Written>
  readonly settle: (written: Promise<Written>) => void
}

interface Written {
  /** Of the runs that were started here: the number before the first. */
  readonly before: number
  readonly epoch: number
  readonly claimed: readonly ClaimedRun[]
}

/** One connection that has one transaction under way. */
export class RawLane {
  readonly #client: pg.Client
  #next: Turn | undefined
  #isBusy = false

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async open(url: string): Promise<RawLane> {
    const options = ['search_path=troupe', ...plans].map((setting) => `-c ${setting}`).join(' ')
    const client = new pg.Client({ connectionString: url, options, types: { getTypeParser }, pipeline: true })
    await client.connect()
    return new RawLane(client)
  }

  async startReady(runs: readonly NewRun[]): Promise<void> {
    await this.#with((turn) => void turn.ready.push(...runs))
  }

  async startHere(run: NewRun): Promise<Held> {
    let place = 0
    const { before, epoch } = await this.#with((turn) => {
      place = turn.here.push(run)
    })
    return { id: before + place, epoch }
  }

  async recordStep(step: StepRow): Promise<void> {
    await this.#with((turn) => void turn.steps.push(step))
  }

  async endRuns(ends: readonly EndRow[]): Promise<void> {
    await this.#with((turn) => void turn.ends.push(...ends))
  }

  /** Ends runs and claims the next, in one transaction. */
  async endAndClaim(ends: readonly EndRow[]): Promise<readonly ClaimedRun[]> {
    const { claimed } = await this.#with((turn) => {
      turn.ends.push(...ends)
      turn.wantsClaim = true
    })
    return claimed
  }

  close(): Promise<void> {
    return this.#client.end()
  }

  #with(add: (turn: Turn) => void): Promise<Written> {
    const turn = (this.#next ??= emptyTurn())
    add(turn)
    if (!this.#isBusy) {
      this.#isBusy = true
      // What else this turn of the event loop brings goes along.
      setImmediate(() => void this.#writeAll())
    }
    return turn.written
  }

  async #writeAll(): Promise<void> {
    for (let turn = this.#next; turn !== undefined; turn = this.#next) {
      this.#next = undefined
      const written = this.#write(turn)
      turn.settle(written)
      await Promise.allSettled([written])
    }
    this.#isBusy = false
  }

  /** All statements are sent at once: one way there and back. */
  async #write({ ready, here, steps, ends, wantsClaim }: Turn): Promise<Written> {
    const now = Date.now()
    const begun = this.#ask('begin', [])
    const ended =
      ends.length === 0 ? undefined : this.#ask(endRuns, [...columnsOf(ends, ['id', 'epoch', 'value']), now])
    const recorded =
      steps.length === 0
        ? undefined
        : this.#ask(recordSteps, [...columnsOf(steps, ['id', 'epoch', 'path', 'seq', 'value']), now])
    const bodies = (runs: readonly NewRun[]): unknown[] => [runs.length, ...columnsOf(runs, ['publicId', 'input']), now]
    const readied = ready.length === 0 ? undefined : this.#ask(startReady, bodies(ready))
    const started = here.length === 0 ? undefined : this.#ask<Omit<Written, 'claimed'>>(startHere, bodies(here))
    const claimed = wantsClaim ? this.#ask<ClaimedRun>(claimRuns, [now]) : undefined
    const committed = this.#ask('commit', [])
    await Promise.all([begun, ended, recorded, readied, started, claimed, committed])
    const [first] = (await started) ?? []
    return { before: first?.before ?? 0, epoch: first?.epoch ?? 0, claimed: (await claimed) ?? [] }
  }

  async #ask<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const named = values.length === 0 ? {} : { name: nameOf(text) }
    const { rows } = await this.#client.query<Row>({ ...named, text, values: [...values] })
    return rows
  }
}

const statements = [startReady, startHere, recordSteps, endRuns, claimRuns]

const nameOf = (text: string): string => `raw_${statements.indexOf(text)}`

function emptyTurn(): Turn {
  let settle: Turn['settle'] = () => {}
  const written = new Promise<Written>((resolve) => {
    settle = resolve
  })
  return { ready: [], here: [], steps: [], ends: [], wantsClaim: false, written, settle }
}

/** An array of each column, as unnest takes them. */
function columnsOf<Row extends object>(rows: readonly Row[], names: readonly (keyof Row)[]): unknown[][] {
  return names.map((name) => rows.map((row) => row[name]))
}

const bigintType = 20

/** No number here is above what a number of JavaScript can be. */
function getTypeParser(type: number): (text: string) => unknown {
  return type === bigintType ? Number : (text) => text
}
