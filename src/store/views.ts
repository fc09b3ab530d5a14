// Runs, steps, attempts and queues as people see them, and how they ask for them.
import type { Bounds } from '../model/limiter.ts'
import type { WaitReason } from '../model/reason.ts'
import type { LiveState, RunOutcome, RunState } from '../model/run.ts'
import type { LogRecord } from './speech.ts'
import type { DecidedEnd } from './undoing.ts'
import type { WaitRecord } from './waits.ts'
import type { EmitCursor, EmittedRow, FinishedRun, StepKind } from './store.ts'

/** One run as people see it. */
export interface RunView {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly queue: string
  readonly state: LiveState | RunOutcome
  /** What it ended with; null while it is unfinished, when it succeeded, and for an error without a code. */
  readonly code: string | null
  /** Of a run that failed for good. */
  readonly fingerprint: string | null
  readonly generation: number
  readonly attempt: number
  readonly deliveries: number
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly dueAt: number | null
  readonly node: string | null
  readonly tags: string | null
  readonly correlationId: string | null
  /** The id of the run that started it. */
  readonly parent: string | null
  /** The id of the run whose journal it began with. */
  readonly forkedFrom: string | null
  /** The schedule that started it, and its tick. */
  readonly schedule: string | null
  readonly scheduledAt: number | null
  readonly input: string
  /** Encoded output or error record; null while it is unfinished. */
  readonly value: string | null
  readonly done: number | null
  readonly total: number | null
  /** How it ends once it has undone what it did; null for one that does not. */
  readonly undoingOutcome: DecidedEnd['outcome'] | null
  /** An error record. */
  readonly undoingValue: string | null
  /** Why it is not running; null when it is, and when it has ended. */
  readonly reason: WaitReason | null
}

/** A queue as people see it. */
export interface QueueView {
  readonly name: string
  readonly ready: number
  /** On nodes that live. */
  readonly running: number
  /** On others. */
  readonly lost: number
  readonly scheduled: number
  readonly parked: number
  /** When the run was started that has been ready for longest. */
  readonly oldestReadyAt: number | null
  readonly pausedAt: number | null
  /** How many live nodes serve it. */
  readonly nodes: number
}

export interface StepView {
  readonly path: string
  readonly seq: number
  readonly kind: StepKind
  readonly attempt: number
  readonly isError: boolean
  readonly value: string
  readonly startedAt: number
  readonly finishedAt: number
}

/** One failed attempt as people see it; an empty path is the run itself. */
export interface AttemptView {
  readonly generation: number
  readonly path: string
  readonly attempt: number
  readonly error: string
  readonly startedAt: number
  readonly finishedAt: number
}

/** How many runs of a definition ended one way, and how long they took from their first start to their end. */
export interface EndedRuns {
  readonly outcome: RunOutcome
  /** Failed because their time was up. */
  readonly isTimeout: boolean
  readonly runs: number
  readonly totalMs: number
  readonly lastAt: number
  readonly lastMs: number
}

/** Which runs; all that is given must hold. */
export interface RunsWhere {
  readonly name?: string
  /** They are in this one, or in one of these. */
  readonly state?: RunState | readonly RunState[]
  /** Of the error they ended with, as in `timed_out`, `run_lost` or a code of your own. */
  readonly code?: string
  /** They have all of these. */
  readonly tags?: readonly string[]
  /** Those that failed for good for one reason; see `dead`. */
  readonly fingerprint?: string
  /** Those that the run of this id started. */
  readonly parent?: string
}

/** A page of runs, the newest first. */
export interface RunPage extends RunsWhere {
  /** Only runs that are older than the one of this id. */
  readonly after?: string
  readonly limit: number
}

/** The kinds of failures, the latest first. */
export interface DeadPage {
  readonly name?: string
  readonly fingerprint?: string
  /** So many groups. */
  readonly limit: number
}

/** The runs that failed for good with one fingerprint. */
export interface DeadGroup {
  readonly fingerprint: string
  readonly runs: number
  readonly firstAt: number
  readonly lastAt: number
  /** The id of the one that failed last. */
  readonly newest: string
}

/** Entities, by name and key. */
export interface EntityPage {
  readonly name?: string
  /** Of a name: the one of this key. */
  readonly key?: string
  /** Of a name: only those whose keys are greater. */
  readonly after?: string
  readonly limit: number
}

/** An entity as people see it. */
export interface EntityView {
  readonly name: string
  readonly key: string
  /** The id of the run that it is. */
  readonly runId: string
  readonly state: RunState
  readonly node: string | null
  readonly dueAt: number | null
  /** Of its state and its reminders as they are stored. */
  readonly stateBytes: number
  /** Messages and asks that it has not handled to their end. */
  readonly waiting: number
}

/** A limiter as people see it. */
export interface LimiterView {
  readonly name: string
  /** Those that count. */
  readonly bounds: Bounds
  /** They were changed live. */
  readonly isLive: boolean
  /** Taken now, of all keys. */
  readonly slots: number
  readonly waiting: number
  /** The ids of runs that have its slots, themselves or by a step, at most ten. */
  readonly holders: readonly string[]
  /** The ids of runs that wait for them, the oldest first, at most ten. */
  readonly waiters: readonly string[]
}

/** A node as the store knows it. Times are milliseconds since 1970. */
export interface NodeView {
  readonly number: number
  readonly name: string
  /** `draining`: it is asked to take no more work and to stop; `expired`: its lease has ended, and any other may go on with its runs. */
  readonly state: 'serving' | 'draining' | 'expired'
  /** Of the library; null for a node that did not say. */
  readonly version: string | null
  readonly pid: number
  readonly startedAt: number
  /** Until when it may act without a word to the store; in the past for a node that is gone. */
  readonly leaseUntil: number
  /** By how much the clock of its machine is ahead of the time that all nodes go by. */
  readonly clockAheadMs: number
  /** How many runs it performs. */
  readonly running: number
  /** The names of those it serves. */
  readonly queues: readonly string[]
  /** The names of what it can perform. */
  readonly definitions: readonly string[]
}

export interface LogRow extends EmitCursor, Omit<LogRecord, 'held'> {}

/** Which lines, the first ones first. */
export interface LogPage {
  readonly after: EmitCursor
  readonly levels: readonly string[]
  readonly limit: number
}

export interface ViewStore {
  /** Undefined while it is unfinished. Throws `run_not_found`, also for a run that was deleted. */
  findFinished(id: string): Promise<FinishedRun | undefined>
  listEmitted(id: string, after: EmitCursor, limit: number): Promise<EmittedRow[]>
  /** In the order they were said, over all attempts and generations. */
  listLogs(id: string, page: LogPage): Promise<LogRow[]>
  findRun(id: string): Promise<RunView | undefined>
  /** Throws `run_not_found` when there is no run of the id `after`. */
  listRuns(page: RunPage): Promise<RunView[]>
  listEntities(page: EntityPage): Promise<EntityView[]>
  /** What failed for good, by fingerprint, the latest first. */
  listDead(filter: DeadPage): Promise<DeadGroup[]>
  listSteps(id: string): Promise<StepView[]>
  /** What an unfinished run waits for, the earliest time first, but not that it was set aside; limiters by their names. */
  listWaits(id: string): Promise<WaitRecord[]>
  /** What became of all runs of a definition that ever ended, of all its versions; empty for a name without any. */
  countEnded(name: string): Promise<EndedRuns[]>
  /** The failed attempts of all generations, in the order in which they ended. */
  listAttempts(id: string): Promise<AttemptView[]>
}
