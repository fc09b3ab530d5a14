// A schedule: the rule by which it starts runs, and the ticks that follow from it. The same on every node.
import { CronTimes } from '../lib/cron.ts'

/** What becomes of a tick while a run of the schedule is unfinished. */
export const overlaps = ['skip', 'buffer-one', 'buffer-all', 'cancel-other', 'allow'] as const

export type Overlap = (typeof overlaps)[number]

/** When a schedule ticks. Times are milliseconds, as they are stored. */
export type Timing =
  | { readonly cron: string; readonly zone: string }
  | { readonly every: number; readonly from: number }
  | { readonly at: number }

/** A rule as it is stored: checked, with its defaults filled in. */
export type Rule = Timing & {
  readonly overlap: Overlap
  readonly catchUp: number
  readonly jitter: number
  readonly paused: boolean
}

/** A tick to come, and when it fires. */
export interface NextTick {
  readonly tickAt: number
  readonly dueAt: number
}

/** Whose ticks these are. */
export interface Ticking {
  readonly name: string
  readonly rule: Rule
}

/** What fires now. */
export interface DueTicks {
  readonly ticks: readonly number[]
  /** Undefined when there is none any more. */
  readonly next: NextTick | undefined
  /** Ticks before the first of `ticks` are left out: they are too old, or too many. */
  readonly isLate: boolean
}

/** Invariant: I15. After a long night, or a jump of the clock, a schedule starts at most so many runs. */
const mostAtOnce = 100

/** The first tick after a time; undefined when there is none. */
export function tickAfter(timing: Timing, after: number): number | undefined {
  if ('at' in timing) return timing.at > after ? timing.at : undefined
  if ('cron' in timing) return timesOf(timing).next(after)
  const { every, from } = timing
  return after < from ? from : from + (Math.floor((after - from) / every) + 1) * every
}

/** The first tick after a time, with its jitter. */
export function nextTick({ name, rule }: Ticking, after: number): NextTick | undefined {
  const tickAt = tickAfter(rule, after)
  return tickAt === undefined ? undefined : { tickAt, dueAt: tickAt + jitterOf(name, tickAt, rule.jitter) }
}

/** Where a schedule begins: a single tick also when its time has just passed. */
export function firstTick({ name, rule }: Ticking, now: number): NextTick | undefined {
  return nextTick({ name, rule }, 'at' in rule ? rule.at - 1 : now)
}

/** Everything that is due by `now`, `tickAt` being the first tick that has not fired. */
export function dueTicks(ticking: Ticking, tickAt: number, now: number): DueTicks {
  const { rule } = ticking
  const oldest = now - rule.catchUp - rule.jitter
  const first = tickAt < oldest ? tickAfter(rule, oldest - 1) : tickAt
  const found = first === undefined ? [] : newest(rule, first, now)
  const ticks: number[] = []
  let next = first === undefined ? undefined : nextTick(ticking, (found[0] ?? first) - 1)
  while (next !== undefined && next.dueAt <= now) {
    ticks.push(next.tickAt)
    next = nextTick(ticking, next.tickAt)
  }
  return { ticks, next, isLate: first !== tickAt || (ticks[0] ?? tickAt) !== tickAt }
}

/** All ticks from one time to another, both included; undefined when they are more than `most`. */
export function ticksBetween(timing: Timing, span: { from: number; to: number }, most: number): number[] | undefined {
  const ticks: number[] = []
  let tick = tickAfter(timing, span.from - 1)
  while (tick !== undefined && tick <= span.to) {
    if (ticks.length === most) return undefined
    ticks.push(tick)
    tick = tickAfter(timing, tick)
  }
  return ticks
}

/** Whether both tick at the same times. */
export function isSameTiming(left: Rule, right: Rule): boolean {
  return JSON.stringify(timingOf(left)) === JSON.stringify(timingOf(right)) && left.jitter === right.jitter
}

/** The latest ticks up to a time, as many as may fire at once. */
function newest(timing: Timing, first: number, now: number): number[] {
  const enough = 2 * mostAtOnce
  let ticks = ticksBetween(timing, { from: first, to: now }, enough)
  if (ticks !== undefined) return ticks.slice(-mostAtOnce)
  // Going through all there are would take as long as the clock jumped far: the span that holds enough is found by halving.
  let [tooMany, tooFew] = [first, now]
  while (tooFew - tooMany > 1 && (ticks?.length ?? 0) < mostAtOnce) {
    const middle = Math.floor((tooMany + tooFew) / 2)
    const found = ticksBetween(timing, { from: middle, to: now }, enough)
    if (found === undefined) tooMany = middle
    else {
      ticks = found
      tooFew = middle
    }
  }
  return (ticks ?? []).slice(-mostAtOnce)
}

function timingOf(rule: Rule): Timing {
  if ('cron' in rule) return { cron: rule.cron, zone: rule.zone }
  return 'at' in rule ? { at: rule.at } : { every: rule.every, from: rule.from }
}

const mostKept = 500
const times = new Map<string, CronTimes>()

/** Reading an expression costs more than asking it. */
function timesOf({ cron, zone }: { readonly cron: string; readonly zone: string }): CronTimes {
  const key = `${zone} ${cron}`
  const known = times.get(key)
  if (known !== undefined) return known
  if (times.size === mostKept) times.clear()
  const made = new CronTimes(cron, zone)
  times.set(key, made)
  return made
}

/** Invariant: I14. The same on every node, so it is made of the name and the tick alone. */
function jitterOf(name: string, tick: number, jitter: number): number {
  return jitter === 0 ? 0 : Math.floor((hashOf(`${name} ${tick}`) / 2 ** 32) * (jitter + 1))
}

/** FNV-1a over UTF-16, with the last mixing of MurmurHash3, which spreads neighbours. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let place = 0; place < text.length; place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
