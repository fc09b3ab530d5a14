// Checking code against all that is under way, before it is deployed: would each run go on?
import { checkTroupeOptions, type CheckedOptions, type TroupeOptions } from '../../engine/options/options.ts'
import { environmentOf } from '../../engine/options/settings.ts'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { createIds } from '../../lib/ids.ts'
import { createLog } from '../../lib/log.ts'
import { Ring } from '../../lib/ring.ts'
import { unhurried } from '../../lib/unhurried.ts'
import { knownAmong } from '../../engine/definition/known.ts'
import type { UnfinishedRun } from '../../store/definitions.ts'
import { openStore, requireStore } from '../../store/open.ts'
import type { Store } from '../../store/store.ts'
import { definitionsAtHand } from '../../worker/definitions-at-hand.ts'
import { RehearsalClock } from './rehearsal-clock.ts'
import { checkRun, strayCheck, type RunCheck, type RunCheckOptions } from './run-check.ts'
import { Strays } from './strays.ts'

/**
 * Leads the code of these definitions through the journals of all unfinished runs of the store, and tells of each what would become of it, the oldest first.
 *
 * The options are those of `Troupe.open` with the new code. No engine is opened: no function of a step is called, no child started, no message taken,
 * and nothing is saved. Runs of other definitions are left out. Memory stays the same however many there are.
 *
 * Throws: `option_invalid`, `definition_exists`, `file_not_loaded`; `store_unavailable` when there is no store.
 *
 * ```ts
 * import { checkDeploy, Troupe, workflow } from 'troupe'
 * const store = 'sqlite:.troupe/orders.db'
 * const order = workflow('order', {}, (ctx) => ctx.step('bill', () => 'billed'))
 * await using troupe = await Troupe.open({ store, definitions: [order] })
 * const { id } = await troupe.call(order)
 *
 * const next = workflow('order', {}, (ctx) => ctx.step('card', () => 'charged'))
 * for await (const run of checkDeploy({ store, definitions: [next] })) {
 *   console.log(run.id === id, run.verdict) // true continues
 * }
 * ```
 */
export async function* checkDeploy(options: TroupeOptions = {}): AsyncGenerator<RunCheck, void> {
  const checked = checkTroupeOptions(options)
  const definitions = await definitionsAtHand(checked)
  yield* checkStore({ ...checked, definitions, clock: systemClock })
}

export interface StoreCheck extends Pick<
  CheckedOptions,
  'store' | 'coding' | 'synchronous' | 'environment' | 'divergence' | 'definitions' | 'config'
> {
  readonly clock: Clock
}

/** The same for definitions that are at hand. */
export async function* checkStore(check: StoreCheck): AsyncGenerator<RunCheck, void> {
  const { definitions, config, divergence, synchronous, coding } = check
  const clock = new RehearsalClock(check.clock)
  await requireStore(check.store)
  const store = await openStore(check.store, { clock: check.clock, synchronous, coding, isLooking: true })
  try {
    const log = createLog({ level: 'silent', clock, write: () => undefined })
    const deps = { store, clock, log, ids: createIds(clock), failpoint: () => undefined }
    const environment = check.environment ?? environmentOf(process.env)
    yield* checkRuns(store, { deps, definitions, config, environment, divergence, known: knownAmong(definitions) })
  } finally {
    clock.close()
    await store.close()
  }
}

const pageSize = 64

// Code that does not fit is found out by waiting, so many of it wait at once; what they hold in memory is what they remember.
const mostUnderWay = 1_024
const mostRemembered = 20_000

// Code may leave behind what throws after the run has come to its place.
const lateMs = 100

/** Each run is led by itself, many at a time; they are told in their order. */
async function* checkRuns(store: Store, options: RunCheckOptions): AsyncGenerator<RunCheck, void> {
  const strays = new Strays<UnfinishedRun>()
  const underWay = new Ring<UnderWay>()
  let remembered = 0
  const isFull = (): boolean => underWay.size >= mostUnderWay || (underWay.size > 0 && remembered > mostRemembered)
  try {
    for await (const run of unfinishedRuns(store)) {
      remembered += run.claimed.steps.length
      underWay.push({ run, check: unhurried(() => strays.within(run, () => checkRun(run, options))) })
      while (isFull()) {
        remembered -= underWay.peek()?.run.claimed.steps.length ?? 0
        yield* checkedOf(underWay.shift(), strays)
      }
    }
    const last: UnderWay[] = []
    for (let one = underWay.shift(); one !== undefined; one = underWay.shift()) last.push(one)
    for (const { check } of last) await check
    if (last.length > 0) await new Promise<void>((resolve) => options.deps.clock.after(lateMs, resolve))
    for (const one of last) yield* checkedOf(one, strays)
  } finally {
    strays.close()
  }
}

interface UnderWay {
  readonly run: UnfinishedRun
  readonly check: Promise<RunCheck | undefined>
}

async function* checkedOf(one: UnderWay | undefined, strays: Strays<UnfinishedRun>): AsyncGenerator<RunCheck, void> {
  const check = await one?.check
  if (one === undefined || check === undefined) return
  const stray = strays.of(one.run)
  yield stray === undefined ? check : strayCheck(check, stray)
}

async function* unfinishedRuns({ definitions }: Store): AsyncGenerator<UnfinishedRun, void> {
  for (let after = 0; ;) {
    const runs = await definitions.listUnfinished({ after, limit: pageSize })
    yield* runs
    const last = runs.at(-1)
    if (last === undefined) return
    after = last.runId
  }
}
