// The steps of a run that are executed: under way here, in line before limiters, or between two attempts.
import type { Activation } from '../../engine/activation/activation.ts'
import type { TroupeError } from '../../lib/errors.ts'
import type { RememberedStep } from '../../store/store.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { AwaitedTokens, type AwaitedTokensOwner } from '../waits/awaited-tokens.ts'
import type { Journal } from '../journal.ts'
import type { Resting } from '../waits/resting.ts'
import type { Results } from '../results.ts'
import type { Retrace } from '../retrace.ts'
import { StepLimits, type StepLimitsOwner } from './step-limits.ts'
import { StepExecution, type StepOwner, type StepSpec } from './step.ts'
import type { Waits } from '../waits/waits.ts'

/** The parts of the run that they have to do with. */
export interface ExecutionsOptions {
  readonly journal: Journal
  readonly results: Results
  readonly retrace: Retrace
  readonly waits: Waits
  readonly resting: Resting
  readonly unread: (why: TroupeError) => void
  readonly eventsAt: NonNullable<StepOwner['eventsAt']>
}

export class Executions implements StepOwner, StepLimitsOwner, AwaitedTokensOwner {
  readonly activation: Activation
  readonly #options: ExecutionsOptions
  readonly #executing = new Map<string, StepExecution>()
  #limits: StepLimits | undefined
  #tokens: AwaitedTokens | undefined

  constructor(activation: Activation, options: ExecutionsOptions) {
    this.activation = activation
    this.#options = options
  }

  get size(): number {
    return this.#executing.size
  }

  get paths(): string[] {
    return [...this.#executing.keys()]
  }

  /** Whether any go on at once elsewhere, as they got no place before a limiter here. */
  get hasTurnedAway(): boolean {
    return this.#limits?.hasTurnedAway === true
  }

  /** Executes a step, from where a former activation left it. */
  begin(spec: StepSpec, owner: StepOwner = this): void {
    const { journal, waits, resting } = this.#options
    const execution = new StepExecution(owner, spec, journal.attemptsOf(spec.path))
    this.#executing.set(spec.path, execution)
    const wait = waits.remembered(spec.path)
    if (wait?.kind === 'completion') return this.#resume(execution, wait)
    if (wait?.kind === 'backoff') return resting.wait(wait, () => this.execute(execution))
    resting.begin()
    this.execute(execution, wait)
  }

  /** What a step did is on record. */
  leave(path: string): void {
    this.#options.resting.end()
    this.#executing.delete(path)
  }

  /** The run is parked: who waits before a limiter keeps its place. */
  parking(): void {
    this.#limits?.forget()
  }

  /** The run is not parked now. */
  stay(): void {
    this.#tokens?.stay()
  }

  /** Something may have come for those that wait. */
  mailed(): void {
    this.#tokens?.look()
  }

  /** Nobody waits any more for what is in this scope. */
  removeWithin(scope: string): void {
    this.#tokens?.removeWithin(scope)
  }

  /** The run is over here. */
  over(reason: Error | undefined): void {
    this.#limits?.clear()
    this.#tokens?.clear()
    if (this.#executing.size === 0) return
    // Steps that the code did not wait for, as the losers of a race.
    const why = reason ?? new Error('The run has ended')
    for (const execution of this.#executing.values()) execution.over(why)
    this.#executing.clear()
  }

  // StepOwner

  nextSeq(): number {
    return this.#options.journal.nextSeq()
  }

  eventsAt(...end: Parameters<ExecutionsOptions['eventsAt']>): ReturnType<ExecutionsOptions['eventsAt']> {
    return this.#options.eventsAt(...end)
  }

  execute(step: StepExecution, parkedWith?: WaitRecord): void {
    if (this.activation.isOver) return
    if (step.limits.length === 0) return this.#executeNow(step)
    this.#limits ??= new StepLimits(this)
    this.#limits.enter(step, parkedWith)
  }

  /** A step rests between two attempts. */
  pause(wait: WaitRecord, due: () => void): void {
    if (this.activation.isOver) return
    this.#options.resting.end()
    this.#options.resting.wait(wait, due)
  }

  await(step: StepExecution, wait: WaitRecord): void {
    if (this.activation.isOver) return
    const tokens = (this.#tokens ??= new AwaitedTokens(this))
    tokens.add(step)
    this.pause(wait, () => tokens.due(step))
  }

  recorded(step: RememberedStep): void {
    this.leave(step.path)
    if (!this.activation.isOver) this.#options.results.add(step)
  }

  attempted(path: string): void {
    this.#limits?.leave(path)
  }

  // StepLimitsOwner

  lined(wait: WaitRecord): void {
    this.#options.resting.end()
    this.#options.resting.wait(wait, () => undefined)
  }

  passed(step: StepExecution): void {
    this.#leaveLine(step.path)
    this.#executeNow(step)
  }

  refused(step: StepExecution, error: Error): void {
    this.#leaveLine(step.path)
    step.refuse(error)
  }

  turnedAway(): void {
    this.#options.resting.end()
    this.#options.resting.soon()
  }

  // AwaitedTokensOwner

  asking(): void {
    this.#options.resting.begin()
  }

  asked(): void {
    this.#options.resting.end()
    this.#options.resting.soon()
  }

  unread(why: TroupeError): void {
    this.#options.unread(why)
  }

  came(path: string): void {
    this.#options.resting.came(path)
  }

  #executeNow(step: StepExecution): void {
    const { results, retrace } = this.#options
    // What a step's function says is new.
    results.hush()
    retrace.begun()
    this.activation.around.execute(step)
  }

  /** A step whose function has done its part. */
  #resume(execution: StepExecution, wait: WaitRecord): void {
    const awaiting = this.activation.claimed.awaitingSteps.find(({ path }) => path === wait.path)
    this.#options.resting.begin()
    if (awaiting === undefined) this.execute(execution)
    else execution.resume(wait, awaiting)
  }

  /** Something of a step is under way again. */
  #leaveLine(path: string): void {
    if (this.#options.waits.isWaiting(path)) this.#options.resting.came(path)
  }
}
