// What a program asks of an engine about schedules.
import type { Rule } from '../../model/schedule.ts'
import type { ByOption } from '../verbs/audit.ts'
import type { Definition } from '../definition/definition.ts'
import type { RunHandle } from '../watch/run-handle.ts'
import type { ScheduleRule } from './schedule-rule.ts'
import type { Scheduled, ScheduledByName } from './schedule.ts'

/** A schedule as it is now. Times are milliseconds since 1970. */
export interface ScheduleStatus {
  readonly name: string
  /** With its defaults filled in; durations are milliseconds. */
  readonly rule: Rule
  /** The name of what it starts. */
  readonly definition: string
  readonly input: unknown
  readonly isPaused: boolean
  /** When it fires next; undefined while it is paused, and when it never does again. */
  readonly nextAt: number | undefined
  /** The latest tick that started a run, and that run. */
  readonly lastTickAt: number | undefined
  readonly lastRunId: string | undefined
  /** How many ticks started no run. */
  readonly skipped: number
  /** The nodes whose code declares it; undefined when `troupe.schedule` made it. */
  readonly declaredBy: readonly string[] | undefined
}

/** What `schedule` takes, in any of its forms. */
export type ScheduleArguments = [name: string, rule: ScheduleRule, definition: Definition | string, input?: unknown]

export interface BackfillOptions {
  /** The first and the last time, both included: a Date, or milliseconds since 1970. */
  readonly from: Date | number
  readonly to: Date | number
}

/** Runs that start by the clock. Every verb holds for all nodes; those that change or start something leave an entry for `audit`, with `by` whom. */
export interface ScheduleVerbs {
  /**
   * Starts runs by a rule, from now on and until `unschedule`: on any node that has been started, at most one run for each tick.
   *
   * One of the same name takes the new rule, definition and input; with the same times it goes on where it was, and a pause stays.
   * A run sees its tick as `ctx.scheduledAt`. The idempotency key of the definition is not asked: the tick is the key.
   *
   * Saves: the schedule with its input. Throws: `option_invalid` naming the field; `worker_not_registered`, `validation_failed`, `value_…`, `engine_stopped`, `store_…`.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const tidy = worker('tidy', {}, (ctx, folder: string) => `tidied ${folder}`)
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [tidy] })
   * await troupe.start()
   * await troupe.schedule('tidy-uploads', { every: '15m', jitter: '30s' }, tidy, 'uploads')
   * const run = await troupe.trigger('tidy-uploads')
   * console.log(await run.result()) // tidied uploads
   * ```
   */
  schedule<Input>(name: string, rule: ScheduleRule, ...starts: Scheduled<Input>): Promise<ScheduleStatus>
  schedule(name: string, rule: ScheduleRule, ...starts: ScheduledByName): Promise<ScheduleStatus>
  /** Ends a schedule; false when there is none of that name. What it has started goes on; one that code declares is back at the next start. */
  unschedule(name: string, options?: ByOption): Promise<boolean>
  /** All schedules, by name. */
  schedules(): Promise<ScheduleStatus[]>
  /** Starts a run now, whatever the rule says of pauses and of runs that are unfinished. Throws `schedule_not_found`. */
  trigger(name: string, options?: ByOption): Promise<RunHandle>
  /**
   * Starts a run for every tick from one time to another that has none, 1,000 at most: all at once where the rule allows runs to overlap, else one after the other.
   *
   * Gives the new runs in the order of their ticks. Throws: `schedule_not_found`, `option_invalid`.
   */
  backfill(name: string, span: BackfillOptions, options?: ByOption): Promise<RunHandle[]>
  /** The next times at which a schedule fires, or would were it not paused; 5 unless told. Throws `schedule_not_found`. */
  nextFires(name: string, count?: number): Promise<number[]>
  /** Keeps a schedule from firing. What it has started goes on. Throws `schedule_not_found`. */
  pauseSchedule(name: string, options?: ByOption): Promise<void>
  /** Lets a schedule fire again, from its next tick on: those of the pause are left out. Throws `schedule_not_found`. */
  resumeSchedule(name: string, options?: ByOption): Promise<void>
}
