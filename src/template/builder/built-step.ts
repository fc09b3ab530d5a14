// The types of templates in TypeScript: what a step gives, and what the functions of a step are given.
import type { Duration } from '../../lib/duration.ts'
import type { RetryOptions } from '../../model/retry.ts'
import type { Definition } from '../../engine/definition/definition.ts'
import type { Limiter } from '../../worker/limiter.ts'
import type { PublishOptions } from '../../engine/events/events.ts'
import type { BatchRules, JsonSchema, Publication, Role, Scope, When } from '../model/template.ts'

/** A step of a template that is being built; in its type what it gives. */
export interface BuiltStep<Name extends string = string, Output = unknown> {
  readonly name: Name
  /** Only in the types. */
  output?(): Output
}

export type OutputOf<Step> = Step extends { output?(): infer Output } ? Output : never

/** The outputs of the steps that are needed, by name. With a `when` that goes on after those that gave nothing, they are null too. */
export type Outputs<Needs extends readonly BuiltStep[]> = {
  readonly [Step in Needs[number] as Step['name']]: OutputOf<Step>
}

/** What the functions of a step are given. */
export interface BuiltScope<Input, Needs extends readonly BuiltStep[]> extends Omit<Scope, 'input' | 'steps'> {
  readonly input: Input
  readonly steps: Outputs<Needs>
}

/** With the item of `forEach`. */
export type ItemScope<Input, Needs extends readonly BuiltStep[], Item> = BuiltScope<Input, Needs> & {
  readonly item: Item
  readonly index: number
}

/** What a worker is given that is not told `with`. */
export interface DefaultInput<Input, Needs extends readonly BuiltStep[]> {
  readonly input: Input
  readonly steps: Outputs<Needs>
  readonly config: Readonly<Record<string, unknown>>
}

/** The options that steps of every kind have. */
export interface AnyStepOptions<Input, Needs extends readonly BuiltStep[]> {
  readonly description?: string
  /** The steps that have to be settled before. */
  readonly needs?: Needs
  /** What has to be true of them; `all_succeeded` unless told. */
  readonly when?: When
  readonly if?: (scope: BuiltScope<Input, Needs>) => boolean
  /** The events that tell of its end. */
  readonly publishes?: readonly PublishOption<Input, Needs>[]
}

/** An event that tells of the end of a step: published in the commit that records that, once in the life of the run. It neither fails nor delays the step. */
export interface PublishOption<Input, Needs extends readonly BuiltStep[]> extends Pick<PublishOptions, 'mode'> {
  readonly event: string
  /**
   * `success` unless told. `failure` and `permanent_failure`: it failed for good. `retryable_failure`: an attempt failed and there will be another.
   * `always`: it has ended, in whatever way.
   */
  readonly condition?: Publication['condition']
  /** What the step gave, or `{ name, message, code }` of how it failed, unless told. */
  readonly payload?: (scope: EndScope<Input, Needs>) => unknown
  /** A JSON Schema; what does not fit is not published. */
  readonly schema?: JsonSchema
  /** Who decides what is published of it, by the name that `Troupe.open({ publishers })` gives it. */
  readonly publisher?: string
}

/** With what the step gave, or null; then `errors` has how it failed, by its name. */
export type EndScope<Input, Needs extends readonly BuiltStep[]> = BuiltScope<Input, Needs> & {
  readonly output: unknown
}

export interface WorkOptions<Input, Needs extends readonly BuiltStep[]> extends AnyStepOptions<Input, Needs> {
  readonly role?: Role
  /** Of a `batch_worker`. */
  readonly batch?: Partial<BatchRules>
  readonly config?: Readonly<Record<string, unknown>>
  /** Unless told that of the worker, else 3 attempts. */
  readonly retry?: RetryOptions
  /** Of each attempt, or of each attempt, of the wait in its queue, and of the step as a whole. */
  readonly timeout?: Duration | { readonly attempt?: Duration; readonly queue?: Duration; readonly total?: Duration }
  /** `fail` unless told. With `continue` the step counts as succeeded with the output null; `fallback` is done in its place. */
  readonly onError?: 'fail' | 'continue' | { readonly fallback: BuiltStep }
  readonly limits?: readonly Limiter<never>[]
  /** Outputs are remembered by key, the input itself unless told; the step is a run of its own. */
  readonly cache?: { readonly ttl: Duration; readonly key?: (scope: BuiltScope<Input, Needs>) => string }
  /** The step is a run of its own with this priority. */
  readonly priority?: number
  /** The step is a run of its own in this queue, on any node that serves it. */
  readonly queue?: string
  /** The worker that undoes the step, and what it is given: what the step is given and its `output`, unless told. */
  readonly undo?: Definition<never> | UndoOption<Input, Needs>
}

export interface UndoOption<Input, Needs extends readonly BuiltStep[]> {
  readonly uses: Definition<never>
  readonly with?: (scope: EndScope<Input, Needs>) => unknown
  readonly retry?: RetryOptions
  readonly timeout?: Duration
}

/** `with` may be left out where the worker takes what it is given then. */
export type WithOption<Scope, Given, Default> = [Given] extends [void]
  ? { readonly with?: (scope: Scope) => Given | Promise<never> }
  : Default extends Given
    ? { readonly with?: (scope: Scope) => Given }
    : { readonly with: (scope: Scope) => Given }

export type StepOptionsOf<Input, Given, Needs extends readonly BuiltStep[]> = WorkOptions<Input, Needs> &
  WithOption<BuiltScope<Input, Needs>, Given, DefaultInput<Input, Needs>> & { readonly forEach?: undefined }

/** Without `with` the worker is given the item. */
export interface EachOptions<Input, Needs extends readonly BuiltStep[], Item> extends WorkOptions<Input, Needs> {
  readonly forEach: (scope: BuiltScope<Input, Needs>) => readonly Item[]
  /** Names an item for ever: its place in the list unless told. */
  readonly key?: (scope: ItemScope<Input, Needs, NoInfer<Item>>) => string
  /** How many items are under way at once; 10 unless told. */
  readonly concurrency?: number
}

export interface WaitOptions<Input, Needs extends readonly BuiltStep[]> extends AnyStepOptions<Input, Needs> {
  /** The name of a message, by `troupe.tell`. */
  readonly message?: string
  readonly key?: (scope: BuiltScope<Input, Needs>) => string
  /** Gives null when neither the message nor whoever has the token has come by then. */
  readonly timeout?: Duration
  readonly for?: Duration
  readonly until?: (scope: BuiltScope<Input, Needs>) => Date | number | string
}

export interface ScriptOptions<Input, Needs extends readonly BuiltStep[]> extends Omit<
  WorkOptions<Input, Needs>,
  'cache' | 'priority' | 'queue' | 'undo'
> {
  /** The names that the script may use and their values: `input`, `steps`, `config` and the like unless told. */
  readonly with?: (scope: BuiltScope<Input, Needs>) => Readonly<Record<string, unknown>>
}
