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
    if (!isThenable(output)) return attempt.end(output)
    return Promise.resolve(output).then(
      (settled) => attempt.end(settled),
      (error: unknown) => attempt.fail(error),
    )
  } catch (error) {
    return attempt.fail(error)
  }
}

class WorkerStep implements Attempt {
  readonly #work: StepWork
  readonly #step: StepContext
  #cleanups: Cleanups | undefined
  #performance: Performance | undefined
  isOver = false

  constructor(work: StepWork, step: StepContext) {
    this.#work = work
    this.#step = step
  }

  get definition(): AnyDefinition {
    return this.#work.definition
  }

  get claimed(): Attempt['claimed'] {
    const { id, correlationId, scheduledAt, states } = this.#work.activation.claimed
    const own = states.flatMap(({ key, value }) =>
      key.startsWith(this.#prefix) ? [{ key: key.slice(this.#prefix.length), value }] : [],
    )
    return { id, correlationId, scheduledAt, attempt: this.#step.attempt, states: own }
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
    return this.#work.activation.isHeard
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
    throw new Snoozed(delayMs)
  }

  defer(cleanup: Cleanup): void {
    this.#cleanups ??= new Cleanups(this.deps.clock)
    this.#cleanups.add(cleanup)
  }

  write(owner: WriteOwner, records: readonly HeldRecord[]): void {
    const own = records.map((each): HeldRecord =>
      each.list === 'states'
        ? { list: 'states', record: { ...each.record, key: `${this.#prefix}${each.record.key}` } }
        : each,
    )
    this.#work.activation.write(owner, own)
  }

  /** Cleans up and gives the output. */
  end(output: unknown): unknown {
    const errors = this.#close()
    return errors === undefined ? output : errors.then(() => output)
  }

  /** Cleans up and throws what the handler threw. */
  fail(error: unknown): unknown {
    const errors = this.#close()
    if (errors === undefined) throw error
    return errors.then(() => {
      throw error
    })
  }

  get #prefix(): string {
    return `${this.#work.path}:`
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
