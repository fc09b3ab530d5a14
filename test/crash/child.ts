// A process of the crash tests: performs runs and starts some, until it is killed or told to stop.
import { systemClock } from '../../src/lib/clock.ts'
import type { LogFields } from '../../src/lib/log.ts'
import { Troupe } from '../../src/troupe.ts'
import { blindClock } from './blind-clock.ts'
import { isLateClaim, whileCutOff } from './foreseen.ts'
import { codecUnder, type KeyName } from './keys.ts'
import { openLedger } from './ledger.ts'
import { Random } from './random.ts'
import { cancelSaga } from './sagas.ts'
import { isLasting, noteKept, sharedDefinitions } from './shared-work.ts'
import { definitions, randomWork, tellWords, type Kind } from './work.ts'

/** What a child is given. */
export interface ChildOrder {
  readonly store: string
  readonly ledger: string
  readonly leaseMs: number
  readonly seed: number
  /** Runs that each of two callers in this process starts. */
  readonly starts: number
  /** Where it kills itself, and at which passage. */
  readonly death?: { readonly place: string; readonly passage: number }
  /** Ends by itself once every run in the store is finished. */
  readonly drains?: boolean
  /** Its timers do not see a pause, so it does not learn from them that its lease ran out. */
  readonly isBlind?: boolean
  /** Workflows at a time. */
  readonly most?: number
  readonly stepsAtOnce?: number
  /** What it stores is encrypted under this key. */
  readonly key?: KeyName | undefined
  /** Starts nothing else. */
  readonly only?: Kind | undefined
  /** Also does what all nodes share. */
  readonly shares?: boolean | undefined
  /** Others seem to it to be on other machines: only their leases tell of their death. */
  readonly isElsewhere?: boolean
  /** It is paused now and then, and may say that a claim came too late for it. */
  readonly isPaused?: boolean
  /** The store goes away now and then, which it may say. */
  readonly isCutOff?: boolean
}

const order = JSON.parse(process.argv[2] ?? '{}') as ChildOrder
const note = openLedger(order.ledger, (entry) => process.connected && process.send?.(entry))
const shared = order.shares ? sharedDefinitions(note, order.drains) : []
const known = [...Object.values(definitions(note)), ...shared]

let passages = 0
const failpoint = (place: string): void => {
  if (place !== order.death?.place) return
  passages += 1
  if (passages !== order.death.passage) return
  note({ kind: 'fired', place })
  process.kill(process.pid, 'SIGKILL')
}

const losses = ['a run was taken over by another node', 'a run is given up here']
const anew = 'this node was declared dead by another and starts anew'
const rescued = 'goes on with '
// Runs that time out, and those whose processes died twice, are part of the work.
const foreseen = ['nobody here waits for its result', 'such runs are begun one at a time here', 'were left out: it was']
if (order.isCutOff) foreseen.push(...whileCutOff)
const mayBeLate = order.isPaused === true || order.isCutOff === true
const trouble = (fields: LogFields, text: string): void => {
  const { err, ...rest } = fields
  if (mayBeLate && isLateClaim(text, fields)) return
  if (!foreseen.some((part) => text.includes(part)))
    note({ kind: 'trouble', text: `${text} ${String(err ?? '')} ${JSON.stringify(rest)}` })
}
const log = {
  debug: () => {},
  info: (fields: LogFields, text: string) =>
    void (text.startsWith(rescued) && note({ kind: 'rescued', runs: Number(fields['runs']) })),
  warn: (fields: LogFields, text: string) => {
    if (losses.some((lost) => text.startsWith(lost))) note({ kind: 'lost', run: String(fields['run']) })
    else if (text === anew) note({ kind: 'declaredDead' })
    else trouble(fields, text)
  },
  error: trouble,
}

const { store, leaseMs, most = 100, stepsAtOnce = most, key } = order
const clock = order.isBlind ? blindClock : systemClock
const pools = { workflow: { min: 1, max: most }, task: { min: 1, max: stepsAtOnce } }
const options = {
  store,
  pools,
  node: `child-${process.pid}`,
  definitions: known,
  logLevel: 'info' as const,
  ...(key !== undefined && { codec: codecUnder(key) }),
}
const troupe = await Troupe.openIn(options, {
  log,
  leaseMs,
  maxDeliveries: 1_000_000,
  failpoint,
  clock,
  ...(order.isElsewhere && { isProvedDead: () => false }),
})
process.on('message', () => void end())
await troupe.start()
process.send?.('ready')
if (order.drains) await drain()
else await Promise.all([startRuns(order.seed), startRuns(order.seed + 1)])

/** Starts runs one after another, with pauses, so that they come in all parts of a short life. */
async function startRuns(seed: number): Promise<void> {
  const random = new Random(seed)
  for (let n = 0; n < order.starts; n++) {
    const { name, input } = randomWork(random, order.only)
    const run = await troupe.call(name, input)
    note({ kind: 'called', run: run.id, name, input })
    if (name === 'talk') await tellWords((...told) => run.tell(...told), { run: run.id, words: input.words, note })
    if (name === 'saga' && input.ends === 'cancelled')
      void cancelSaga({ id: run.id, cancel: (why) => run.cancel(why) }, note)
    const told = (output: unknown): void => note({ kind: 'result', run: run.id, output })
    // Whether it may fail is seen in the account.
    void run.result().then(told, () => {})
    await new Promise<void>((resolve) => systemClock.after(random.between(0, 20), resolve))
  }
}

async function drain(): Promise<void> {
  const runs = await troupe.runs({ limit: 1_000_000 })
  for (const { id, name } of runs) {
    if (isLasting(name)) continue
    const [told] = await Promise.allSettled([(await troupe.handle(id)).result()])
    if (told.status === 'fulfilled') note({ kind: 'result', run: id, output: told.value })
  }
  if (order.shares) await noteKept(troupe, note)
  await end()
}

async function end(): Promise<void> {
  await troupe.stop()
  process.disconnect()
}
