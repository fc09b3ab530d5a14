// Two ends come to the same run at the same time, in real processes: it gets one of them, and everyone is told that one.
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../../src/lib/clock.ts'
import { decode } from '../../src/lib/codec.ts'
import { isTroupeError } from '../../src/lib/errors.ts'
import type { RunHandle } from '../../src/engine/watch/run-handle.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { Troupe } from '../../src/troupe.ts'
import { areReady, Child } from './children.ts'
import { openLedger, readLedger, type Entry, type Note } from './ledger.ts'
import type { Random } from './random.ts'
import { definitions } from './work.ts'

export type Contender = 'cancel' | 'complete' | 'timeout' | 'rescue'
export type Pair = readonly [Contender, Contender]

export interface RacesOptions {
  readonly build: string
  readonly store: string
  readonly ledger: string
  readonly random: Random
  readonly pair: Pair
  readonly rounds: number
}

export interface RacesReport {
  /** Runs for which both contended. */
  readonly races: number
  /** How often each came first. */
  readonly won: Readonly<Partial<Record<Contender, number>>>
  readonly violations: readonly string[]
}

interface Raced {
  readonly handle: RunHandle
  /** What its caller was told: its output, or the code of its error. */
  readonly told: Promise<Told>
  readonly cancelled: Promise<boolean> | undefined
}

interface Told {
  readonly outcome: 'succeeded' | 'failed' | 'cancelled'
  readonly output?: unknown
  readonly code?: string | undefined
}

interface Stage extends RacesOptions {
  readonly client: Troupe
  readonly note: Note
  readonly children: Child[]
  /** Processes that were killed or stood still. */
  readonly killed: Set<number>
}

const runsAtOnce = 40
const leaseMs = 300
const startLimitMs = 30_000
// Long enough for all runs of a round to have begun.
const firstMs = 400
// The ends of a run come so far apart at most.
const spreadMs = 80
// How much longer a cancel is on its way than the other ends.
const askingMs = 20
// A killed process is missed about so long after its end.
const missedMs = 200
// A paused one returns when its lease is about to end, or has ended.
const pauseMs = { least: 280, most: 700 }
// On a busy machine one may be late again and again: so many times the rounds are run for a mixture at most.
const mostPatience = 4
// Longer than any race lasts.
const neverMs = 3_000

export async function runRaces(options: RacesOptions): Promise<RacesReport> {
  const note = openLedger(options.ledger)
  const client = await Troupe.open({ store: `sqlite:${options.store}`, definitions: Object.values(definitions(note)) })
  const stage: Stage = { ...options, client, note, children: [newChild(options), newChild(options)], killed: new Set() }
  const raced: Raced[] = []
  let seen = await report(stage, raced)
  const isOver = (round: number): boolean =>
    round >= options.rounds && (isMixed(seen, options) || round >= options.rounds * mostPatience)
  for (let round = 0; !isOver(round); round++) {
    raced.push(...(await raceOnce(stage)))
    seen = await report(stage, raced)
  }
  for (const child of stage.children) child.signal('SIGKILL')
  await Promise.all(stage.children.map(({ ended }) => ended))
  await client.stop()
  note.close()
  return report(stage, raced)
}

/** Whether there were races enough, and each contender came first in a tenth of them at least. */
function isMixed({ won, races }: RacesReport, { pair, rounds }: Pick<RacesOptions, 'pair' | 'rounds'>): boolean {
  return races >= rounds * 10 && pair.every((contender) => (won[contender] ?? 0) >= Math.max(1, races / 10))
}

/** start → let both come → wait for the ends */
async function raceOnce(stage: Stage): Promise<Raced[]> {
  const { children } = stage
  await areReady(children, startLimitMs)
  const startAt = systemClock.now() + firstMs
  const raced = await Promise.all(Array.from({ length: runsAtOnce }, () => startRace(stage, startAt)))
  if (stage.pair.includes('rescue')) await loseOne(stage, startAt)
  await Promise.all(raced.flatMap(({ told, cancelled }) => [told, cancelled]))
  return raced
}

/** One of the two processes stands still and comes back when its run may be another's, or dies. */
async function loseOne({ children, random, pair, killed, ...options }: Stage, at: number): Promise<void> {
  const victim = children[random.between(0, 1)] as Child
  await wait(at - systemClock.now())
  killed.add(victim.pid)
  if (pair.includes('complete')) {
    victim.signal('SIGSTOP')
    await wait(random.between(pauseMs.least, pauseMs.most))
    victim.signal('SIGCONT')
    return
  }
  victim.signal('SIGKILL')
  await victim.ended
  children.splice(children.indexOf(victim), 1, newChild(options))
}

async function startRace({ client, note, pair, random }: Stage, startAt: number): Promise<Raced> {
  const isMissed = pair.includes('rescue') && !pair.includes('complete')
  const at = (): number => startAt + random.between(isMissed ? 0 : -spreadMs, isMissed ? 2 * missedMs : spreadMs)
  const until = pair.includes('complete') ? at() : startAt + neverMs
  const timeout = pair.includes('timeout') ? { timeout: at() - systemClock.now() } : {}
  const handle = await client.call('errand', { from: process.pid, takesMs: 0, fails: 0, until }, timeout)
  const cancelled = pair.includes('cancel') ? cancelAt(handle, at() - askingMs, note) : undefined
  return { handle, told: told(handle), cancelled }
}

async function cancelAt(handle: RunHandle, at: number, note: Note): Promise<boolean> {
  await wait(at - systemClock.now())
  note({ kind: 'cancels', run: handle.id })
  return handle.cancel('raced')
}

async function told(handle: RunHandle): Promise<Told> {
  try {
    return { outcome: 'succeeded', output: await handle.result() }
  } catch (error) {
    const code = isTroupeError(error) ? error.code : undefined
    return { outcome: code === 'run_cancelled' ? 'cancelled' : 'failed', code }
  }
}

async function report({ store, ledger, pair, killed }: Stage, raced: readonly Raced[]): Promise<RacesReport> {
  const entries = readLedger(ledger)
  const stored = await storedEnds(store)
  const ofRun = entriesByRun(entries)
  const won: Partial<Record<Contender, number>> = {}
  const violations: string[] = []
  let races = 0
  for (const { handle, told: telling, cancelled } of raced) {
    const told = await telling
    violations.push(...faultsOf(handle.id, { told, isCancelled: await cancelled, stored: stored.get(handle.id) ?? [] }))
    const winner = winnerOf(pair, told, { entries: ofRun.get(handle.id) ?? [], killed })
    if (winner === undefined) continue
    races += 1
    won[winner] = (won[winner] ?? 0) + 1
  }
  const troubles = entries.flatMap((entry) => (entry.kind === 'trouble' ? [entry.text] : []))
  return { races, won, violations: [...violations, ...troubles] }
}

/** I11: one end stands, and it is what the caller and who cancelled were told. */
function faultsOf(
  id: string,
  { told, isCancelled, stored }: { told: Told; isCancelled: boolean | undefined; stored: readonly StoredEnd[] },
): string[] {
  const [end] = stored
  if (end === undefined || stored.length > 1) return [`run ${id} has ${stored.length} ends`]
  const faults: string[] = []
  if (end.outcome !== told.outcome) faults.push(`the caller of run ${id} was told ${told.outcome}, it ${end.outcome}`)
  if (end.outcome === 'succeeded' && !isDeepStrictEqual(decode(end.value), told.output))
    faults.push(`the caller of run ${id} was told another output`)
  if (isCancelled !== undefined && isCancelled !== (end.outcome === 'cancelled'))
    faults.push(`who cancelled run ${id} was told ${isCancelled}, it ${end.outcome}`)
  if (end.outcome === 'failed' && told.code !== 'timed_out') faults.push(`run ${id} failed with ${told.code}`)
  return faults
}

/** Who came first; undefined when only one could. */
function winnerOf(
  pair: Pair,
  { outcome }: Told,
  { entries, killed }: { readonly entries: readonly Entry[]; readonly killed: ReadonlySet<number> },
): Contender | undefined {
  const ofOutcome = ({ succeeded: 'complete', failed: 'timeout', cancelled: 'cancel' } as const)[outcome]
  if (!pair.includes('rescue')) return ofOutcome
  const [first, second] = entries.filter(({ kind }) => kind === 'begun')
  if (first === undefined || !killed.has(first.pid)) return undefined
  if (second === undefined) return ofOutcome
  // Whoever takes over a run that was to be cancelled begins it, and is told so then.
  const isAsked = entries.slice(0, entries.indexOf(second)).some(({ kind }) => kind === 'cancels')
  return isAsked ? 'cancel' : 'rescue'
}

interface StoredEnd {
  readonly outcome: string
  readonly value: string
}

async function storedEnds(store: string): Promise<Map<string, StoredEnd[]>> {
  const db = await openDriver(store)
  const sql = `select run.public_id as id, outcome, value from finished join run on run.id = finished.run_id`
  const ends = new Map<string, StoredEnd[]>()
  for (const { id, ...end } of db.prepare(sql).all() as (StoredEnd & { id: string })[])
    ends.set(id, [...(ends.get(id) ?? []), end])
  db.close()
  return ends
}

function entriesByRun(entries: readonly Entry[]): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>()
  for (const entry of entries) {
    if (!('run' in entry)) continue
    const known = found.get(entry.run)
    if (known === undefined) found.set(entry.run, [entry])
    else known.push(entry)
  }
  return found
}

function newChild({ build, store, ledger }: Pick<RacesOptions, 'build' | 'store' | 'ledger'>): Child {
  return new Child(build, { store: `sqlite:${store}`, ledger, leaseMs, seed: 0, starts: 0 })
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve))
}
