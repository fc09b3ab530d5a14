// Attacks of several real processes on one store, and what they must not lead to.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Troupe, type RunStatus } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { AttackOrder, Deed, KeyInput } from './attacker.ts'
import { areReady, Child } from './children.ts'
import { campaignSeed, Random } from './random.ts'

const readyMs = 30_000
const drainMs = 30_000
const forEver = 1e9
const tickMs = 200

/** What happened that must not, in words, and how often what was meant to happen did. */
export interface AttackReport {
  readonly faults: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** Where an attack is, and with how many. */
export interface AttackOptions {
  /** The URL of the store; a file of its own, unless told. */
  readonly store?: string
  /** Three, unless told. */
  readonly processes?: number
  /** How many may pass the limiter; two, unless told. */
  readonly most?: number
  /** How long one stays who passed the limiter, at most; 40 ms, unless told. */
  readonly stayMs?: number
  /** Of the nodes; a second, unless told. */
  readonly leaseMs?: number
  /** What is done beside each kill. */
  readonly disturb?: () => Promise<void>
}

/** Replaces, debounces, keeps, cancels and lets expire runs of the same few keys. */
export async function attackKeys(build: string, forMs: number): Promise<AttackReport> {
  const attack = await attacked(build, 'keys')
  const children = await attack.begin(forMs)
  await pause(forMs)
  const runs = await attack.drained()
  await attack.end(children)
  const deeds = attack.deeds()
  const called = new Set(deeds.flatMap(({ what, run }) => (what === 'called' && run !== undefined ? [run] : [])))
  const unknown = [...called].filter((id) => runs.every((run) => run.id !== id))
  const faults = [
    ...attack.faults,
    ...unknown.map((id) => `${id} was acknowledged and is not there`),
    ...runs.flatMap((run) =>
      faultsOfRun(
        run,
        deeds.filter(({ run: id }) => id === run.id),
      ),
    ),
    ...faultsOfKept(runs, deeds),
  ]
  const ofState = (state: string): number => runs.filter((run) => run.state === state).length
  const amended = runs.filter(({ id }) => deeds.filter((deed) => deed.what === 'called' && deed.run === id).length > 1)
  const [succeeded, cancelled, expired] = ['succeeded', 'cancelled', 'failed'].map(ofState)
  return { faults, counts: { succeeded, cancelled, expired, amended: amended.length } as Record<string, number> }
}

function faultsOfRun(run: RunStatus, deeds: readonly Deed[]): string[] {
  const { id, state, code, input, output, error } = run
  const of = (what: Deed['what']): Deed[] => deeds.filter((deed) => deed.what === what)
  const [begun, ended] = [of('begun').length, of('ended').length]
  const isToldCancelled = of('cancels').some(({ answer }) => answer === true)
  const isReplaced = String(error?.message).includes('replaced by run')
  const last = input as KeyInput
  const said = of('called').map((deed) => deed.input as KeyInput)
  const rules: readonly [boolean, string][] = [
    [['succeeded', 'cancelled', 'failed'].includes(state), `is ${state}`],
    [state !== 'succeeded' || (begun === 1 && ended === 1), `succeeded, begun ${begun} times and ended ${ended} times`],
    [
      state !== 'succeeded' || JSON.stringify(output) === JSON.stringify(input),
      'was performed with another value than it has',
    ],
    [state !== 'failed' || (code === 'expired' && begun === 0), `failed with ${code}, begun ${begun} times`],
    [state !== 'cancelled' || isToldCancelled || isReplaced, 'was cancelled by nobody'],
    [!isToldCancelled || state === 'cancelled', `is ${state}, and somebody was told that it is cancelled`],
    [said.some(({ from, n }) => from === last.from && n === last.n), 'has a value that nobody gave'],
    [said.every(({ from, n }) => from !== last.from || n <= last.n), 'lost a later value'],
  ]
  return rules.filter(([holds]) => !holds).map(([, what]) => `${id} ${what}`)
}

/** A run that is kept last waits for the end of the one before. */
function faultsOfKept(runs: readonly RunStatus[], deeds: readonly Deed[]): string[] {
  const kept = runs.filter(({ state, input }) => state === 'succeeded' && (input as KeyInput).rule === 'keepLast')
  const keyOf = ({ input }: RunStatus): string => (input as KeyInput).key
  const at = (what: Deed['what'], id: string): number =>
    deeds.find((deed) => deed.what === what && deed.run === id)?.at ?? 0
  return [...new Set(kept.map(keyOf))].flatMap((key) => {
    const spans = kept
      .filter((run) => keyOf(run) === key)
      .map(({ id }) => [at('begun', id), at('ended', id)] as const)
      .toSorted(([left], [right]) => left - right)
    const overlaps = spans.filter(([begun], place) => begun < (spans[place - 1]?.[1] ?? 0))
    return overlaps.map(() => `${key} was performed twice at a time`)
  })
}

// By then somebody has passed who waited for the slot of one that was killed.
const passMs = 5_000
const fullMs = 30_000

/** Kills processes that hold slots of a limiter for two at a time, as runs and by `limiter.run`. */
export async function attackSlots(build: string, kills: number, options: AttackOptions = {}): Promise<AttackReport> {
  const attack = await attacked(build, 'slots', options)
  const { most: mostAllowed = 2, disturb } = options
  const children = await attack.begin(forEver)
  const killed = new Map<number, number>()
  for (let kill = 0; kill < kills; kill++) {
    await pause(attack.random.between(150, 400))
    const victim = await holderOf(attack, children)
    const at = now()
    killed.set(await attack.killOne(children, victim, forEver), at)
    await disturb?.()
  }
  const nextAfter = (at: number): Deed | undefined =>
    attack.deeds().find((deed) => deed.what === 'enters' && deed.at > at)
  const lastAt = Math.max(...killed.values())
  while (nextAfter(lastAt) === undefined && now() < lastAt + passMs) await pause(10)
  // As many as may are inside at some time; where they never are, this proves nothing.
  while (mostInside(attack.deeds(), killed) < mostAllowed && now() < lastAt + fullMs) await pause(100)
  const stuck = [...killed.values()].filter((at) => !((nextAfter(at)?.at ?? Infinity) < at + passMs))
  await attack.end(children)
  const deeds = attack.deeds()
  const entered = deeds.filter(({ what }) => what === 'enters')
  const [left] = await attack.client.limiters()
  const most = mostInside(deeds, killed)
  const faults = [
    ...attack.faults,
    ...(most > mostAllowed ? [`${most} had passed at one time`] : []),
    ...stuck.map(() => 'nobody passed for seconds after a kill'),
    ...(left?.slots === 0 ? [] : [`${left?.slots} slots did not come free`]),
  ]
  const holders = [...killed.keys()].filter((pid) => insideOf(deeds, pid) > 0)
  return { faults, counts: { most, holders: holders.length, passed: entered.length } }
}

/** Which of them is inside, as soon as one is. */
async function holderOf(attack: Attack, children: readonly Child[]): Promise<number> {
  for (let look = 0; look < 500; look++) {
    const deeds = attack.deeds()
    const place = children.findIndex(({ pid }) => insideOf(deeds, pid) > 0)
    if (place !== -1) return place
    await pause(2)
  }
  return 0
}

/** Kills processes that should fire the ticks of a schedule. */
export async function attackTicks(build: string, kills: number, options: AttackOptions = {}): Promise<AttackReport> {
  const attack = await attacked(build, 'ticks', options)
  const children = await attack.begin(0)
  for (let kill = 0; kill < kills; kill++) {
    await pause(attack.random.between(50, 500))
    await attack.killOne(children, kill % children.length, 0)
    await options.disturb?.()
  }
  await pause(1_000)
  const runs = await attack.client.runs({ limit: 10_000 })
  await attack.end(children)
  const ticks = runs.map(({ scheduledAt = 0 }) => scheduledAt).toSorted((left, right) => left - right)
  const gaps = ticks.slice(1).map((tick, place) => tick - (ticks[place] ?? 0))
  const faults = [...attack.faults, ...gaps.filter((gap) => gap !== tickMs).map((gap) => `${gap} ms between two ticks`)]
  return { faults, counts: { ticks: ticks.length } }
}

interface Attack {
  readonly client: Troupe
  readonly random: Random
  readonly faults: string[]
  /** Processes that attack. */
  begin(forMs: number): Promise<Child[]>
  /** Kills one and puts another in its place; gives the number of the one that was killed. */
  killOne(children: Child[], place: number, forMs: number): Promise<number>
  deeds(): Deed[]
  /** All runs, once each has ended. */
  drained(): Promise<RunStatus[]>
  end(children: readonly Child[]): Promise<void>
}

async function attacked(build: string, role: AttackOrder['role'], options: AttackOptions = {}): Promise<Attack> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-attack-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = new Random(campaignSeed())
  console.log(JSON.stringify({ what: role, seed: random.seed, node: process.version }))
  const { store = `sqlite:${join(folder, 'troupe.db')}`, processes = 3, most = 2, disturb, leaseMs, stayMs } = options
  const ledger = join(folder, 'ledger.jsonl')
  const client = await Troupe.open({ store, global: false, logLevel: disturb === undefined ? 'error' : 'silent' })
  onTestFinished(() => client.stop({ within: 0 }))
  const faults: string[] = []
  const deeds = (): Deed[] => readDeeds(ledger)
  const born = (forMs: number): Child => {
    const seed = random.between(0, 2 ** 31)
    const order: AttackOrder = {
      store,
      ledger,
      role,
      seed,
      forMs,
      most,
      leaseMs,
      stayMs,
      isCutOff: disturb !== undefined,
    }
    return new Child(build, order, 'attacker.ts')
  }
  return {
    client,
    random,
    faults,
    deeds,
    begin: async (forMs) => {
      const children = Array.from({ length: processes }, () => born(forMs))
      if (!(await areReady(children, readyMs))) faults.push('a process did not start')
      return children
    },
    killOne: async (children, place, forMs) => {
      const victim = children[place]
      victim?.signal('SIGKILL')
      await victim?.ended
      const next = born(forMs)
      children[place] = next
      await next.hears(() => next.isReady, readyMs)
      return victim?.pid ?? 0
    },
    drained: async () => {
      const until = now() + drainMs
      while (now() < until && (await isAnyUnfinished(client))) await pause(50)
      return client.runs({ limit: 100_000 })
    },
    end: async (children) => {
      for (const child of children) child.stop()
      for (const { code, errors } of await Promise.all(children.map((child) => child.ended))) {
        if (code !== 0 || errors !== '') faults.push(`a process ended with ${code}: ${errors}`)
      }
      faults.push(...deeds().flatMap(({ what, text = '' }) => (what === 'trouble' ? [text] : [])))
    },
  }
}

async function isAnyUnfinished(client: Troupe): Promise<boolean> {
  const states = ['ready', 'running', 'scheduled', 'parked'] as const
  const found = await Promise.all(states.map((state) => client.runs({ state, limit: 1 })))
  return found.flat().length > 0
}

function readDeeds(ledger: string): Deed[] {
  return readFileSync(ledger, 'utf8')
    .split('\n')
    .flatMap((line): Deed[] => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Deed]
      } catch {
        // Half a line, of a process that was killed while it wrote it.
        return []
      }
    })
}

/** The most that were inside at one time; whoever was killed left in that moment. */
function mostInside(deeds: readonly Deed[], killed: ReadonlyMap<number, number>): number {
  const steps = deeds.flatMap(({ what, at }) => (what === 'enters' ? [[at, 1]] : what === 'leaves' ? [[at, -1]] : []))
  for (const [pid, at] of killed) for (let n = insideOf(deeds, pid); n > 0; n--) steps.push([at, -1])
  let inside = 0
  let most = 0
  for (const [, step = 0] of steps.toSorted((left, right) => (left[0] ?? 0) - (right[0] ?? 0))) {
    inside += step
    most = Math.max(most, inside)
  }
  return most
}

/** How many a process had let in that did not leave. */
function insideOf(deeds: readonly Deed[], pid: number): number {
  const own = deeds.filter((deed) => deed.pid === pid)
  return own.filter(({ what }) => what === 'enters').length - own.filter(({ what }) => what === 'leaves').length
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(ms, resolve))
}
