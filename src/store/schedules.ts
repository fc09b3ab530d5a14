// Schedules as stores keep them: their ticks, and the runs these start.
import type { LimitUse } from '../model/limiter.ts'
import type { StartKey } from '../model/start-key.ts'
import type { NextTick, Overlap, Rule } from '../model/schedule.ts'
import type { AuditRecord } from './operating.ts'

/** A schedule as it is to be from now on. */
export interface ScheduleRecord {
  readonly name: string
  readonly rule: Rule
  readonly definitionId: number
  readonly queueId: number
  readonly priority: number
  /** Encoded list of strings; null without tags. */
  readonly tags: string | null
  /** Encoded. */
  readonly input: string
  readonly limits: readonly LimitUse[] | null
  /** The key of all its runs. */
  readonly key: StartKey | null
  /** How long each of its runs may take in all; null for ever. */
  readonly timeoutMs: number | null
  /** Its first tick, should it be new or tick at other times than before; null when there is none. */
  readonly next: NextTick | null
}

export interface ScheduleView {
  readonly scheduleId: number
  readonly name: string
  readonly rule: Rule
  readonly definitionId: number
  readonly definition: string
  readonly queueId: number
  readonly priority: number
  readonly tags: string | null
  readonly input: string
  readonly next: NextTick | null
  readonly isPaused: boolean
  /** Differs after every change. */
  readonly revision: number
  /** Ticks that started no run. */
  readonly skipped: number
  readonly lastTickAt: number | null
  /** Of the latest run it started. */
  readonly lastRunId: string | null
  /** Names of the nodes whose code declares it; null when a program made it by a verb. */
  readonly declaredBy: readonly string[] | null
}

export interface TickRecord {
  /** Null for one that was asked for by hand: it has no time of its own. */
  readonly at: number | null
  /** The id of its run. */
  readonly runId: string
}

/** Ticks that fire. */
export interface Firing {
  readonly scheduleId: number
  readonly ticks: readonly TickRecord[]
  /** How many more were due and start nothing. */
  readonly dropped: number
  readonly overlap: Overlap
  readonly definitionId: number
  /** Encoded error of runs that are cancelled, and the reason. */
  readonly cancel: { readonly value: string; readonly reason: string }
  /** The ticks are those that came next: only while the schedule is as it was, and it goes on with `next`. */
  readonly advance: { readonly revision: number; readonly next: NextTick | null } | undefined
}

/** `runIds`: of the runs it started, and for a tick by hand that of the run that had its key. Undefined when the schedule was changed or is gone: nothing was written. */
export type Fired = { readonly runIds: readonly string[]; readonly skipped: number } | undefined

/** The part of a store that knows schedules. What changes something is kept with the `audit` that is given. */
export interface ScheduleStore {
  /** Makes or changes schedules, each declared by a node or, with null, made by a program. A pause made by hand stays. */
  save(records: readonly ScheduleRecord[], nodeId: number | null): Promise<void>
  /** Removes declared schedules that no node declares and that were due before a time, and gives their names. */
  prune(before: number): Promise<string[]>
  /** False when there was none of that name. What it has started goes on. */
  delete(name: string, audit?: AuditRecord): Promise<boolean>
  list(): Promise<ScheduleView[]>
  find(name: string): Promise<ScheduleView | undefined>
  /** Those that are due, the longest due first. */
  listDue(limit: number): Promise<ScheduleView[]>
  /** When the next one is due; null when none is. */
  nextAt(): Promise<number | null>
  /** Pauses with null, and goes on with a tick. False when there is none of that name. */
  pause(name: string, goesOn: { readonly next: NextTick | null } | null, audit?: AuditRecord): Promise<boolean>
  /** Invariant: I14. Writes ticks with their runs as one transaction; a tick that has a run already starts none. */
  fire(firing: Firing, audit?: AuditRecord): Promise<Fired>
}
