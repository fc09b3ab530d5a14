// What an activation stands in: the node it is on, or what stands for one.
import type { LogLevel } from '../../lib/log.ts'
import type { Difference, DivergencePolicy, JournalPlace } from '../../model/divergence.ts'
import type { FinishedRun } from '../../store/store.ts'
import type { Activation } from './activation.ts'
import type { Counts } from '../counts.ts'
import type { AnyDefinition } from '../definition/definition.ts'
import type { Deps } from '../deps.ts'
import type { DroppedEvent, NewEvent } from '../events/events.ts'
import type { RunLogLevel } from './speech.ts'
import type { Post } from '../mailboxes/post.ts'
import type { DraftStart } from '../starts.ts'
import type { Failure } from '../failures/failures.ts'
import type { LimiterRule } from '../limits/limits.ts'
import type { VisitHost } from '../limits/slots.ts'
import type { EncodeInput } from '../verbs/starting.ts'
import type { Task } from '../pool/task.ts'
import type { Threads } from '../pool/threads.ts'
import type { Watch } from '../watch/watch.ts'
import type { Write } from '../writes.ts'

/** What an activation needs of the node it is on. */
export interface Surroundings {
  readonly deps: Deps
  readonly maxValueBytes: number
  readonly encodeInput: EncodeInput
  readonly config: Readonly<Record<string, unknown>>
  readonly environment: string
  readonly logLevel: LogLevel
  /** For definitions that do not say. */
  readonly divergence: DivergencePolicy
  /** Its code is only led through its journal, and nothing is begun. */
  readonly rehearsing?: Rehearsing
  /** The definitions and limiters of this process, by name. */
  readonly known: Known
  readonly counts: Counts
  readonly threads: Threads
  readonly scripts: ScriptRunner
  readonly slots: VisitHost
  readonly watch: Watch
  readonly post: Post
  /** What is to be written to start a run. */
  readonly draft: DraftStart
  /** No actor is free for another run made of steps. */
  readonly isFull: () => boolean
  write(write: Write): void
  /** Executes an attempt on a task actor as soon as one is free. */
  execute(task: Task): void
  /** The run is over on this node, in whatever way. */
  ended(activation: Activation): void
  /** A run has failed for good: tells people when nobody waits for its result. */
  failed(failure: Failure): void
  /** A run has ended, and how, or has said something: whoever watches it wants to know. */
  heard(id: string, finished?: FinishedRun): void
  /** The store refused to write for a run that somebody may be waiting for. */
  troubled(id: string, error: Error): void
  readonly events: EventsOfRuns
  /** A run of this node has started another. */
  startedByRun(id: string): void
  /** Something of this node is due then. */
  dueAt(at: number): void
}

/** What is told of events of the runs of this node. */
export interface EventsOfRuns {
  /** It is durable, as far as it is to be. */
  published(event: NewEvent): void
  /** It is not published, as it cannot be. */
  dropped(dropped: DroppedEvent): void
}

/** What performs scripts that nobody trusts. */
export interface ScriptRunner {
  run(script: string, request: ScriptRequest): Promise<unknown>
  close(): Promise<void>
}

export interface ScriptRequest {
  /** The values that the script finds, by name. */
  readonly globals: Readonly<Record<string, unknown>>
  /** The time in it. */
  readonly now: number
  readonly seed: string
  readonly timeoutMs: number | undefined
  readonly memoryBytes: number | undefined
  readonly signal: AbortSignal
  /** Where it stands in a file. */
  readonly from: { readonly file: string; readonly line: number } | undefined
  /** Called for each line that it said. */
  readonly onLine: (line: { readonly level: RunLogLevel; readonly text: string }) => void
}

/** What a name stands for in this process; undefined for what is elsewhere, or nowhere. */
export interface Known {
  definition(name: string): AnyDefinition | undefined
  limiter(name: string): LimiterRule | undefined
  /** The number of a limiter, the same on every node. Throws `definition_invalid` when another of its name has other bounds. */
  useLimiter(rule: LimiterRule): Promise<number>
  /** Why nothing can be done by a name that stands for nothing. */
  missing(name: string): Error
}

/** Told where a rehearsal comes to its end. */
export interface Rehearsing {
  /** The code asks for something that the journal does not hold, after all that it holds. */
  asked(asked: JournalPlace): void
  /** `isFinal`: whatever the policy says, it does not go on. */
  found(difference: Difference, isFinal?: boolean): void
  /** The code does not say how to undo what it did once. */
  lacksUndo(path: string): void
  /** The run is led on as one of the version that takes it over; false when there is nothing to be led through. */
  takenOver(): boolean
}

/** The moving part of a run that is made of steps. */
export interface Performance {
  /** Starts nothing more, and gives the run back once nothing executes. */
  drain(): void
  /** Something was told to the run, asked of it, or came for a step of it. */
  mailed?(): void
  /** The run is over here: tells what executes to stop, and why when it was cut short. */
  over(reason: Error | undefined): void
}
