// The one seam to what is durable: the engine speaks these words, and each store keeps them.
import type { TroupeError } from '../lib/errors.ts'
import type { RunOutcome } from '../model/run.ts'
import type { AskStore } from './asks.ts'
import type { CallersStore } from './callers.ts'
import type { CodingStore } from './codings.ts'
import type { AskedOfNode, CancelAnswer, CancelRecord } from './cancels.ts'
import type { DefinitionStore, UpgradeRecord } from './definitions.ts'
import type { Expired, ExpiredRun, Woken } from './due.ts'
import type { EventRecord, EventStore } from './events.ts'
import type { FailureStore } from './failures.ts'
import type { HealthStore } from './health.ts'
import type { InvestigationStore } from './investigations.ts'
import type { NodeStore } from './nodes.ts'
import type { OperatingStore } from './operating.ts'
import type { RepairStore } from './repairs.ts'
import type { RetentionStore } from './retention.ts'
import type { ChildRecord, JoinedChild, Started, StartRecord } from './start.ts'
import type { DropRecord, EmitRecord, LogRecord, ProgressRecord, StateRecord } from './speech.ts'
import type { ScheduleStore } from './schedules.ts'
import type { TemplateStore } from './templates.ts'
import type { ViewStore } from './views.ts'
import type {
  Awaiting,
  AwaitingStep,
  CompletionAnswer,
  CompletionRecord,
  ContinueRecord,
  HandledRecord,
  KeepRecord,
  ParkRecord,
  RefusalRecord,
  TellAnswer,
  TellRecord,
  TokenRecord,
  TokenUse,
  TurnRecord,
  WaitRecord,
  WaitStore,
} from './waits.ts'
import type { QueueStore } from './queues.ts'
import type { DecidedEnd, UndoRecord } from './undoing.ts'

/** A run this node holds: who may write to it. Every write of an activation carries the same object. */
export interface Held {
  readonly runId: number
  readonly generation: number
  readonly epoch: number
}

/** One remembered step. */
export interface StepRecord {
  readonly held: Held
  readonly path: string
  readonly seq: number
  readonly kind: StepKind
  readonly attempt: number
  readonly isError: boolean
  /** Encoded value, or an error record as JSON. */
  readonly value: string
  readonly startedAt: number
  readonly finishedAt: number
  /** The number of the message it received, which is then forgotten. */
  readonly message?: number | undefined
  /** The number of what it begins to answer, or answers. */
  readonly ask?: number | undefined
  /** It may have tokens, which mean nothing any more. */
  readonly hadToken?: boolean | undefined
  /** It can be undone. */
  readonly hasUndo?: boolean | undefined
  /** It was waited for, and that was kept. */
  readonly hadWait?: boolean | undefined
  /** What is published with it. */
  readonly events?: readonly EventRecord[] | undefined
}

/** `child`: a run it started; its value is the id of that. `result`: the end of a run it waited for; `value`: what is another each time, as a random number; `loop`: the newest state of one; `patch`: the code has been changed here since; `undo`: a step that was undone; `tx`: one that was done in a transaction; `ask`: what it was asked; `answer`: what it answered. */
export type StepKind =
  | 'ask'
  | 'answer'
  | 'step'
  | 'sleep'
  | 'receive'
  | 'child'
  | 'result'
  | 'value'
  | 'loop'
  | 'patch'
  | 'undo'
  | 'tx'

/** One attempt that failed; an empty path is the run itself. */
export interface AttemptRecord {
  readonly held: Held
  readonly path: string
  readonly attempt: number
  /** An error record as JSON. */
  readonly error: string
  readonly startedAt: number
  readonly finishedAt: number
  /** As in a step. */
  readonly hadToken?: boolean | undefined
  readonly events?: readonly EventRecord[] | undefined
}

/** The end of a run. */
export interface SettleRecord {
  readonly held: Held
  readonly outcome: RunOutcome
  /** Of the error; null when it succeeded, or failed with an error that has none. */
  readonly code: string | null
  /** Of the error of a run that failed; null otherwise. */
  readonly fingerprint: string | null
  readonly attempt: number
  /** Encoded output, or an error record as JSON. */
  readonly value: string
  /** It may have rows in `wait`. */
  readonly hadWaits: boolean
  /** It failed, and its definition wants to be told. */
  readonly isTold?: boolean | undefined
  readonly token?: TokenUse | undefined
}

/** The run itself failed and is tried again later. */
export interface RetryRecord {
  readonly held: Held
  readonly attempt: number
  readonly dueAt: number
  readonly token?: TokenUse | undefined
}

export interface ClaimRequest {
  /** Asked in this order until there are enough. */
  readonly queueIds: readonly number[]
  /** The ids of those that alone may come, whatever queue they are in; all that the queues have unless told. */
  readonly only?: readonly string[] | undefined
  /** Only runs of these definitions: a run whose code is missing stays ready. */
  readonly definitionIds: readonly number[]
  readonly want: number
  /** How many of them begin at once; the others wait for an actor of the node, and until they begin its death is no delivery of theirs. */
  readonly begins: number
  /** How many slots this asker has filled before: each eighth goes to the oldest run of its queue. */
  readonly taken: number
  /** Runs that were delivered more often are left. */
  readonly mostDeliveries: number
}

/** A run that came to this node, with everything needed to perform it. */
export interface Claimed {
  readonly held: Held
  readonly id: string
  readonly definitionId: number
  readonly input: string
  readonly attempt: number
  readonly deliveries: number
  /** It counts as begun from the claim on. */
  readonly hasBegun: boolean
  /** When it was started, or was last tried again by a person. */
  readonly createdAt: number
  /** When its first activation since then began. */
  readonly startedAt: number
  readonly deadlineAt: number | null
  /** Set while nobody has run it: it is not to begin any more then. */
  readonly expiresAt: number | null
  readonly correlationId: string | null
  /** How many runs above it started one another; 0 for one that no run started. */
  readonly depth: number
  /** As in its start. */
  readonly retry: string | null
  readonly isUnchecked: boolean
  /** Its tick, when a schedule started it; the time it was asked for when that was done by hand. */
  readonly scheduledAt: number | null
  /** Set when it undoes what it did, and then ends like this. */
  readonly undoing: DecidedEnd | undefined
  readonly steps: readonly RememberedStep[]
  /** Of one that undoes: what it does not remember any more, and did in the generations before, in order. Its code is led by that to what it has to undo. */
  readonly formerSteps: readonly RememberedStep[] | undefined
  readonly failedAttempts: readonly RememberedAttempt[]
  /** Undefined in its first generation. */
  readonly lives: Lives | undefined
  readonly waits: readonly WaitRecord[]
  readonly states: readonly RememberedState[]
  /** Set when its attempt has done its part and waits for somebody to finish it. */
  readonly awaiting: Awaiting | undefined
  /** Its steps that wait for somebody to finish them. */
  readonly awaitingSteps: readonly AwaitingStep[]
  /** Why it cannot be read here with what a step failed; all else that cannot be read says so in its place. */
  readonly unread?: TroupeError | undefined
}

/** What sets apart what a run does anew from what it did before, by generations. */
export interface Lives {
  /** The one in which it last began anew with another input; the first unless it did. */
  readonly run: number
  /** Those that followed when steps were undone, by their paths. */
  readonly steps: ReadonlyMap<string, number>
}

export interface RememberedState {
  readonly key: string
  readonly value: string
}

export interface RememberedStep {
  readonly path: string
  readonly seq: number
  readonly kind: StepKind
  readonly isError: boolean
  readonly value: string
  /** It can be undone. */
  readonly hasUndo?: boolean | undefined
  /** It was resolved by hand, and can be undone if its code says how. */
  readonly isByHand?: boolean | undefined
}

export interface RememberedAttempt {
  readonly path: string
  readonly failed: number
  readonly firstStartedAt: number
}

/** Everything a node wants written at one time. Arrays are in the order they were asked for. */
export interface Batch {
  readonly nodeId: number
  /** Rises by one with each batch; the same number again is the same batch again. */
  readonly seq: number
  readonly starts: readonly StartRecord[]
  readonly waits: readonly KeepRecord[]
  readonly steps: readonly StepRecord[]
  readonly children: readonly ChildRecord[]
  readonly turns: readonly TurnRecord[]
  readonly attempts: readonly AttemptRecord[]
  readonly emits: readonly EmitRecord[]
  readonly drops: readonly DropRecord[]
  readonly logs: readonly LogRecord[]
  readonly progress: readonly ProgressRecord[]
  readonly states: readonly StateRecord[]
  readonly tokens: readonly TokenRecord[]
  readonly refusals: readonly RefusalRecord[]
  readonly handled: readonly HandledRecord[]
  /** Runs that begin and were claimed ahead. */
  readonly begins: readonly { readonly held: Held; readonly at: number }[]
  readonly settles: readonly SettleRecord[]
  readonly undoes: readonly UndoRecord[]
  readonly retries: readonly RetryRecord[]
  readonly parks: readonly ParkRecord[]
  readonly continues: readonly ContinueRecord[]
  readonly upgrades: readonly UpgradeRecord[]
  readonly releases: readonly Held[]
  readonly completions: readonly CompletionRecord[]
  readonly tells: readonly TellRecord[]
  readonly cancels: readonly CancelRecord[]
  readonly claims: readonly ClaimRequest[]
}

export interface Committed extends AskedOfNode {
  /** This node was declared dead: nothing of the batch was written. */
  readonly isNodeLost: boolean
  /** Runs whose writes were refused, because they are not this node's any more. */
  readonly lost: ReadonlySet<Held>
  /** One for each start, in order. */
  readonly started: readonly Started[]
  /** Of children whose key another run had: what is remembered of them, by the id that was given. */
  readonly joined: ReadonlyMap<string, JoinedChild>
  /** One for each message, in order. */
  readonly tells: readonly TellAnswer[]
  /** The ids of runs that are performed somewhere and were told or asked something; a hint. */
  readonly told: readonly string[]
  /** One for each completion, in order. */
  readonly completions: readonly CompletionAnswer[]
  /** One for each cancel, in order. */
  readonly cancels: readonly CancelAnswer[]
  /** How many runs became ready because what they wait for is there, or has ended. */
  readonly woken: number
  /** One list for each claim, in order. */
  readonly claimed: readonly (readonly Claimed[])[]
  /** One for each claim: whether it left a run behind that must be claimed alone, or that passes its limiters once somebody is free for it. */
  readonly heldBack: readonly boolean[]
  /** From when on a limiter lets somebody pass who could not before; now or earlier for at once, null for nobody. */
  readonly opensAt: number | null
  /** Children of runs that have ended are yet to end: `wakeRuns` does that, some at a time. */
  readonly isMoreToEnd: boolean
}

export interface FinishedRun {
  readonly outcome: RunOutcome
  readonly value: string
}

export interface EmitCursor {
  readonly epoch: number
  readonly n: number
}

export interface EmittedRow extends EmitCursor {
  readonly value: string
}

export interface Store extends NodeStore, RepairStore, WaitStore, QueueStore, ViewStore, HealthStore {
  /** Where it is, for messages to people. */
  readonly location: string

  readonly schedules: ScheduleStore

  readonly failures: FailureStore

  readonly definitions: DefinitionStore

  readonly asks: AskStore

  readonly events: EventStore

  readonly callers: CallersStore

  readonly codings: CodingStore

  readonly operating: OperatingStore

  readonly investigations: InvestigationStore

  readonly retention: RetentionStore

  readonly templates: TemplateStore

  /** Wall time as the store sees it; never goes back and never stands still. All that decides anything is measured by it. */
  now(): number

  /** Writes a batch as one transaction, or nothing of it. */
  commit(batch: Batch): Promise<Committed>

  /** Gives a definition or queue name its number, the same on every node. */
  internDefinition(name: string, version: string): Promise<number>
  internQueue(name: string): Promise<number>

  /** Fails ready runs whose time is up, each with an error record in JSON. */
  expireRuns(limit: number, valueOf: (run: ExpiredRun) => string): Promise<Expired[]>

  /** Makes ready what is due, at most `limit` runs, and ends some of what is to end with its parent. */
  wakeRuns(limit: number): Promise<Woken>

  /** A number that differs after another connection has written, or when it cannot be read; a hint, never the only way to learn something. Never throws. */
  changeCount(): number
  /**
   * Tells when somebody may have written, this process or another, until what is returned is called. A hint, as above.
   * Undefined where nobody can say, and where to watch for it costs more than to look as long as others wrote within the last `quietMs`.
   */
  whenWritten(written: () => void, quietMs: number): (() => void) | undefined

  /** What is still waiting for its turn fails with `engine_stopped`, and so does what is asked from now on. */
  close(): Promise<void>
}
