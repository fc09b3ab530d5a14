// How a bench measures: callers, clocks, quantiles, and a folder that is gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { endingWith } from './ending.ts'

/** How fast it went. */
export interface Pace {
  /** Things done a second. */
  readonly perSecond: number
  /** Microseconds of processor time of this process for each: they tell more than the clock when others are at work. */
  readonly cpuUs: number
}

/** Milliseconds. */
export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

/** How many callers there are. */
const callers = 100

/** Lets a hundred callers do `one` for each number below `count`, each waiting for its own. */
export async function fromCallers(count: number, one: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/** Begins to measure; the result ends it. */
export function stopwatch(): (count: number) => Pace {
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

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((left, right) => left - right)
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

export function check(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`)
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A folder that is gone afterwards. */
export function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  // A server that has just been killed may still write.
  const end = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  return endingWith(end, () => work(folder))
}

/** Begins to look at what others do on this machine; the result tells their part of a core, in percent. */
export function busyness(): () => number {
  const before = worked()
  const startedAt = performance.now()
  return () => {
    const { all, own } = worked()
    const others = all - before.all - (own - before.own)
    return (others / (performance.now() - startedAt)) * 100
  }
}

/** Milliseconds that all processors were at work, and those of them for this process. */
function worked(): { all: number; own: number } {
  const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  const { user, system } = process.cpuUsage()
  return { all, own: (user + system) / 1_000 }
}
