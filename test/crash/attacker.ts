// A process that attacks a store together with others of its kind: over the same keys, over the slots of a limiter, or over ticks.
import { openSync, writeSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import { schedule } from '../../src/engine/schedule/schedule.ts'
import { Troupe, type TroupeOptions } from '../../src/index.ts'
import { isTroupeError } from '../../src/lib/errors.ts'
import type { LogFields } from '../../src/lib/log.ts'
import { limiter } from '../../src/worker/limiter.ts'
import { worker } from '../../src/worker/worker.ts'
import { isLateClaim, whileCutOff } from './foreseen.ts'
import { Random } from './random.ts'

export interface AttackOrder {
  readonly store: string
  readonly ledger: string
  readonly role: 'keys' | 'slots' | 'ticks'
  readonly seed: number
  /** How many may pass the limiter; two, unless told. */
  readonly most?: number
  /** How long one stays who passed the limiter, at most; 40 ms, unless told. */
  readonly stayMs?: number | undefined
  /** A second, unless told. */
  readonly leaseMs?: number | undefined
  /** How long it starts things; after that it performs what is left, until it is told to stop. */
  readonly forMs: number
  /** The store goes away now and then, which it may say. */
  readonly isCutOff?: boolean
}

/** What a process wrote down when it happened; `at` is the same clock in all processes. */
export interface Deed {
  readonly pid: number
  readonly at: number
  readonly what: 'called' | 'begun' | 'ended' | 'cancels' | 'enters' | 'leaves' | 'trouble'
  readonly run?: string
  readonly input?: KeyInput
  readonly answer?: boolean
  readonly text?: string
}

export interface KeyInput {
  readonly key: string
  readonly rule: 'replace' | 'debounce' | 'keepLast'
  readonly from: number
  readonly n: number
}

const order = JSON.parse(process.argv[2] ?? '{}') as AttackOrder
const random = new Random(order.seed)
const file = openSync(order.ledger, 'a')
const note = (deed: Omit<Deed, 'pid' | 'at'>): void => {
  const at = Number(process.hrtime.bigint()) / 1e6
  writeSync(file, `\n${JSON.stringify({ ...deed, pid: process.pid, at })}\n`)
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => systemClock.after(ms, resolve))
let isStopping = false
const isOver = (): boolean => isStopping || systemClock.monotonic() > order.forMs

const keyed = worker('keyed', {}, async ({ runId }, input: KeyInput) => {
  note({ what: 'begun', run: runId, input })
  await pause(random.between(0, 12))
  note({ what: 'ended', run: runId, input })
  return input
})
const few = limiter('few', { concurrency: order.most ?? 2 })
const stay = async (): Promise<void> => {
  note({ what: 'enters' })
  await pause(random.between(5, order.stayMs ?? 40))
  note({ what: 'leaves' })
}
const limited = worker('limited', { limits: [few] }, stay)
const report = worker('report', {}, () => undefined)
const often = schedule('often', { every: '200ms', overlap: 'allow' }, report)

const roles: Readonly<Record<AttackOrder['role'], { options: TroupeOptions; attack(troupe: Troupe): Promise<void> }>> =
  {
    keys: { options: { definitions: [keyed] }, attack: attackKeys },
    slots: { options: { definitions: [limited] }, attack: attackSlots },
    ticks: { options: { definitions: [report, often] }, attack: async () => undefined },
  }

// Runs that expire, and that others take over, are part of it.
const foreseen = ['nobody here waits for its result', 'a run was taken over by another node', 'a run is given up here']
if (order.isCutOff) foreseen.push(...whileCutOff, 'this node was declared dead by another and starts anew')
const trouble = (fields: LogFields, text: string): void => {
  if (foreseen.some((part) => text.includes(part)) || (order.isCutOff && isLateClaim(text, fields))) return
  note({ what: 'trouble', text: `${text} ${String(fields['err'] ?? '')}` })
}
const quiet = (): void => {}
const { options, attack } = roles[order.role]
const pools = { task: { min: 4, max: 4 } }
const troupe = await Troupe.openIn(
  { store: order.store, node: `attacker-${process.pid}`, pools, ...options },
  {
    log: { debug: quiet, info: quiet, warn: trouble, error: trouble },
    leaseMs: order.leaseMs ?? 1_000,
    maxDeliveries: 1_000_000,
  },
)
process.on('message', () => {
  isStopping = true
  void troupe.stop({ within: 0 }).then(() => process.disconnect())
})
await troupe.start()
process.send?.('ready')
await attack(troupe)

async function attackKeys(on: Troupe): Promise<void> {
  await Promise.all([1, 2, 3].map((lane) => attackKeysInLane(on, lane)))
}

async function attackKeysInLane(on: Troupe, lane: number): Promise<void> {
  for (let n = 0; !isOver(); n++) {
    const rule = random.oneOf(['replace', 'debounce', 'keepLast'] as const)
    const key = `${rule}-${random.between(1, 2)}`
    // Numbers of one process rise in the order in which it asks for a key.
    const input = { key, rule, from: process.pid * 10 + lane, n }
    const how = {
      replace: { idempotencyKey: key, onConflict: 'replace' },
      debounce: { debounce: { key, period: 8, max: 40 } },
      keepLast: { keepLast: { key } },
    } as const
    const expires = random.happens(0.3) ? { expires: random.between(1, 25) } : {}
    const handle = await on.call(keyed, input, { ...how[rule], ...expires })
    note({ what: 'called', run: handle.id, input })
    if (random.happens(0.25)) note({ what: 'cancels', run: handle.id, answer: await handle.cancel('enough') })
    await pause(random.between(0, 6))
  }
}

async function attackSlots(on: Troupe): Promise<void> {
  const asRuns = async (): Promise<void> => {
    while (!isOver()) {
      await (await on.call(limited)).result().catch(ignoreEnd)
    }
  }
  const asFunctions = async (): Promise<void> => {
    while (!isOver()) await few.run(stay).catch(ignoreEnd)
  }
  await Promise.all([asRuns(), asRuns(), asFunctions(), asFunctions()])
}

function ignoreEnd(error: unknown): void {
  if (!isTroupeError(error, 'engine_stopped')) trouble({ err: error }, 'an attack failed:')
}
