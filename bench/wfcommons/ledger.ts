// What a run of a trace really did, line by line as it happened: kept by its tasks, not by the engine, and checked against the trace alone.
import type { Trace } from './trace.ts'

export interface Line {
  readonly what: 'begun' | 'ended'
  /** By its place in the trace. */
  readonly task: number
  readonly atMs: number
}

/** When a task was under way. */
export interface Span {
  readonly begunAt: number
  readonly endedAt: number
}

/** What is wrong with it, for people; nothing where every task ran exactly once, and never before its parents had ended. */
export function faultsOf({ tasks }: Trace, lines: readonly Line[]): readonly string[] {
  const begun = new Map<number, number>()
  const ended = new Map<number, number>()
  const faults: string[] = []
  const idOf = (task: number): string => tasks[task]?.id ?? `task ${task}, which the trace does not have,`
  for (const { what, task } of lines) {
    const counts = what === 'begun' ? begun : ended
    counts.set(task, (counts.get(task) ?? 0) + 1)
    if (tasks[task] === undefined) faults.push(`${idOf(task)} has ${what}`)
    if (what === 'ended' && (begun.get(task) ?? 0) < (ended.get(task) ?? 0))
      faults.push(`${idOf(task)} ended without having begun`)
    if (what === 'ended') continue
    const early = (tasks[task]?.parents ?? []).filter((parent) => !ended.has(parent))
    for (const parent of early) faults.push(`${idOf(task)} began before its parent ${idOf(parent)} had ended`)
  }
  for (const task of tasks.keys()) {
    const [begins, ends] = [begun.get(task) ?? 0, ended.get(task) ?? 0]
    if (begins !== 1) faults.push(`${idOf(task)} began ${begins} times`)
    if (ends !== 1) faults.push(`${idOf(task)} ended ${ends} times`)
  }
  return faults
}

/** Of a ledger without faults. */
export function spansOf({ tasks }: Trace, lines: readonly Line[]): readonly Span[] {
  const spans = tasks.map(() => ({ begunAt: Number.NaN, endedAt: Number.NaN }))
  for (const { what, task, atMs } of lines) {
    const span = spans[task]
    if (span !== undefined) span[what === 'begun' ? 'begunAt' : 'endedAt'] = atMs
  }
  return spans
}
