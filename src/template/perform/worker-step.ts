// The handler of a worker as the function of a step: what it has of the context of a run, it has for its step.
import type { Activation } from '../../engine/activation/activation.ts'
import type { Attempt } from '../../engine/activation/attempt.ts'
import { Cleanups, type Cleanup } from '../../engine/activation/cleanups.ts'
import type { Performance } from '../../engine/activation/surroundings.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { HeldRecord, WriteOwner } from '../../engine/writes.ts'
import { isThenable } from '../../lib/thenable.ts'
import { WorkerContext } from '../../worker/context.ts'
import { Snoozed } from '../../workflow/steps/snoozed.ts'
import type { StepContext } from '../../workflow/steps/step.ts'
import { keepState, statesOfStep } from './step-states.ts'

// How long what an attempt deferred may take, as in a run.
const cleanupMs = 30_000

/** What a worker needs to be done as a step. */
export interface StepWork {
  readonly activation: Activation
  readonly definition: AnyDefinition
  readonly path: string
}

/** Does the work of one attempt; what it deferred is done before its end is known. */
export function performWorker(work: StepWork, step: StepContext, input: unknown): unknown {
  const attempt = new WorkerStep(work, step)
  const handler = work.definition.handler as (ctx: WorkerContext, input: unknown) => unknown
  try {
    const output = handler(new WorkerContext(attempt, input), input)
    return isThenable(output) ? attempt.follow(output) : attempt.end(output)
  } catch (error) {
    return attempt.fail(error)
  }
}

class WorkerStep implements Attempt {
  readonly #work: StepWork
  readonly #step: StepContext
  #cleanups: Cleanups | undefined
  #performance: Performance | undefined
  /** Its code has asked to be begun anew. */
  #left: Snoozed | undefined
  #leave: ((left: Snoozed) => void) | undefined
  isOver = false

  constructor(work: StepWork, step: StepContext) {
    this.#work = work
    this.#step = step
  }

  get definition(): AnyDefinition {
    return this.#work.definition
  }

  get claimed(): Attempt['claimed'] {
    const { activation, path } = this.#work
    const { id, correlationId, scheduledAt } = activation.claimed
    const { attempt } = this.#step
    return { id, correlationId, scheduledAt, attempt, states: statesOfStep(activation, path) }
  }

  get idempotencyKey(): string {
    return this.#step.idempotencyKey
  }

  get held(): Attempt['held'] {
    return this.#work.activation.held
  }

  get deps(): Attempt['deps'] {
    return this.#work.activation.deps
  }

  get around(): Attempt['around'] {
    return this.#work.activation.around
  }

  get speech(): Attempt['speech'] {
    return this.#work.activation.speech
  }

  get isHeard(): boolean {
    return this.#left === undefined && this.#work.activation.isHeard
  }

  get signal(): AbortSignal {
    return this.#step.signal
  }

  attach(performance: Performance): void {
    this.#performance = performance
    const { signal } = this.#step
    if (signal.aborted) performance.over(signal.reason as Error)
    else signal.addEventListener('abort', () => performance.over(signal.reason as Error), { once: true })
  }

  beat(): void {}

  later(): Promise<string> {
    return this.#step.later()
  }

  snooze(delayMs: number): void {
    if (this.isOver || this.#left !== undefined) return
    this.#left = new Snoozed(delayMs)
    this.#leave?.(this.#left)
  }

  defer(cleanup: Cleanup): void {
    this.#cleanups ??= new Cleanups(this.deps.clock)
    this.#cleanups.add(cleanup)
  }

  write(owner: WriteOwner, records: readonly HeldRecord[]): void {
    const { activation, path } = this.#work
    activation.write(
      owner,
      records.map((each) => keepState(activation, path, each)),
    )
  }

  /** Ends when its code does, or has left; no exception passes through code that has left. */
  follow(code: PromiseLike<unknown>): Promise<unknown> {
    const ended = new Promise((resolve, reject) => {
      this.#leave = reject
      if (this.#left !== undefined) reject(this.#left)
      // What code throws that has left is nobody's.
      code.then(resolve, reject)
    })
    return ended.then(
      (output) => this.end(output),
      (error: unknown) => this.fail(error),
    )
  }

  /** Cleans up and gives the output. */
  end(output: unknown): unknown {
    if (this.#left !== undefined) return this.fail(this.#left)
    const errors = this.#close()
    return errors === undefined ? output : errors.then(() => output)
  }

  /** Cleans up and throws what the handler threw. */
  fail(error: unknown): unknown {
    const why = this.#left ?? error
    const errors = this.#close()
    if (errors === undefined) throw why
    return errors.then(() => {
      throw why
    })
  }

  #close(): Promise<void> | undefined {
    this.isOver = true
    this.#performance?.over(undefined)
    if (this.#cleanups === undefined) return undefined
    const { activation, path } = this.#work
    return this.#cleanups.run(cleanupMs).then((errors) => {
      for (const error of errors)
        activation.deps.log.error({ run: activation.claimed.id, step: path, err: error }, 'a clean-up of a step failed')
    })
  }
}
