// What the queue bench gives to each side: the same runs, from as many callers, in a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a run is given. */
export interface Job {
  readonly i: number
  readonly kind: 'noop'
}

/** What a run gives back. */
export interface Done {
  readonly ok: true
  readonly i: number
}

/** How fast it went. */
export interface Pace {
  /** Runs a second. */
  readonly perSecond: number
  /** Microseconds of processor time of this process for each run: they tell more than the clock when others are at work. */
  readonly cpuUs: number
}

/** One figure of one side. */
export interface Row {
  /** What is done: rows of the same name are compared. */
  readonly what: string
  /** Who does it. */
  readonly who: string
  /** Throws when it was not done as often as it should. */
  measure(): Promise<Pace>
}

/** How many callers there are. */
const callers = 100

export const jobOf = (i: number): Job => ({ i, kind: 'noop' })

export const doneOf = ({ i }: Job): Done => ({ ok: true, i })

/** Lets a hundred callers do `one` for each number below `count`, each waiting for its own. */
export async function fromCallers(count: number, one: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/** Begins to measure; the result ends it. */
function stopwatch(): (count: number) => Pace {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  return (count) => {
    const tookMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(before)
    return { perSecond: (count / tookMs) * 1_000, cpuUs: (user + system) / count }
  }
}

/** How fast `work` is, after a warm-up of a tenth. */
export async function paceOf(count: number, work: (count: number) => Promise<unknown>): Promise<Pace> {
  await work(Math.ceil(count / 10))
  const stop = stopwatch()
  await work(count)
  return stop(count)
}

/** Counts the runs that begin and end: the pace is that from the first begin to the last end. */
export class Tally {
  readonly #count: number
  #done = 0
  #stop: ((count: number) => Pace) | undefined
  #pace: Pace | undefined
  #tell: (pace: Pace) => void = () => {}

  constructor(count: number) {
    this.#count = count
  }

  begins(): void {
    this.#stop ??= stopwatch()
  }

  ends(): void {
    this.#done += 1
    if (this.#done !== this.#count || this.#stop === undefined) return
    this.#pace = this.#stop(this.#count)
    this.#tell(this.#pace)
  }

  all(): Promise<Pace> {
    if (this.#pace !== undefined) return Promise.resolve(this.#pace)
    return new Promise((resolve) => {
      this.#tell = resolve
    })
  }
}

export function check(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`)
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A folder that is gone afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
