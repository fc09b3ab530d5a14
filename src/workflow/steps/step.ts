// One step on its way to the journal: attempts, pauses between them, and the record of how it ended.
import { storedTime } from '../../engine/verbs/call.ts'
import { errorText } from '../../engine/error-text.ts'
import { againText } from '../../engine/failures/failures.ts'
import { nextAttempt } from '../../engine/activation/next-attempt.ts'
import type { KeyedLimiter } from '../../engine/limits/slots.ts'
import type { AttemptResult, Task } from '../../engine/pool/task.ts'
import { Token } from '../../engine/activation/token.ts'
import { valueSize } from '../../engine/value-size.ts'
import type { HeldRecord } from '../../engine/writes.ts'
import { keptOf } from '../../engine/events/events.ts'
import { decodeError, encode } from '../../lib/codec.ts'
import { toError } from '../../lib/errors.ts'
import { reviveError } from '../../model/error-classes.ts'
import { undonePath } from '../../model/path.ts'
import { stepTimedOut } from '../../model/time-errors.ts'
import type { RetryPolicy } from '../../model/retry.ts'
import type { Claimed, RememberedAttempt, RememberedStep } from '../../store/store.ts'
import { Snoozed } from './snoozed.ts'
import { published, StepRecorder, type RecordOwner } from './step-recorder.ts'
import { CommittedStep } from '../tx/tx.ts'
import type { UndoRules } from '../undoing/undo-options.ts'
import type { AwaitingStep, CompletionResult, WaitRecord } from '../../store/waits.ts'

/** What a step's function is given. */
export interface StepContext {
  /** Aborted when the attempt times out or the run is cut short. */
  readonly signal: AbortSignal
  /**
   * The same for every attempt of this step of this run: pass it to the outside world to make a repetition harmless.
   * Another one once the step was undone and is done again, and after `ctx.continueAsNew`.
   */
  readonly idempotencyKey: string
  /** The first is 1. */
  readonly attempt: number
  /**
   * A token with which anybody finishes the step, by `troupe.complete(token, output)` or `fail`, also long after its function has returned, whose value then means
   * nothing. The run waits without an actor; the step's `timeout` counts from the beginning of the attempt until it is finished. Saves: the token, by its hash.
   */
  later(): Promise<string>
}

export interface StepSpec {
  readonly path: string
  readonly fn: (step: StepContext, path: string) => unknown
  readonly retry: RetryPolicy
  readonly timeoutMs: number | undefined
  /** What each attempt has to pass. */
  readonly limits: readonly KeyedLimiter[]
  /** How what it did is undone. */
  readonly undo?: UndoRules | undefined
  /** A step unless told. */
  readonly kind?: 'undo' | 'tx'
  /** When nobody with its token has finished it in its time, it has succeeded with null. */
  readonly canLapse?: boolean
  /** What is written in the commit that remembers its success. */
  readonly beside?: (() => readonly HeldRecord[]) | undefined
}

/** What a step under way needs of the run it belongs to. */
export interface StepOwner extends RecordOwner {
  execute(step: StepExecution): void
  pause(wait: WaitRecord, due: () => void): void
  /** It waits for whoever has its token. */
  await(step: StepExecution, wait: WaitRecord): void
  /** An attempt has ended: what it had of limiters is free. */
  attempted(path: string): void
}

/** One step being executed. */
export class StepExecution implements Task {
  readonly #owner: StepOwner
  readonly #spec: StepSpec
  abandon: (() => void) | undefined
  readonly closing = undefined
  #attempt: StepAttempt | undefined
  #failedAttempts: number
  #firstStartedAt: number | undefined
  #startedAt = 0
  #token: Token | undefined
  #hadToken = false

  constructor(owner: StepOwner, spec: StepSpec, remembered: RememberedAttempt | undefined) {
    this.#owner = owner
    this.#spec = spec
    this.#failedAttempts = remembered?.failed ?? 0
    this.#firstStartedAt = remembered?.firstStartedAt
  }

  get timeoutMs(): number | undefined {
    return this.#spec.timeoutMs
  }

  get isOver(): boolean {
    return this.#owner.activation.isOver
  }

  get path(): string {
    return this.#spec.path
  }

  /** When its attempt began. */
  get startedAt(): number {
    return this.#startedAt
  }

  get limits(): readonly KeyedLimiter[] {
    return this.#spec.limits
  }

  run(): unknown {
    const { failpoint, store } = this.#owner.activation.deps
    failpoint('step:before', this.#spec.path)
    this.#startedAt = store.now()
    this.#firstStartedAt ??= this.#startedAt
    this.#token = undefined
    return this.#perform()
  }

  #perform(): unknown {
    const { deps, claimed, definition } = this.#owner.activation
    const { fn, path } = this.#spec
    const context = (this.#attempt = new StepAttempt(this, keyOf(claimed, this.#spec), this.#failedAttempts + 1))
    if (deps.performStep === undefined) return fn(context, path)
    return deps.performStep({ runId: claimed.id, definition: definition.name, path, context }, () => fn(context, path))
  }

  timeOut(): Error {
    const error = stepTimedOut(this.#spec.path, this.#spec.timeoutMs ?? 0)
    this.#attempt?.abort(error)
    return error
  }

  /** The run is over here: the function is told, and what it still does is ignored. */
  over(reason: Error): void {
    this.#attempt?.abort(reason)
    this.abandon?.()
  }

  /** Fails for good without an attempt. */
  refuse(error: Error): void {
    this.#startedAt = this.#owner.activation.deps.store.now()
    this.#record(true, errorText(error))
  }

  /** Goes on with what a former activation waited for: what came, or what is still to come. */
  resume(wait: WaitRecord, { startedAt, result }: AwaitingStep): void {
    this.#startedAt = startedAt
    this.#firstStartedAt ??= startedAt
    this.#hadToken = true
    if (result === null) this.#owner.await(this, wait)
    else this.completed(result)
  }

  /** Somebody with its token has finished it. */
  completed({ isError, value }: CompletionResult): void {
    if (isError) this.#failed(decodeError(value, reviveError))
    else this.#record(false, value)
  }

  /** Nobody has, in its time. */
  late(): void {
    if (this.#spec.canLapse === true) this.#record(false, encode(null))
    else this.#failed(this.timeOut())
  }

  attempted(result: AttemptResult): void {
    const { activation } = this.#owner
    this.#owner.attempted(this.#spec.path)
    if (activation.isOver) return
    activation.deps.failpoint('step:after', this.#spec.path)
    if (result.isError) return this.#failed(result.error)
    if (result.value instanceof CommittedStep) return this.#committed(result.value.step)
    if (this.#token !== undefined) return this.#waitForToken()
    try {
      const what = `result of step '${this.#spec.path}'`
      this.#record(false, encode(result.value, valueSize(activation.around.maxValueBytes, what)))
    } catch (error) {
      // The function did its work; trying again would do it twice and fail the same way.
      this.#record(true, errorText(toError(error)))
    }
  }

  /** It was recorded by its own function. */
  #committed(step: RememberedStep): void {
    if (step.hasUndo === true) this.#owner.activation.hasUndo = true
    this.#count(false, this.#owner.activation.deps.store.now())
    this.#owner.recorded(step)
  }

  #failed(thrown: Error): void {
    this.#attempt?.end()
    if (thrown instanceof Snoozed) return this.#snooze(thrown.delayMs)
    const { store, ids } = this.#owner.activation.deps
    const failedAttempts = this.#failedAttempts + 1
    const now = store.now()
    this.#count(true, now)
    const elapsedMs = now - (this.#firstStartedAt ?? now)
    const failed = { error: thrown, failedAttempts, elapsedMs }
    const { error, delayMs } = nextAttempt(this.#spec.retry, failed, () => ids.random())
    if (delayMs === undefined) return this.#record(true, errorText(error))
    this.#backOff(error, storedTime(now + delayMs))
    this.#tell(error, delayMs)
  }

  #count(isError: boolean, now: number): void {
    this.#owner.activation.around.counts.steps.ended(isError, now - this.#startedAt)
  }

  #tell(error: Error, delayMs: number): void {
    const { deps, claimed } = this.#owner.activation
    const { path, retry } = this.#spec
    const news = { what: `step '${path}'`, attempt: this.#failedAttempts, attempts: retry.attempts, error, delayMs }
    deps.log.info({ run: claimed.id, step: path, attempt: news.attempt }, againText(news))
  }

  #snooze(delayMs: number): void {
    const dueAt = storedTime(this.#owner.activation.deps.store.now() + delayMs)
    const wait: WaitRecord = { path: this.#spec.path, kind: 'backoff', name: null, dueAt }
    this.#owner.pause(wait, () => this.#owner.execute(this))
  }

  /** The failed attempt is written before anything waits. */
  #backOff(error: Error, dueAt: number): void {
    const { activation } = this.#owner
    const attempt = (this.#failedAttempts += 1)
    const { path } = this.#spec
    const value = errorText(error)
    const events = this.#owner.eventsAt?.(path, { isError: true, value, attempt, isTriedAgain: true })
    const record = {
      held: activation.held,
      path,
      attempt,
      error: value,
      startedAt: this.#startedAt,
      finishedAt: activation.deps.store.now(),
      hadToken: this.#hadToken,
      events: keptOf(events),
    }
    const wait: WaitRecord = { path, kind: 'backoff', name: null, dueAt }
    const written = (): void => {
      published(activation, events)
      this.#owner.pause(wait, () => this.#owner.execute(this))
    }
    activation.write({ written }, [{ list: 'attempts', record }])
  }

  #record(isError: boolean, value: string): void {
    this.#attempt?.end()
    if (!isError) this.#count(false, this.#owner.activation.deps.store.now())
    const { path, kind = 'step', undo } = this.#spec
    const hasUndo = undo !== undefined && !isError
    if (hasUndo) this.#owner.activation.hasUndo = true
    const recorder = new StepRecorder(this.#owner, path, kind)
    recorder.record({
      isError,
      value,
      attempt: this.#failedAttempts + 1,
      startedAt: this.#startedAt,
      hadToken: this.#hadToken,
      hasUndo,
      beside: isError ? undefined : this.#spec.beside?.(),
    })
  }

  /** The token of the attempt under way. */
  later(): Promise<string> {
    const { activation } = this.#owner
    if (activation.isOver) return new Promise(() => {})
    this.#hadToken = activation.hasStepTokens = true
    const attempt = { path: this.#spec.path, startedAt: this.#startedAt, timeoutAt: this.#timeoutAt, heartbeatMs: null }
    return (this.#token ??= new Token(activation, attempt)).given
  }

  #waitForToken(): void {
    const wait: WaitRecord = { path: this.#spec.path, kind: 'completion', name: null, dueAt: this.#timeoutAt }
    this.#owner.await(this, wait)
  }

  get #timeoutAt(): number | null {
    const { timeoutMs } = this.#spec
    return timeoutMs === undefined ? null : storedTime(this.#startedAt + timeoutMs)
  }
}

/** What was undone, and what was done with another input, was done: what is done since has another key. */
function keyOf({ id, lives }: Pick<Claimed, 'id' | 'lives'>, { path, kind }: Pick<StepSpec, 'path' | 'kind'>): string {
  if (lives === undefined) return `${id}/${path}`
  const life = Math.max(lives.run, lives.steps.get(kind === 'undo' ? undonePath(path) : path) ?? 1)
  return life === 1 ? `${id}/${path}` : `${id}#${life}/${path}`
}

/** What the function of a step is given for one attempt. */
class StepAttempt implements StepContext {
  readonly #execution: StepExecution
  readonly idempotencyKey: string
  readonly attempt: number
  // Made when it is asked for.
  #abort: AbortController | undefined
  #hasEnded = false

  constructor(execution: StepExecution, idempotencyKey: string, attempt: number) {
    this.#execution = execution
    this.idempotencyKey = idempotencyKey
    this.attempt = attempt
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  // A function of its own: code may take it out of the context.
  get later(): () => Promise<string> {
    return () => (this.#hasEnded ? new Promise(() => {}) : this.#execution.later())
  }

  abort(reason: Error): void {
    this.#abort?.abort(reason)
  }

  /** What its function still does means nothing: it gets no token, least of all that of the next attempt. */
  end(): void {
    this.#hasEnded = true
  }
}
