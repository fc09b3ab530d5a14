// One stay of a run on this node: what it is, how it is performed, and how it ends.
import type { Timer } from '../lib/clock.ts'
import { decode, encode } from '../lib/codec.ts'
import { toErrorRecord } from '../lib/error-record.ts'
import { toError } from '../lib/errors.ts'
import { engineStopped, leaseLost, runCancelled, runDeadlinePassed, workerTimedOut } from '../model/errors.ts'
import type { RunOutcome } from '../model/run.ts'
import type { Claimed, FinishedRun, Held, WaitRecord } from '../store/store.ts'
import { storedTime } from './call.ts'
import type { AnyDefinition } from './definition.ts'
import type { Deps } from './deps.ts'
import { againText, nextAttempt } from './next-attempt.ts'
import { Speech } from './speech.ts'
import type { AttemptResult, Task } from './task.ts'
import { HeldWrite, ReleaseWrite, type HeldRecord, type Write, type WriteOwner } from './writes.ts'

/** What an activation needs of the node it is on. */
export interface Surroundings {
  readonly deps: Deps
  readonly maxValueBytes: number
  readonly config: Readonly<Record<string, unknown>>
  readonly environment: string
  write(write: Write): void
  /** Executes an attempt on a task actor as soon as one is free. */
  execute(task: Task): void
  /** The run is over on this node, in whatever way. */
  ended(activation: Activation): void
  /** A run has ended, and how, or has said something: whoever watches it wants to know. */
  heard(id: string, finished?: FinishedRun): void
  /** The store refused to write for a run that somebody may be waiting for. */
  troubled(id: string, error: Error): void
  /** Something of this node is due then. */
  dueAt(at: number): void
}

/** Finished, set aside, to be tried again, given back, or not ours any more. */
type Ending = RunOutcome | 'parked' | 'retried' | 'released' | 'lost'

/** The moving part of a run that is made of steps. */
export interface Performance {
  /** Starts nothing more, and gives the run back once nothing executes. */
  drain(): void
  /** The run is over here: tells what executes to stop, and why when it was cut short. */
  over(reason: Error | undefined): void
}

/**
 * The in-memory side of a run while this node holds it.
 *
 * Its end is decided once and then made durable; from the decision on it is inert: nothing else is written.
 */
export class Activation implements Task, WriteOwner {
  readonly claimed: Claimed
  readonly definition: AnyDefinition
  readonly speech: Speech
  readonly #around: Surroundings
  readonly #startedAt: number
  abandon: (() => void) | undefined
  #performance: Performance | undefined
  #abort: AbortController | undefined
  #deadline: Timer | undefined
  #ending: Ending | undefined
  #isDraining = false
  // When it goes on by itself: told once that is durable, or a timer could come before it.
  #dueAt: number | undefined
  #outcome: FinishedRun | undefined

  constructor(claimed: Claimed, definition: AnyDefinition, around: Surroundings) {
    this.claimed = claimed
    this.definition = definition
    this.#around = around
    this.#startedAt = around.deps.store.now()
    this.speech = new Speech(this, around)
  }

  get deps(): Deps {
    return this.#around.deps
  }

  get around(): Surroundings {
    return this.#around
  }

  get held(): Held {
    return this.claimed.held
  }

  get isOver(): boolean {
    return this.#ending !== undefined
  }

  /** Aborted when the run is cut short. */
  get signal(): AbortSignal {
    // Made on first use: most code never asks for it, and making one costs more than a step.
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  get timeoutMs(): number | undefined {
    return this.definition.settings.timeoutMs
  }

  attach(performance: Performance): void {
    this.#performance = performance
    if (this.#isDraining) performance.drain()
  }

  /** Starts the clock of the whole run; false when its time was up before it came here. */
  begin(): boolean {
    const { deadlineAt } = this.claimed
    if (deadlineAt === null) return true
    const leftMs = deadlineAt - this.deps.store.now()
    if (leftMs > 0) this.#deadline = this.deps.clock.after(leftMs, () => this.#missDeadline(), { background: true })
    else this.#missDeadline()
    return leftMs > 0
  }

  run(): Promise<unknown> {
    return this.definition.perform(this, decode(this.claimed.input))
  }

  timeOut(): Error {
    return workerTimedOut(this.definition.name, this.timeoutMs ?? 0)
  }

  /** Settles the run by what its code did: succeeded, failed, or to be tried again. */
  attempted(result: AttemptResult): void {
    if (this.isOver) return
    if (result.isError) return this.#failOrRetry(result.error)
    try {
      const value = encode(result.value, { maxBytes: this.#around.maxValueBytes, what: 'result' })
      this.#settle('succeeded', value)
    } catch (error) {
      // The code did its work; trying again would do it twice and fail the same way.
      const unstorable = toError(error)
      this.#settle('failed', errorText(unstorable), unstorable)
    }
  }

  /** Ends the run as cancelled; whatever it is doing is told through its signal. */
  cancel(reason: string): void {
    if (this.isOver) return
    const error = runCancelled(this.definition.name, this.claimed.id, reason)
    this.#settle('cancelled', errorText(error), error)
  }

  /** Sets the run aside until the earliest of its waits, or only keeps their times when it has something to do at once. */
  park(waits: readonly WaitRecord[], isReady = false): void {
    if (this.isOver) return
    const { deadlineAt } = this.claimed
    const earliest = isReady ? this.deps.store.now() : Math.min(...waits.map((wait) => wait.dueAt))
    const dueAt = Math.min(earliest, deadlineAt ?? Infinity)
    this.#decide('parked', undefined)
    this.#dueAt = dueAt
    this.write(this, [{ list: 'parks', record: { held: this.held, waits, dueAt } }])
  }

  /** Lets a run made of steps come to rest and gives it back; a plain worker goes on to its end. */
  drain(): void {
    this.#isDraining = true
    this.#performance?.drain()
  }

  /** Gives the run back: another activation goes on from its journal. */
  release(): void {
    if (this.isOver) return
    this.#decide('released', engineStopped())
    this.#around.write(new ReleaseWrite(this.held, () => this.#end()))
  }

  /** Writes for this run, in order, in one batch. */
  write(owner: WriteOwner, records: readonly HeldRecord[]): void {
    this.#around.write(new HeldWrite(owner, this.held, records))
  }

  // What became of the end of the run.

  written(): void {
    this.#end()
    if (this.#dueAt !== undefined) this.#around.dueAt(this.#dueAt)
    this.#around.heard(this.claimed.id, this.#outcome)
  }

  /** The run is another node's now. */
  lost(): void {
    if (this.#ending !== 'lost') this.deps.log.warn({ run: this.claimed.id }, 'a run was taken over by another node')
    this.#giveUp()
  }

  #giveUp(): void {
    if (this.#ending === 'lost') return
    this.#decide('lost', leaseLost(this.claimed.id))
    this.#end()
  }

  /** The store could not write: the run is given up here and found again once the store works. */
  writeFailed(error: Error): void {
    this.deps.log.error({ run: this.claimed.id, err: error }, 'a run was set aside because the store cannot write')
    this.#around.troubled(this.claimed.id, error)
    this.#giveUp()
  }

  #missDeadline(): void {
    if (this.isOver) return
    const error = runDeadlinePassed()
    this.#settle('failed', errorText(error), error)
  }

  #failOrRetry(thrown: Error): void {
    const { retry } = this.definition.settings
    const { claimed, held } = this
    const first = claimed.failedAttempts.find(({ path }) => path === '')
    const now = this.deps.store.now()
    const elapsedMs = now - (first?.firstStartedAt ?? this.#startedAt)
    const failed = { error: thrown, failedAttempts: claimed.attempt, elapsedMs }
    const { error, delayMs } = nextAttempt(retry, failed, () => this.deps.ids.random())
    const text = errorText(error)
    if (delayMs === undefined) return this.#settle('failed', text, error)
    const dueAt = Math.min(storedTime(now + delayMs), claimed.deadlineAt ?? Infinity)
    this.#decide('retried', error)
    this.#dueAt = dueAt
    const attempt = {
      held,
      path: '',
      attempt: claimed.attempt,
      error: text,
      startedAt: this.#startedAt,
      finishedAt: now,
    }
    const again = { held, attempt: claimed.attempt + 1, dueAt }
    this.write(this, [
      { list: 'attempts', record: attempt },
      { list: 'retries', record: again },
    ])
    const { name, runsOn } = this.definition
    const what = `${runsOn === 'workflow' ? 'workflow' : 'worker'} '${name}'`
    const news = { what, attempt: claimed.attempt, attempts: retry.attempts, error, delayMs }
    this.deps.log.info({ run: claimed.id, attempt: claimed.attempt }, againText(news))
  }

  #settle(outcome: RunOutcome, value: string, reason?: Error): void {
    this.deps.failpoint('settle:before')
    this.#decide(outcome, reason)
    const { held, claimed } = this
    const hadWaits = claimed.waits.length > 0
    this.#outcome = { outcome, value }
    const record = { held, outcome, attempt: claimed.attempt, value, startedAt: claimed.startedAt, hadWaits }
    this.write(this, [{ list: 'settles', record }])
  }

  #decide(ending: Ending, reason: Error | undefined): void {
    this.#ending = ending
    this.#deadline?.cancel()
    this.abandon?.()
    this.#performance?.over(reason)
    if (reason !== undefined) this.#abort?.abort(reason)
  }

  #end(): void {
    this.#around.ended(this)
  }
}

function errorText(error: Error): string {
  return JSON.stringify(toErrorRecord(error))
}
