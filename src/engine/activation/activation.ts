// One stay of a run on this node: what it is, how it is performed, and how it ends.
import type { Timer } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import type { Neighbour } from '../../lib/roster.ts'
import { isThenable } from '../../lib/thenable.ts'
import { engineStopped, leaseLost, optionInvalid, runCancelled } from '../../model/errors.ts'
import { attemptTimeoutOfRun } from '../../model/retry.ts'
import { workerTimedOut } from '../../model/time-errors.ts'
import type { RunOutcome } from '../../model/run.ts'
import type { TokenUse, WaitRecord } from '../../store/waits.ts'
import type { StartRecord } from '../../store/start.ts'
import type { Claimed, FinishedRun, Held } from '../../store/store.ts'
import type { Attempt } from './attempt.ts'
import { storedTime } from '../verbs/call.ts'
import type { Cleanup } from './cleanups.ts'
import { Closing } from './closing.ts'
import type { AnyDefinition } from '../definition/definition.ts'
import type { Deps } from '../deps.ts'
import { deadlineOf } from './deadline.ts'
import { resultText } from './encoded.ts'
import * as endings from './ending.ts'
import { errorText } from '../error-text.ts'
import { earliestOf, goOnWith, Later, useOfTokens } from './later.ts'
import { nextAttemptOfRun } from './next-attempt.ts'
import { silenceOf, type Silence } from './silence.ts'
import type { Performance, Surroundings } from './surroundings.ts'
import { Speech } from './speech.ts'
import { whenBegun, type AttemptResult, type Task } from '../pool/task.ts'
import { performUnchecked } from '../definition/unchecked.ts'
import { leaveUnread, whyUnread } from './unread.ts'
import { BeginWrite, HeldWrite, ReleaseWrite, type HeldRecord, type WriteOwner, type Writer } from '../writes.ts'

/** Finished, to be finished once what it did is undone, set aside, to be tried again, put off, begun anew, given back, or not ours any more. */
type Ending = RunOutcome | 'undoing' | 'parked' | 'retried' | 'snoozed' | 'continued' | 'released' | 'lost'

/**
 * The in-memory side of a run while this node holds it.
 *
 * Its end is decided once; then it cleans up, and then the end is made durable. From the decision on the code of the run is not heard any more,
 * but for what its clean-ups say.
 */
export class Activation implements Attempt, Task, Writer, WriteOwner, Neighbour<Activation> {
  older: Activation | undefined
  younger: Activation | undefined
  claimed: Claimed
  readonly definition: AnyDefinition
  readonly #around: Surroundings
  readonly #startedAt: number
  abandon: (() => void) | undefined
  closing: Promise<void> | undefined
  waitsFor: Promise<void> | undefined
  #code: Promise<unknown> | undefined
  #speech: Speech | undefined
  /** Made when something is left to be done at its end, which is not written before. */
  #closing: Closing | undefined
  #silence: Silence | undefined
  #later: Later | undefined
  #performance: Performance | undefined
  #abort: AbortController | undefined
  #deadline: Timer | undefined
  #ending: Ending | undefined
  #isDraining = false
  #hasBegun = false
  /** Tokens of its steps were given out. */
  hasStepTokens = false
  /** Something it did is to be undone when it does not succeed. */
  hasUndo: boolean
  /** Its waits that are stored though it is not parked, by their paths. */
  keptWaits: Map<string, WaitRecord> | undefined
  /** It was given back before it began, while this node goes on. */
  wasPutBack = false
  // When it goes on by itself: told once that is durable, or a timer could come before it.
  #dueAt: number | undefined
  #outcome: FinishedRun | undefined
  #failure: Error | undefined

  constructor(claimed: Claimed, definition: AnyDefinition, around: Surroundings) {
    this.claimed = claimed
    this.definition = definition
    this.#around = around
    this.hasUndo = claimed.undoing === undefined && claimed.steps.some(({ hasUndo }) => hasUndo === true)
    this.#startedAt = claimed.awaiting?.startedAt ?? around.deps.store.now()
  }

  get deps(): Deps {
    return this.#around.deps
  }

  get around(): Surroundings {
    return this.#around
  }

  get speech(): Speech {
    return (this.#speech ??= new Speech(this, this.#around))
  }

  get held(): Held {
    return this.claimed.held
  }

  get idempotencyKey(): string {
    return this.claimed.id
  }

  get isOver(): boolean {
    return this.#ending !== undefined
  }

  /** Whether what the code says is still written down. */
  get isHeard(): boolean {
    return !this.isOver || (this.#closing?.isUnderWay === true && this.#ending !== 'lost')
  }

  /** Aborted when the run is cut short. */
  get signal(): AbortSignal {
    // Made on first use: most code never asks for it, and making one costs more than a step.
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  get timeoutMs(): number | undefined {
    const { undoing, retry } = this.claimed
    return undoing === undefined ? attemptTimeoutOfRun(this.definition.settings.timeoutMs, retry) : undefined
  }

  /** Something was brought to the run. */
  mail(): void {
    this.#performance?.mailed?.()
  }

  attach(performance: Performance): void {
    this.#performance = performance
    if (this.#isDraining) performance.drain()
  }

  /** Starts the clock of the whole run; false when its time was up before it came here. */
  begin(): boolean {
    // What was accepted in time is not late because nobody was free to take it in.
    if (this.claimed.awaiting?.result?.isError === false) return true
    this.#deadline = deadlineOf(this, (error) => {
      if (!this.isOver) this.#settle('failed', error)
    })
    return !this.isOver
  }

  run(): unknown {
    this.#hasBegun = true
    if (!this.claimed.hasBegun) this.#around.write(new BeginWrite(this, this.deps.store.now()))
    const unread = whyUnread(this.claimed)
    if (unread !== undefined) return leaveUnread(this, unread)
    const { awaiting } = this.claimed
    if (awaiting !== undefined) return goOnWith(this, awaiting)
    const output = this.claimed.isUnchecked ? performUnchecked(this) : this.definition.perform(this)
    if (!isThenable(output)) return output
    this.#code = Promise.resolve(output)
    whenBegun(this, () => this.#listen())
    return this.#code
  }

  /** Runs at the end of the attempt, whichever end it is, before that is durable; at once when the attempt has had its end. */
  defer(cleanup: Cleanup): void {
    this.#closing ??= new Closing(this)
    this.#closing.add(cleanup)
  }

  /** A token with which anyone may finish the run; never given when the attempt has had its end. */
  later(): Promise<string> {
    const { name, settings } = this.definition
    if (!settings.isDurable) throw optionInvalid(`durable of '${name}'`, false, 'true: ctx.later() needs a stored run')
    if (this.isOver) return new Promise(() => {})
    this.#later ??= new Later(this, this.#startedAt)
    return this.#later.token
  }

  /** Whether somebody else finishes the run. */
  get hasToken(): boolean {
    return this.#later !== undefined
  }

  /** The code shows that it lives. */
  beat(): void {
    this.#silence?.beat()
  }

  timeOut(): Error {
    return workerTimedOut(this.definition.name, this.timeoutMs ?? 0)
  }

  /** Settles the run by what its code did: succeeded, failed, or to be tried again. */
  attempted(result: AttemptResult): void {
    if (this.isOver) return
    if (result.isError) return this.#failOrRetry(result.error)
    if (this.#later) return this.park([this.#later.waitFrom(this.deps.store.now())])
    try {
      this.#settle('succeeded', resultText(result.value, this.#around.maxValueBytes))
    } catch (error) {
      // The code did its work; trying again would do it twice and fail the same way.
      this.#settle('failed', toError(error))
    }
  }

  /** Ends the run as cancelled; whatever it is doing is told through its signal. */
  cancel(reason: string, skipsUndo = false): void {
    const { undoing, awaiting, id } = this.claimed
    // Invariant: I11. What somebody told from outside was accepted before, and how a run ends that undoes is decided.
    if (this.isOver || awaiting?.result?.isError === false || (undoing !== undefined && !skipsUndo)) return
    const cancelled = runCancelled(this.definition.name, id, reason)
    if (skipsUndo) this.hasUndo = false
    if (undoing === undefined) this.#settle('cancelled', cancelled)
    else this.undone([cancelled])
  }

  /** What it did is undone, but for what these errors tell: it ends as was decided. */
  undone(errors: readonly Error[]): void {
    const { undoing } = this.claimed
    if (undoing !== undefined && !this.isOver) this.#finish(undoing.outcome, endings.finishAfterUndo(undoing, errors))
  }

  /** Ends this activation and begins the attempt anew after the delay; it counts as none. */
  snooze(delayMs: number): void {
    if (this.isOver) return
    const { attempt, deadlineAt } = this.claimed
    const dueAt = Math.min(storedTime(this.deps.store.now() + delayMs), deadlineAt ?? Infinity)
    this.#close('snoozed', undefined, () => {
      this.#dueAt = dueAt
      this.write(this, [{ list: 'retries', record: { held: this.held, attempt, dueAt, token: this.#tokenUse } }])
    })
  }

  /** Sets the run aside until the earliest of its waits, or only keeps their times and goes on at another. */
  park(waits: readonly WaitRecord[], at?: number): void {
    if (this.isOver) return
    const { deadlineAt } = this.claimed
    const dueAt = earliestOf([...(at === undefined ? waits : [{ dueAt: at }]), { dueAt: deadlineAt }])
    this.#close('parked', undefined, () => {
      this.#dueAt = dueAt ?? undefined
      this.write(this, [{ list: 'parks', record: { held: this.held, waits, dueAt } }])
    })
  }

  /** Ends this activation and begins anew with another input, without memory of what was done. */
  continueAsNew(start: Pick<StartRecord, 'input' | 'limits' | 'definitionId'>): void {
    if (this.isOver) return
    const { input, limits, definitionId } = start
    this.#close('continued', undefined, () => {
      this.write(this, [{ list: 'continues', record: { held: this.held, input, limits, definitionId } }])
    })
  }

  /** Lets a run made of steps come to rest and gives it back, as one that has not begun; a plain worker goes on to its end. */
  drain(): void {
    this.#isDraining = true
    if (!this.#hasBegun) return this.release()
    this.#performance?.drain()
  }

  /** Gives the run back unless it has begun. */
  putBack(): void {
    if (this.#hasBegun || this.isOver) return
    this.wasPutBack = true
    this.release()
  }

  /** Gives the run back: another activation goes on from its journal. One that has had its end hurries to have it written. */
  release(): void {
    if (this.isOver) return this.#closing?.hurry()
    this.#close('released', engineStopped(), () => {
      this.#speech?.flush()
      this.#around.write(new ReleaseWrite(this.held, () => this.#end()))
    })
  }

  /** Writes for this run, in order, in one batch, after all it has said. */
  write(owner: WriteOwner, records: readonly HeldRecord[]): void {
    this.#speech?.flush()
    this.send(owner, records)
  }

  /** Writes what it says. */
  send(owner: WriteOwner, records: readonly HeldRecord[]): void {
    this.#around.write(new HeldWrite(this, owner, records))
  }

  // What became of the end of the run.

  written(): void {
    const { claimed, definition } = this
    if (this.#failure !== undefined)
      this.#around.failed({ id: claimed.id, definition, attempt: claimed.attempt, error: this.#failure })
    this.#around.counts.attemptEnded(this.#ending, this.deps.store.now() - this.#startedAt)
    this.#end()
    if (this.#dueAt !== undefined) this.#around.dueAt(this.#dueAt)
    this.#around.heard(this.claimed.id, this.#outcome)
  }

  /** The run is not this node's any more. */
  lost(how: endings.Loss = 'taken over'): void {
    if (this.#ending !== 'lost')
      this.deps.log.warn({ run: this.claimed.id }, endings.lossText(how, this.#later !== undefined))
    this.#giveUp()
  }

  #giveUp(): void {
    if (this.#ending === 'lost') return
    const error = leaseLost(this.claimed.id)
    // What is being cleaned up goes on; only its end is not written any more.
    if (this.isOver) this.#decide('lost', error)
    else this.#close('lost', error, () => {})
    this.#end()
  }

  /** The store could not write: the run is given up here and found again once the store works. */
  writeFailed(error: Error): void {
    this.deps.log.error({ run: this.claimed.id, err: error }, 'a run was set aside because the store cannot write')
    this.#around.troubled(this.claimed.id, error)
    this.#giveUp()
  }

  get #tokenUse(): TokenUse | undefined {
    return this.#later === undefined ? useOfTokens(this) : 'open'
  }

  #listen(): void {
    if (!this.isOver) this.#silence = silenceOf(this)
  }

  #failOrRetry(thrown: Error): void {
    if (this.claimed.undoing !== undefined) return this.undone([thrown])
    const { claimed, held } = this
    const { error, dueAt } = nextAttemptOfRun(this, thrown, this.#startedAt)
    if (dueAt === undefined) return this.#settle('failed', error)
    const finishedAt = this.deps.store.now()
    const attempt = { held, path: '', attempt: claimed.attempt, startedAt: this.#startedAt, finishedAt }
    const again = { held, attempt: claimed.attempt + 1, dueAt, token: this.#tokenUse }
    this.#close('retried', error, (alsoFailed) => {
      this.#dueAt = dueAt
      this.write(this, [
        { list: 'attempts', record: { ...attempt, error: errorText(error, alsoFailed) } },
        { list: 'retries', record: again },
      ])
    })
  }

  /** `result` is the encoded output, or why there is none. */
  #settle(outcome: RunOutcome, result: string | Error): void {
    this.deps.failpoint('settle:before')
    if (outcome !== 'succeeded' && this.hasUndo) this.#undo(outcome, toError(result))
    else this.#finish(outcome, endings.finishWith(result))
  }

  /** How it ends is decided; another activation undoes what it did and ends it. */
  #undo(outcome: 'failed' | 'cancelled', error: Error): void {
    this.#close('undoing', error, (alsoFailed) => {
      const record = { held: this.held, outcome, value: errorText(error, alsoFailed), token: this.#tokenUse }
      this.write(this, [{ list: 'undoes', record }])
    })
  }

  #finish(outcome: RunOutcome, finish: endings.Finish): void {
    this.#close(outcome, finish.error, (alsoFailed) => {
      const value = endings.valueOf(finish, alsoFailed)
      this.#outcome = { outcome, value }
      if (outcome === 'failed') this.#failure = finish.error
      const end = { outcome, value, finish, definition: this.definition, token: this.#tokenUse }
      this.write(this, [{ list: 'settles', record: endings.settleRecord(this, end) }])
    })
  }

  /** decide → clean up → write */
  #close(ending: Ending, reason: Error | undefined, write: (alsoFailed: readonly Error[]) => void): void {
    this.#decide(ending, reason)
    if (this.#closing === undefined) return write([])
    const code = reason === undefined ? undefined : this.#code
    this.closing = this.#closing.run(code, ending === 'released').then((errors) => {
      if (ending === 'lost' || this.#ending !== 'lost') write(errors)
    })
  }

  #decide(ending: Ending, reason: Error | undefined): void {
    this.#ending = ending
    this.#deadline?.cancel()
    this.#silence?.end()
    this.abandon?.()
    this.#performance?.over(reason)
    if (reason !== undefined) this.#abort?.abort(reason)
  }

  #end(): void {
    this.#around.ended(this)
  }
}
