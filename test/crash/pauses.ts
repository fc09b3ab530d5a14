// Pauses real processes past their lease while they hold runs, lets another take over, and looks what the returning one changes.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import { Troupe } from '../../src/troupe.ts'
import { account, type Figures } from './account.ts'
import { areReady, Child } from './children.ts'
import { readLedger, type Entry } from './ledger.ts'
import type { Random } from './random.ts'
import { fileOf, openReader, type Reader } from './reader.ts'
import { definitions } from './work.ts'

export interface PauseOptions {
  readonly build: string
  /** The URL of the store. */
  readonly store: string
  readonly ledger: string
  readonly random: Random
  /** Pauses in which another process takes over. */
  readonly pauses: number
  /** Ends at the first violation, without an account of the whole. */
  readonly endsAtViolation?: boolean
}

export interface PauseReport {
  /** Pauses after which another process had taken over. */
  readonly takenOver: number
  /** Pauses in which nobody could, because the paused process held the lock of the file. */
  readonly blocked: number
  /** Runs that the paused processes held. */
  readonly held: number
  /** Those of them for which the store refused a write of the returning process; the others it had given up by itself. */
  readonly refused: number
  readonly figures: Figures | undefined
  readonly violations: readonly string[]
}

const leaseMs = 200
const processes = 4
const runsAtOnce = 16
// Each child takes its part of the runs, so that all hold some.
const most = runsAtOnce / processes
const stepMs = 60
const legs = 3
// Twenty times what taking over needs; one that takes longer is stuck behind the lock of the paused process.
const takeOverMs = 5_000
const answerMs = 15_000

interface Stage extends PauseOptions {
  readonly client: Troupe
  readonly reader: Reader
  /** Of a store in a file, whose lock a paused process may hold. */
  readonly file: SqlDriver | undefined
  readonly children: readonly Child[]
}

/** A run that the paused process holds, with the epoch of its claim. */
interface HeldRun {
  readonly id: string
  readonly runId: number
  readonly epoch: number
}

interface Round {
  readonly held: readonly HeldRun[]
  readonly isTakenOver: boolean
  readonly refused: number
  readonly violations: readonly string[]
}

export async function runPauses(options: PauseOptions): Promise<PauseReport> {
  const stage = await openStage(options)
  const rounds: Round[] = []
  const isEnough = (): boolean => {
    if (options.endsAtViolation && rounds.some(({ violations }) => violations.length > 0)) return true
    return count(rounds) >= options.pauses || rounds.length >= options.pauses * 3
  }
  while (!isEnough()) rounds.push(await pauseOne(stage, rounds.length))
  const end = options.endsAtViolation ? undefined : await closeBooks(stage)
  await stage.client.stop()
  await stage.reader.close()
  stage.file?.close()
  return {
    takenOver: count(rounds),
    blocked: rounds.filter(({ held, isTakenOver }) => held.length > 0 && !isTakenOver).length,
    held: rounds.reduce((sum, { held }) => sum + held.length, 0),
    refused: rounds.reduce((sum, { refused }) => sum + refused, 0),
    figures: end?.figures,
    violations: [...rounds.flatMap(({ violations }) => violations), ...(end?.violations ?? [])],
  }
}

const fence = `select 1 as is_held from live
where run_id = ? and epoch = ? and node = ? and state = 'running'`
const noFence = `select 1 as is_held from run
where id = ? and cast(? as bigint) is not null and cast(? as bigint) is not null`
// The same for many runs at once.
const fenceOfMany = 'epochOf.get(run.runId) === run.epoch'

/** Lets a copy of the store take what the claim does not cover any more; false when nothing of it is there. */
export function takeOutFence(build: string): boolean {
  const runs = join(build, 'src', 'store', 'sql', 'runs', 'runs.js')
  const source = readFileSync(runs, 'utf8')
  writeFileSync(runs, source.replace(fence, noFence).replace(fenceOfMany, 'true'))
  return [fence, fenceOfMany].every((protection) => source.split(protection).length === 2)
}

const hearing = 'if (!isAlive)'
const deafIfBlind = `if (!isAlive && !process.argv[2].includes('"isBlind":true'))`

/** Lets blind processes of a copy go on when their renewals are refused; false when nothing of that is there. */
export function deafen(build: string): boolean {
  const timekeeper = join(build, 'src', 'engine', 'membership', 'timekeeper.js')
  const source = readFileSync(timekeeper, 'utf8')
  writeFileSync(timekeeper, source.replace(hearing, deafIfBlind))
  return source.split(hearing).length === 2
}

/** start → pause → take over → return → compare */
async function pauseOne(stage: Stage, round: number): Promise<Round> {
  const { client, children, random, reader, file } = stage
  const victim = children[round % children.length] as Child
  const begunBefore = countBegun(victim)
  const input = { from: process.pid, legs, takesMs: stepMs }
  const handles = await Promise.all(Array.from({ length: runsAtOnce }, () => client.call('voyage', input)))
  // Any leg of any run, so that pauses come early and late.
  const begun = begunBefore + random.between(1, most * legs - 1)
  await victim.hears(() => countBegun(victim) >= begun, answerMs)
  await pause(victim, file)
  const held = (await heldBy(reader, victim)).filter((run) => !isGivenUp(victim, run))
  const isLate = random.happens(0.5)
  const isTakenOver = held.length > 0 && (await (isLate ? allFinished(client, held) : allResumed(reader, held)))
  const before = await traces(reader, held, isLate)
  const heardBefore = victim.heard.length
  victim.signal('SIGCONT')
  const silent = isTakenOver ? await waitForAnswers(victim, held, heardBefore) : []
  const refused = isTakenOver ? countRefused(victim.heard.slice(heardBefore), held) : 0
  const after = await traces(reader, held, isLate)
  const ends = await Promise.all(
    handles.map((handle) => handle.result({ timeout: answerMs }).then(() => undefined, String)),
  )
  const atEnd = await traces(reader, held, isLate)
  const changes = isTakenOver ? [...changesOf(before, after), ...changesOf(before, atEnd)] : []
  const unfinished = ends.filter((error) => error !== undefined).map((error) => `I3: a run did not finish: ${error}`)
  return { held, isTakenOver, refused, violations: [...silent, ...new Set(changes), ...unfinished] }
}

async function openStage(options: PauseOptions): Promise<Stage> {
  const { build, store, ledger } = options
  const given = { store, ledger, leaseMs, seed: 0, starts: 0, most, isPaused: true }
  // Every other one gives its runs up by itself when it returns; a blind one goes on, and only the refusal of what it wants written tells it.
  const children = Array.from({ length: processes }, (_, n) => new Child(build, { ...given, isBlind: n % 2 === 0 }))
  if (!(await areReady(children, answerMs))) {
    for (const child of children) child.signal('SIGKILL')
    const ends = await Promise.all(children.map((child) => child.ended))
    throw new Error(`The children did not all start: ${ends.map(({ errors }) => errors).join('\n')}`)
  }
  const client = await Troupe.open({ store, definitions: Object.values(definitions(() => {})) })
  const path = fileOf(store)
  const file = path === undefined ? undefined : await openDriver(path)
  return { ...options, client, children, reader: await openReader(store), file }
}

/** Stops the children as good engines stop, and accounts for all that happened. */
async function closeBooks({ children, store, ledger }: Stage): Promise<{ figures: Figures; violations: string[] }> {
  for (const child of children) child.stop()
  const ends = await Promise.all(children.map((child) => child.ended))
  const { figures, violations } = await account(store, readLedger(ledger), { killed: new Set([process.pid]) })
  const bad = ends.filter(({ code }) => code !== 0).map(({ code, errors }) => `a child ended with ${code}: ${errors}`)
  return { figures, violations: [...bad, ...violations] }
}

/** Stops a process where it stands, but not while it has the file locked: nobody could take over then. */
async function pause(child: Child, file: SqlDriver | undefined): Promise<void> {
  for (;;) {
    child.signal('SIGSTOP')
    // A signal takes effect a moment after it was sent, and on each thread by itself; where the system shows it, that moment is waited for.
    while (!isStopped(child)) await turn()
    // A server takes the lock from who stands still with it.
    if (file === undefined || (await isUnlocked(file))) return
    child.signal('SIGCONT')
    // Stopped again at once it would never come to its commit, and on a slow disk all others would wait for its lock until their time is up.
    while (!(await isUnlocked(file))) await turn()
  }
}

/** Whether the lock of the file comes free while one process is paused: others hold it only for moments. */
async function isUnlocked(db: SqlDriver): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      db.exec('begin immediate')
      db.exec('rollback')
      return true
    } catch {
      // Locked by the paused process or, for a moment, by another.
      await turn()
    }
  }
  return false
}

function turn(): Promise<void> {
  return new Promise((resolve) => systemClock.after(1, resolve))
}

/** Whether all its threads are: the one that keeps the lease could lock the file after the main one stands still. */
function isStopped({ pid }: Child): boolean {
  const threads = `/proc/${pid}/task`
  if (!existsSync(threads)) return true
  return readdirSync(threads).every((thread) => {
    const stat = readFileSync(`${threads}/${thread}/stat`, 'utf8')
    const state = stat.lastIndexOf(')') + 2
    return stat.slice(state, state + 1) === 'T'
  })
}

function heldBy(reader: Reader, { pid }: Child): Promise<HeldRun[]> {
  const sql = `
  select run.public_id as id, live.run_id as runId, live.epoch as epoch
  from live join node on node.id = live.node join run on run.id = live.run_id
  where node.pid = ? and live.state = 'running'`
  return reader.all<HeldRun>(sql, pid)
}

/** Whether it had given the run up by itself before it was paused, because its lease ran out on a busy machine. */
function isGivenUp({ heard }: Child, { id }: HeldRun): boolean {
  const lastOf = (kind: Entry['kind']): number =>
    heard.findLastIndex((entry) => entry.kind === kind && 'run' in entry && entry.run === id)
  return lastOf('lost') > lastOf('begun')
}

/** Whether each has a later claim. What others said tells nothing: they may have had a run before the paused process took it from them. */
async function allResumed(reader: Reader, held: readonly HeldRun[]): Promise<boolean> {
  const sql = `
  select 1 from live where run_id = ? and epoch > ?
  union all select 1 from finished where run_id = ? and epoch > ?`
  const until = systemClock.monotonic() + takeOverMs
  for (const { runId, epoch } of held) {
    while ((await reader.all(sql, runId, epoch, runId, epoch)).length === 0) {
      if (systemClock.monotonic() > until) return false
      await turn()
    }
  }
  return true
}

async function allFinished(client: Troupe, held: readonly HeldRun[]): Promise<boolean> {
  const results = held.map(async ({ id }) => (await client.handle(id)).result({ timeout: takeOverMs }))
  return (await Promise.allSettled(results)).every(({ status }) => status === 'fulfilled')
}

/** Waits until the returning process was told for each run that it is not its own; says which it went on with. */
async function waitForAnswers(victim: Child, held: readonly HeldRun[], since: number): Promise<string[]> {
  const laterOf = ({ id }: HeldRun): Entry[] =>
    victim.heard.slice(since).filter((entry) => 'run' in entry && entry.run === id)
  // A result that was committed before the pause may be seen after it; of a step that ended after it, it would be a stale one.
  const isAnswered = (run: HeldRun): boolean => {
    const ended = new Set<string>()
    for (const entry of laterOf(run)) {
      if (entry.kind === 'lost' || (entry.kind === 'seen' && ended.has(entry.uuid))) return true
      if (entry.kind === 'effect') ended.add(entry.uuid)
    }
    return false
  }
  // What it was given while it was paused, or held in stock, it may give up unseen: only who begins a run is told.
  const hasBegun = ({ id }: HeldRun): boolean =>
    victim.heard.some((entry) => entry.kind === 'begun' && 'run' in entry && entry.run === id)
  await victim.hears(() => held.every((run) => !hasBegun(run) || isAnswered(run)), answerMs)
  const untold = held.filter((run) => hasBegun(run) && !laterOf(run).some(({ kind }) => kind === 'lost'))
  return untold.map((run) => {
    const kinds = laterOf(run).map(({ kind }) => kind)
    return `I5: the returning process was not told that run ${run.id} is another's; it had ${kinds.join(', ') || 'no word'}`
  })
}

/** Runs that were lost at a commit which found this process declared dead. */
function countRefused(later: readonly Entry[], held: readonly HeldRun[]): number {
  const found = later.findIndex(({ kind }) => kind === 'declaredDead')
  const lost = new Set(
    later.slice(found < 0 ? later.length : found).flatMap((entry) => (entry.kind === 'lost' ? [entry.run] : [])),
  )
  return held.filter(({ id }) => lost.has(id)).length
}

/** All rows of runs that are over, or what was written of them under a claim that is not theirs any more. */
async function traces(reader: Reader, held: readonly HeldRun[], isLate: boolean): Promise<Map<string, unknown[]>> {
  const tables = ['step', 'attempt', 'emitted', 'log', 'finished']
  const whole = ['run', 'live', 'wait', 'progress', 'cancel_request', 'dead']
  const found = new Map<string, unknown[]>()
  for (const { id, runId, epoch } of held) {
    for (const table of tables) {
      const rows = await reader.all<{ epoch: number }>(`select * from ${table} where run_id = ?`, runId)
      found.set(`${table} of run ${id}`, isLate ? rows : rows.filter((row) => row.epoch === epoch))
    }
    if (!isLate) continue
    for (const table of whole) {
      const key = table === 'run' ? 'id' : 'run_id'
      found.set(`${table} of run ${id}`, await reader.all(`select * from ${table} where ${key} = ?`, runId))
    }
  }
  return found
}

function changesOf(before: ReadonlyMap<string, unknown[]>, after: ReadonlyMap<string, unknown[]>): string[] {
  const changed = [...before].filter(([what, rows]) => !isDeepStrictEqual(rows, after.get(what)))
  return changed.map(([what]) => `I5: the returning process changed ${what}`)
}

function countBegun(child: Child): number {
  return child.heard.filter(({ kind }) => kind === 'begun').length
}

function count(rounds: readonly Round[]): number {
  return rounds.filter(({ isTakenOver }) => isTakenOver).length
}
