// Templates in TypeScript: a graph of steps, built by a function.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkFunction, checkName } from '../../engine/checks.ts'
import type { Definition } from '../../engine/definition/definition.ts'
import type { LimiterRule } from '../../engine/limits/limits.ts'
import type { Made, Template, TemplateStep } from '../model/template.ts'
import { definitionInvalid } from '../../model/errors.ts'
import { templateDefinition, type TemplateRules } from '../perform/perform.ts'
import { loadedDefinition } from '../perform/loaded.ts'
import type {
  BuiltStep,
  EachOptions,
  ItemScope,
  OutputOf,
  ScriptOptions,
  StepOptionsOf,
  WaitOptions,
} from './built-step.ts'
import { checkedLifecycle, type LifecycleOptions } from './lifecycle.ts'
import { scriptStep, waitStep, workStep, type AnyScript, type AnyWait, type AnyWork } from './made.ts'

/** What the function of a template is given: each call adds a step. */
export interface TemplateBuilder<Input> {
  /** Adds a step that a worker, a workflow or another template does; with `forEach` once for each item of a list, and gives the list of outputs. */
  step<const Name extends string, Given, Output, Item, const Needs extends readonly BuiltStep[] = []>(
    name: Name,
    uses: Definition<Given, Output>,
    options: EachOptions<Input, Needs, Item> & { readonly with: (scope: ItemScope<Input, Needs, Item>) => Given },
  ): BuiltStep<Name, Output[]>
  step<const Name extends string, Given, Output, const Needs extends readonly BuiltStep[] = []>(
    name: Name,
    uses: Definition<Given, Output>,
    options: EachOptions<Input, Needs, Given> & { readonly with?: undefined },
  ): BuiltStep<Name, Output[]>
  step<const Name extends string, Given, Output>(
    name: Name,
    uses: Definition<Given, Output>,
    ...rest: object extends StepOptionsOf<Input, Given, []> ? [] : [options: StepOptionsOf<Input, Given, []>]
  ): BuiltStep<Name, Output>
  step<const Name extends string, Given, Output, const Needs extends readonly BuiltStep[] = []>(
    name: Name,
    uses: Definition<Given, Output>,
    options: StepOptionsOf<Input, Given, Needs>,
  ): BuiltStep<Name, Output>
  /** Adds a step that waits for a message, for a time, or until somebody outside completes it. */
  wait<const Name extends string, Payload = unknown, const Needs extends readonly BuiltStep[] = []>(
    name: Name,
    options: WaitOptions<Input, Needs>,
  ): BuiltStep<Name, Payload | null>
  /** Adds a step that runs a script in the sandbox. */
  script<const Name extends string, Output = unknown, const Needs extends readonly BuiltStep[] = []>(
    name: Name,
    script: string,
    options?: ScriptOptions<Input, Needs>,
  ): BuiltStep<Name, Output>
}

export interface TemplateOptions extends Omit<TemplateRules, 'input'> {
  /** A run stays on the version it was started with; `1` unless told. */
  readonly version?: string
  /** A part of its name, `NAMESPACE/NAME`, unless it is the default one. */
  readonly namespace?: string
  readonly description?: string
  /** How long its runs may be in which state, and what is done with one that is stale. */
  readonly lifecycle?: LifecycleOptions
  /** `fail_fast` (default): the first failure ends the run. `finish_independent`: what does not need what failed is done first. */
  readonly failure?: Template['failure']
}

/** What the function of a template returns: the step whose output is that of the run, or steps by name. */
export type BuiltOutput = BuiltStep | Readonly<Record<string, BuiltStep>> | void

export type OutputOfBuilt<Built> = Built extends BuiltStep
  ? OutputOf<Built>
  : Built extends Readonly<Record<string, BuiltStep>>
    ? { readonly [Name in keyof Built]: OutputOf<Built[Name]> }
    : Readonly<Record<string, unknown>>

/**
 * Defines a template: a graph of steps, each of which is done as soon as those it needs are settled. Its runs are durable, as those of a workflow.
 *
 * Without an output of its own a run gives the outputs of the steps that no other needs, by name.
 * Saves: its input, one row a step, its output. Throws: `option_invalid`; `definition_invalid` for steps that cannot work together.
 *
 * ```ts
 * import { template, Troupe, worker, type TemplateBuilder } from 'troupe'
 * const price = worker('price', {}, (ctx, items: string[]) => items.length * 10)
 * const charge = worker('charge', {}, (ctx, order: { total: number }) => `charged ${order.total}`)
 * const order = template('order', {}, (t: TemplateBuilder<string[]>) => {
 *   const total = t.step('total', price, { with: ({ input }) => input })
 *   return t.step('payment', charge, { needs: [total], with: ({ steps }) => ({ total: steps.total }) })
 * })
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [price, charge, order] })
 * await troupe.start()
 * console.log(await troupe.run(order, ['book', 'pen'])) // charged 20
 * ```
 */
export function template<Schema extends StandardSchemaV1, Built extends BuiltOutput>(
  name: string,
  options: TemplateOptions & { readonly input: Schema },
  build: (t: TemplateBuilder<StandardSchemaV1.InferOutput<Schema>>) => Built,
): Definition<StandardSchemaV1.InferInput<Schema>, OutputOfBuilt<Built>>
export function template<Input, Built extends BuiltOutput>(
  name: string,
  options: TemplateOptions,
  build: (t: TemplateBuilder<Input>) => Built,
): Definition<Input, OutputOfBuilt<Built>>
/** Defines a template that `loadTemplate` has read. Its version has a hash of what it says, so that each run stays with the text it was started with. */
export function template(loaded: Template): Definition<unknown>
export function template(
  given: string | Template,
  options: TemplateOptions & Pick<TemplateRules, 'input'> = {},
  build?: (t: TemplateBuilder<never>) => BuiltOutput,
): Definition<unknown> {
  return typeof given === 'object' ? loadedDefinition(given) : builtDefinition(given, options, build)
}

function builtDefinition(
  name: string,
  options: TemplateOptions & Pick<TemplateRules, 'input'>,
  build: ((t: TemplateBuilder<never>) => BuiltOutput) | undefined,
): Definition<unknown> {
  checkName('The name of a template', name)
  checkFunction(`What builds template '${name}'`, build)
  const given = build as (t: TemplateBuilder<never>) => BuiltOutput
  const { version = '1', namespace = 'default', description, failure = 'fail_fast', lifecycle, ...rules } = options
  const steps: TemplateStep[] = []
  const limiters = new Map<string, LimiterRule>()
  const output = outputOf(given(new Builder(name, steps, limiters) as unknown as TemplateBuilder<never>))
  const kept = lifecycle && checkedLifecycle(lifecycle)
  const built = { namespace, name, version, description, failure, steps, output, lifecycle: kept }
  return templateDefinition(
    { ...built, hash: '', input: undefined, limiters: {} },
    rules,
    (limiter, known) => limiters.get(limiter) ?? known(limiter),
  )
}

class Builder {
  readonly #steps: TemplateStep[]
  readonly #limiters: Map<string, LimiterRule>
  readonly #name: string
  readonly #names = new Set<string>()

  constructor(name: string, steps: TemplateStep[], limiters: Map<string, LimiterRule>) {
    this.#name = name
    this.#steps = steps
    this.#limiters = limiters
  }

  step(name: string, uses: unknown, options: AnyWork = {}): BuiltStep {
    for (const limiter of options.limits ?? []) this.#limiters.set(limiter.name, limiter)
    return this.#add(workStep(name, uses, options))
  }

  wait(name: string, options: AnyWait): BuiltStep {
    return this.#add(waitStep(name, options))
  }

  script(name: string, script: string, options: AnyScript = {}): BuiltStep {
    return this.#add(scriptStep(name, script, options))
  }

  #add(step: TemplateStep): BuiltStep {
    const { name, needs, onError } = step
    checkName('The name of a step', name)
    if (this.#names.has(name)) throw definitionInvalid(`Two steps of template '${this.#name}' are named '${name}'.`)
    const others = typeof onError === 'object' ? [...needs, onError.fallback] : needs
    const stranger = others.find((other) => !this.#names.has(other))
    if (stranger !== undefined)
      throw definitionInvalid(`Step '${name}' needs '${stranger}', which is no step of template '${this.#name}'.`)
    this.#names.add(name)
    this.#steps.push(step)
    return { name: step.name }
  }
}

function outputOf(built: BuiltOutput): Made | undefined {
  if (built === undefined) return undefined
  if (typeof built.name === 'string') return { steps: [built.name], make: ({ steps }) => steps[built.name as string] }
  const named = Object.entries(built as Readonly<Record<string, BuiltStep>>)
  return {
    steps: named.map(([, step]) => step.name),
    make: ({ steps }) => Object.fromEntries(named.map(([key, step]) => [key, steps[step.name]])),
  }
}
