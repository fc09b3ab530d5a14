// A run that a workflow has started: what its code does with it.
import { checkCallOptions, storedTime, type UnkeyedOptions } from '../engine/verbs/call.ts'
import { checkName, checkOptions } from '../engine/checks.ts'
import { asDefinition, type Definition } from '../engine/definition/definition.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { unhurried } from '../lib/unhurried.ts'
import { optionInvalid } from '../model/errors.ts'
import { childTimeout, recursionTooDeep } from '../model/family-errors.ts'
import { joinPath } from '../model/path.ts'
import type { ResultDue } from './waits/awaited-runs.ts'
import type { Steps } from './steps/steps.ts'
import { undoRules, type Undo } from './undoing/undo-options.ts'

/** How a workflow starts another run. */
export interface ChildOptions<Output = unknown> extends UnkeyedOptions {
  /** What it is called in this scope: the name of its definition, unless told. Runs that are under way together need names of their own. */
  readonly name?: string
  /** It goes on when the run that started it has ended; without this it is cancelled then. */
  readonly detached?: boolean
  /**
   * Undoes what the run did, once it has succeeded, when this one fails for good or is cancelled; as `undo` of a step. One that has not ended is cancelled,
   * and undoes itself what its own steps did.
   */
  readonly undo?: Undo<Output>
}

/** What a call of a definition from a workflow takes: nothing, when the definition takes nothing. */
export type ChildArguments<Input, Output = unknown> = undefined extends Input
  ? [input?: Input, options?: ChildOptions<Output>]
  : [Input] extends [void]
    ? [input?: undefined, options?: ChildOptions<Output>]
    : [input: Input, options?: ChildOptions<Output>]

export interface ChildResultOptions {
  /** How long to wait; for ever unless told. The run goes on whatever happens. */
  readonly timeout?: Duration
}

export class ChildRun<Output = unknown> {
  readonly id: string
  /** Of its definition. */
  readonly name: string
  readonly #steps: Steps
  readonly #path: string

  /** @internal */
  constructor(steps: Steps, run: { readonly id: string; readonly name: string; readonly path: string }) {
    this.id = run.id
    this.name = run.name
    this.#steps = steps
    this.#path = run.path
  }

  /**
   * Waits for the end of the run and gives its output. A run that waits for it long is parked and holds nothing.
   *
   * Saves: one journal row. Throws: what it failed with; `run_cancelled`; `result_timeout` when `timeout` passed first;
   * `run_not_found` when it was deleted.
   */
  result(options: ChildResultOptions = {}): Promise<Output> {
    return unhurried(() => this.#result(options))
  }

  async #result(options: ChildResultOptions): Promise<Output> {
    checkOptions(`the result of '${this.name}'`, options, ['timeout'])
    const waitMs = options.timeout === undefined ? undefined : toMs(options.timeout, 'timeout')
    const due = (): ResultDue => ({
      at: waitMs === undefined ? null : storedTime(this.#steps.activation.deps.store.now() + waitMs),
      late: () => this.#late(waitMs ?? 0),
    })
    return (await this.#steps.result(joinPath(this.#path, 'result'), this.id, due)) as Output
  }

  async #late(waitMs: number): Promise<Error> {
    // Where the store cannot say why it waits, the error does not either.
    const run = await this.#steps.activation.deps.store.findRun(this.id).catch(() => undefined)
    return childTimeout(this, waitMs, run?.reason ?? undefined)
  }
}

// Each was started by the one before.
export const mostDepth = 32

/** What a workflow calls, and what that is called in its journal. */
export interface ChildCall {
  readonly target: Definition | string
  readonly input: unknown
  readonly options: ChildOptions<never>
  readonly pathOf: (name: string) => string
}

/** Starts a run once in the life of the one whose steps these are. */
export async function startChild(steps: Steps, { target, input, options, pathOf }: ChildCall): Promise<ChildRun> {
  const name = typeof target === 'string' ? target : asDefinition(target).name
  const { undo: given, ...rest } = options
  const call = callOptionsOf(name, rest)
  const { activation } = steps
  const { depth, correlationId } = activation.claimed
  const isDetached = options.detached === true
  if (depth >= mostDepth && !isDetached) throw recursionTooDeep(name, depth)
  const ofParent = correlationId === null ? {} : { correlationId }
  const draft = () => activation.around.draft(target, input, { ...ofParent, ...call })
  const undo = given === undefined ? undefined : undoRules(`the call of '${name}'`, given)
  const child = await steps.child({ path: pathOf(options.name ?? name), draft, isDetached, undo })
  return new ChildRun(steps, { ...child, name })
}

const known = [
  'name',
  'detached',
  'undo',
  'queue',
  'priority',
  'tags',
  'delay',
  'at',
  'expires',
  'timeout',
  'retry',
  'correlationId',
]

const keyIsElsewhere =
  'none in a workflow, whose journal starts it once anyway: to share it with other runs, give its definition { idempotencyKey: (input) => … }'

/** The options of the call that starts it. What would join it to another run is none of them: the journal starts it once. */
function callOptionsOf(
  name: string,
  { name: ownName, detached, ...options }: Omit<ChildOptions, 'undo'>,
): UnkeyedOptions {
  if ('idempotencyKey' in options) throw optionInvalid('idempotencyKey', options.idempotencyKey, keyIsElsewhere)
  checkOptions(`the call of '${name}'`, { ...options, name: ownName, detached }, known)
  if (ownName !== undefined) checkName(`name of the call of '${name}'`, ownName)
  if (detached !== undefined && typeof detached !== 'boolean')
    throw optionInvalid('detached', detached, 'true or false')
  checkCallOptions(options)
  return options
}
