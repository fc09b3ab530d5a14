// The books of a crash test: what the processes wrote into the ledger, and what stands in the store.
import { codingOf, type Coding } from '../../src/model/codecs/codecs.ts'
import { placeOfAttempt } from '../../src/store/coded-views.ts'
import type { Entry } from './ledger.ts'
import { openReader, type Reader } from './reader.ts'
import { isLasting } from './shared-work.ts'

/** Processes whose work may be missing: they were killed, or came back too late. */
export interface Faults {
  readonly killed: ReadonlySet<number>
  /** How the store is read; as it stands there, unless told. */
  readonly coding?: Coding
}

export interface RunRow {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly input: string
  readonly value: string | null
  readonly outcomes: number
}

export interface StepRow {
  readonly run: string
  readonly path: string
  readonly attempt: number
  readonly is_error: number
  readonly value: string
}

export interface Books {
  readonly entries: readonly Entry[]
  readonly faults: Faults
  readonly runs: readonly RunRow[]
  /** Steps of the journal, sleeps left out. */
  readonly steps: readonly StepRow[]
  readonly attempts: readonly { readonly run: string; readonly path: string; readonly error: string }[]
  readonly emitted: readonly { readonly run: string; readonly value: string }[]
  /** Steps that were undone, by the paths at which that stands. */
  readonly undone: readonly { readonly run: string; readonly path: string }[]
  /** Tables that are empty when nothing is under way, with their counts of rows. */
  readonly leftovers: Readonly<Record<string, number>>
  readonly integrity: string
}

// What failed as it was meant to is dead as well, and an entity never ends.
const otherDead = `dead where name <> 'saga'`
const otherLive = `live where definition not in (select id from definition where name in ('tally', 'purse'))`
const otherWait = `wait where kind <> 'mail'`
const leftoverTables = [
  otherLive,
  otherWait,
  'message',
  'node',
  'mark',
  'cancel_request',
  'undoing',
  'slot',
  'waiter',
  'ending',
  otherDead,
]
/** Of the store of this URL. */
export async function openBooks(store: string, entries: readonly Entry[], faults: Faults): Promise<Books> {
  const reader = await openReader(store)
  const { coding = codingOf([]) } = faults
  try {
    const [runs, steps, attempts, emitted] = [
      await reader.all<RunRow>(findRuns),
      await reader.all<StepRow>(findSteps),
      await reader.all<Books['attempts'][number]>(findAttempts),
      await reader.all<Books['emitted'][number]>(findEmitted),
    ]
    return {
      entries,
      faults,
      runs: runs
        .filter(({ name }) => !isLasting(name))
        .map((row) => ({
          ...row,
          input: coding.read(row.input, 'input'),
          value: row.value && coding[row.state === 'succeeded' ? 'read' : 'readError'](row.value, 'outcome'),
        })),
      steps: steps.map((row) => ({
        ...row,
        value: coding[row.is_error === 1 ? 'readError' : 'read'](row.value, `step:${row.path}`),
      })),
      attempts: attempts.map((row) => ({ ...row, error: coding.readError(row.error, placeOfAttempt(row.path)) })),
      undone: await reader.all(`select run, path from steps where kind = 'undo'`),
      emitted: emitted.map((row) => ({ ...row, value: coding.read(row.value, 'emitted') })),
      leftovers: await countLeftovers(reader),
      integrity: await reader.integrity(),
    }
  } finally {
    await reader.close()
  }
}

const findRuns = `
select id, name, state, input, value, (select count(*) from finished where finished.run_id = runs.run_id) as outcomes from runs`

const findSteps = `select run, path, attempt, is_error, value from steps where kind = 'step'`

const findAttempts = `select run.public_id as run, path, error from attempt join run on run.id = attempt.run_id`

const findEmitted = `select run.public_id as run, value from emitted join run on run.id = emitted.run_id`

async function countLeftovers(reader: Reader): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of leftoverTables) {
    const [row] = await reader.all<{ found: number }>(`select count(*) as found from ${table}`)
    counts[table] = row?.found ?? -1
  }
  return counts
}
