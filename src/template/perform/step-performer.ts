// Does the steps of a template as steps of its run, whatever their work is.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { KeyedLimiter } from '../../engine/limits/slots.ts'
import { storedTime } from '../../engine/verbs/call.ts'
import { isThenable } from '../../lib/thenable.ts'
import { validate } from '../../worker/validate.ts'
import type { StepContext, StepSpec } from '../../workflow/steps/step.ts'
import type { Steps } from '../../workflow/steps/steps.ts'
import { handlerName, type Template, type TemplateStep, type Work } from '../model/template.ts'
import { isRunOfItsOwn, performAsRun } from './child-step.ts'
import type { StepPerformer, StepPlace } from './graph-run.ts'
import { inputOf, type Names, type Piece } from './piece.ts'
import { performPieces } from './pieces.ts'
import { performPublishing, publishFailure, publishPiece, type PublishingStep } from './publishing.ts'
import { limitsOf, ownLimits, retryOf } from './step-rules.ts'
import { withoutCheckpoint } from './step-states.ts'
import { undoOf } from './undo-step.ts'
import { timeIn } from './wait-times.ts'
import { performWorker } from './worker-step.ts'

type ScriptWork = Extract<Work, { kind: 'script' }>

export class TemplateSteps implements StepPerformer {
  readonly #steps: Steps
  readonly #names: Names
  readonly #template: Pick<Template, 'namespace'>

  constructor(steps: Steps, names: Names, template: Pick<Template, 'namespace'>) {
    this.#steps = steps
    this.#names = names
    this.#template = template
  }

  perform(step: TemplateStep, at: StepPlace): Promise<unknown> {
    if (step.publishes.length === 0) return this.#perform(step, at)
    return performPublishing(this.#publishing(step, at), () => this.#perform(step, at))
  }

  refused(step: TemplateStep, at: StepPlace, error: Error): Promise<void> | undefined {
    return step.publishes.length === 0 ? undefined : publishFailure(this.#publishing(step, at), error)
  }

  #perform(step: TemplateStep, at: StepPlace): Promise<unknown> {
    const perform = (piece: Piece): Promise<unknown> => this.#performPiece(piece)
    const placeholder = (path: string): Promise<unknown> =>
      this.#begin({ step, path, at }, undefined, () => ({ isNoOp: true }))
    return performPieces(step, at, { perform, placeholder })
  }

  async #performPiece(piece: Piece): Promise<unknown> {
    const { step, path, at } = piece
    const { work } = step
    if (step.publishes.length > 0 && path !== step.name) publishPiece(this.#publishing(step, at), path)
    if (work.kind === 'message') return this.#receive(piece, work)
    if (work.kind === 'time') return this.#steps.sleepUntil(piece.path, () => timeIn(work, piece.at.scope, this.#now()))
    if (work.kind !== 'worker') return this.#begin(piece, undefined, this.#functionOf(piece, work))
    const name = handlerName(work)
    const worker = this.#names.worker(name)
    // Race: what it was once it stays, whatever its worker says by now, and whether that is known here.
    const isStep = this.#steps.wasStep(piece.path) ?? !isRunOfItsOwn(piece.step, worker)
    return isStep
      ? this.#begin(piece, worker, this.#asStep(piece, name, worker))
      : this.#performAsRun(piece, worker ?? name)
  }

  #publishing(step: TemplateStep, { scope, check }: StepPlace): PublishingStep {
    return { steps: this.#steps, template: this.#template, step, scope, check }
  }

  #performAsRun(piece: Piece, target: AnyDefinition | string): Promise<unknown> {
    const { step, path, at } = piece
    const undo = undoOf({ steps: this.#steps, names: this.#names, piece })
    const limits = (): readonly KeyedLimiter[] => ownLimits(step, at.scope, this.#names.limiter)
    const child = { step, path, undo, target, limits, scope: at.scope, input: () => inputOf(piece) }
    return performAsRun(this.#steps, child)
  }

  #begin(piece: Piece, worker: AnyDefinition | undefined, fn: StepSpec['fn']): Promise<unknown> {
    const { step, path, at } = piece
    const input = (): unknown => inputOf(piece)
    const waitMs = step.work.kind === 'completion' ? step.work.timeoutMs : undefined
    return this.#steps.step({
      path,
      fn,
      retry: retryOf(step, worker),
      timeoutMs: waitMs ?? step.timeout.attemptMs ?? worker?.settings.timeoutMs,
      canLapse: waitMs !== undefined,
      limits: limitsOf({ step, worker, scope: at.scope, input }, this.#names.limiter),
      undo: undoOf({ steps: this.#steps, names: this.#names, piece }),
      beside: () => withoutCheckpoint(this.#steps.activation, path),
    })
  }

  /** Calls the handler of a worker; what it gives is checked as its definition says. */
  #asStep(piece: Piece, uses: string, definition: AnyDefinition | undefined): StepSpec['fn'] {
    if (definition?.handler === undefined)
      return () => {
        throw this.#names.missing(uses)
      }
    const { activation } = this.#steps
    const { settings, name } = definition
    const work = { activation, definition, path: piece.path }
    const perform = (step: StepContext, input: unknown): unknown =>
      andThen(performWorker(work, step, input), (output) =>
        andThen(definition.checked === undefined ? output : definition.checked(output), (checked) =>
          this.#chosen(piece, checked),
        ),
      )
    if (settings.input === undefined) return (step) => perform(step, inputOf(piece))
    return async (step) => perform(step, await validate(settings.input, inputOf(piece), `The input of '${name}'`))
  }

  /** A decision fails for what it may not choose before that is its output. */
  #chosen({ at }: Piece, output: unknown): unknown {
    at.check(output)
    return output
  }

  #functionOf(piece: Piece, work: Exclude<Work, { kind: 'worker' | 'message' | 'time' }>): StepSpec['fn'] {
    if (work.kind === 'completion') return (step) => this.#tellToken(piece.path, step)
    return async (step) => this.#chosen(piece, await this.#runScript(piece, work, step))
  }

  #runScript({ step, at, path }: Piece, { script, limits, place }: ScriptWork, context: StepContext): Promise<unknown> {
    const { around, deps, speech } = this.#steps.activation
    const given = step.with?.make(at.scope)
    return around.scripts.run(script, {
      globals: { ...at.scope, ...(typeof given === 'object' ? given : {}) },
      now: deps.store.now(),
      seed: context.idempotencyKey,
      timeoutMs: limits.timeoutMs,
      memoryBytes: limits.memoryBytes,
      signal: context.signal,
      from: place ?? { file: path, line: 1 },
      onLine: ({ level, text }) => speech.log(level, text),
    })
  }

  /** Whoever watches the run is told the token with which it goes on. */
  async #tellToken(path: string, { later }: StepContext): Promise<void> {
    const token = await later()
    this.#steps.activation.speech.emit({ step: path, token })
  }

  #receive({ path, at }: Piece, { message, key, timeoutMs }: Extract<Work, { kind: 'message' }>): Promise<unknown> {
    const dueAt = (): number | null => (timeoutMs === undefined ? null : storedTime(this.#now() + timeoutMs))
    const about = key === undefined ? undefined : String(key.make(at.scope))
    return this.#steps.mail.receive(path, { name: message, key: about }, dueAt)
  }

  #now(): number {
    return this.#steps.activation.deps.store.now()
  }
}

function andThen(value: unknown, next: (settled: unknown) => unknown): unknown {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value)
}
