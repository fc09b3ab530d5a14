// One run of a template: each step is decided once all it needs are settled. O(edges) in all.
import { deferred } from '../../lib/deferred.ts'
import { toError } from '../../lib/errors.ts'
import { frozen } from '../../lib/frozen.ts'
import { failureOf } from '../model/step-failure.ts'
import type { Scope, StepFailure, Template, TemplateStep } from '../model/template.ts'
import { batchesIn, type Batches } from './batch-output.ts'
import { chosenBy } from './decision.ts'
import type { Edges } from './edges.ts'
import { holds, isThereFor, type Outcome } from './outcomes.ts'
import type { Course } from './reasons.ts'

/** Where steps are done. */
export interface StepPerformer {
  perform(step: TemplateStep, at: StepPlace): Promise<unknown>
  /** Tells that a step has failed before it began, where somebody wants to know. */
  refused(step: TemplateStep, at: StepPlace, error: Error): Promise<void> | undefined
}

/** What a step needs to know of the run when it starts. */
export interface StepPlace {
  readonly scope: Scope
  /** How it ended what it needs: the outputs by name, of those that are there. */
  readonly needed: readonly string[]
  /** Throws for an output that a decision, or a step that makes batches, may not have. */
  check(output: unknown): void
  /** The cursors of the batches that were made for it. */
  batches(): readonly unknown[]
}

export class GraphRun {
  /** How it has gone so far. */
  readonly course: Course
  readonly #template: Template
  readonly #edges: Edges
  readonly #performer: StepPerformer
  readonly #base: Omit<Scope, 'config'>
  readonly #outputs: Record<string, unknown>
  readonly #errors: Record<string, StepFailure>
  /** How many of those it needs have yet to be settled. */
  readonly #left: number[]
  readonly #outcomes: (Outcome | undefined)[]
  /** How many decisions had to choose for a step to be there. */
  readonly #depths: number[]
  /** Those that a decision has named. */
  readonly #chosen = new Set<number>()
  /** For each decision that is settled those it chose. */
  readonly #choices = new Map<number, ReadonlySet<number>>()
  readonly #ready: number[] = []
  readonly #done = deferred<void>()
  #unsettled: number
  #failure: Error | undefined
  #isDraining = false
  /** The first failure has ended it: what is under way ends with the run. */
  #isOver = false

  constructor(
    template: Template,
    edges: Edges,
    around: { readonly performer: StepPerformer; readonly input: unknown; readonly run: Scope['run'] },
  ) {
    this.#template = template
    this.#edges = edges
    this.#performer = around.performer
    this.#outputs = Object.create(null) as Record<string, unknown>
    this.#errors = Object.create(null) as Record<string, StepFailure>
    // Race: many steps hold them, and one that changed them would change what the others see until the run is led through its journal.
    this.#base = { input: frozen(around.input), steps: this.#outputs, errors: this.#errors, run: around.run }
    this.#left = edges.needs.map(({ length }) => length)
    this.#outcomes = template.steps.map(() => undefined)
    this.#depths = template.steps.map(() => 0)
    this.#unsettled = template.steps.length
    this.course = { outcomes: this.#outcomes, choices: this.#choices, outputs: this.#outputs, errors: this.#errors }
  }

  /** Does all that is to be done and gives the output of the run. Throws the first failure that ends it. */
  async perform(): Promise<unknown> {
    for (const [place, left] of this.#left.entries()) if (left === 0) this.#becomeReady(place)
    this.#drain()
    await this.#done.promise
    if (this.#failure !== undefined) throw this.#failure
    return this.#output()
  }

  /** Not by recursion: a chain of steps that are skipped may be long. */
  #drain(): void {
    if (this.#isDraining || this.#isOver) return
    this.#isDraining = true
    // Grows while it is gone through.
    for (const place of this.#ready) if (!this.#isOver) this.#decide(place)
    this.#ready.length = 0
    this.#isDraining = false
    if (this.#unsettled === 0) this.#done.resolve()
  }

  // A step that stands in for another one waits for the failure of that.
  #becomeReady(place: number): void {
    if (!this.#edges.standbys.has(place)) this.#ready.push(place)
  }

  /** absent, skipped, or to be done */
  #decide(place: number): void {
    const step = this.#stepAt(place)
    const outcomes = this.#outcomesFor(place, step)
    if (outcomes === undefined) return this.#settle(place, 'absent')
    if (!holds(step.when, outcomes)) return this.#settle(place, 'skipped')
    try {
      if (step.if !== undefined && !step.if.make(this.#scopeOf(step))) return this.#settle(place, 'skipped')
    } catch (error) {
      return this.#refuse(place, toError(error))
    }
    this.#begin(place)
  }

  #refuse(place: number, error: Error): void {
    const told = this.#performer.refused(this.#stepAt(place), this.#placeOf(place), error)
    if (told === undefined) this.#fail(place, error)
    else void told.then(() => this.#failed(place, error))
  }

  /** How those ended that it needs and that are there; undefined when it is not there itself. */
  #outcomesFor(place: number, { role }: TemplateStep): readonly Outcome[] | undefined {
    const needs = this.#edges.needs[place] ?? []
    const there = needs.filter((need) => isThereFor(need, place, this.course))
    if (there.length === needs.length) return there.map((need) => this.#outcomes[need] as Outcome)
    const mayLack = this.#chosen.has(place) || (role === 'deferred_convergence' && there.length > 0)
    return mayLack ? there.map((need) => this.#outcomes[need] as Outcome) : undefined
  }

  #begin(place: number): void {
    this.#performer.perform(this.#stepAt(place), this.#placeOf(place)).then(
      (output) => this.#succeeded(place, output),
      (error: unknown) => this.#failed(place, toError(error)),
    )
  }

  #placeOf(place: number, needed = (this.#edges.needs[place] ?? []).map((need) => this.#stepAt(need).name)): StepPlace {
    return {
      scope: this.#scopeOf(this.#stepAt(place)),
      needed,
      check: (output) => this.#check(place, output),
      batches: () => this.#batchesFor(place),
    }
  }

  #check(place: number, output: unknown): void {
    const { role } = this.#stepAt(place)
    if (role === 'decision') this.#chosenBy(place, output)
    if (role === 'batchable') this.#batchesIn(place, output)
  }

  #chosenBy(place: number, output: unknown): readonly number[] {
    return chosenBy(this.#edges, { name: this.#stepAt(place).name, place, depth: this.#depths[place] ?? 0 }, output)
  }

  #batchesFor(place: number): readonly unknown[] {
    const { name } = this.#stepAt(place)
    const maker = (this.#edges.needs[place] ?? []).find((need) => this.#stepAt(need).role === 'batchable')
    if (maker === undefined) return []
    const made = this.#batchesIn(maker, this.#outputs[this.#stepAt(maker).name])
    return made.worker === undefined || made.worker === name ? made.cursors : []
  }

  #batchesIn(place: number, output: unknown): Batches {
    const { name, batch } = this.#stepAt(place)
    return batchesIn({ step: name, workers: this.#batchWorkersAfter(place), worker: batch?.worker }, output)
  }

  #batchWorkersAfter(place: number): readonly string[] {
    const after = (this.#edges.dependents[place] ?? []).map((each) => this.#stepAt(each))
    return after.filter(({ role }) => role === 'batch_worker').map(({ name }) => name)
  }

  #succeeded(place: number, output: unknown): void {
    try {
      // What a run of its own gave, a message brought or a person recorded has not been looked at.
      this.#check(place, output)
    } catch (error) {
      return this.#failed(place, toError(error))
    }
    if (this.#stepAt(place).role === 'decision') this.#choose(place, this.#chosenBy(place, output))
    this.#settle(place, 'succeeded', output)
    this.#settleStandby(place, 'skipped')
    this.#drain()
  }

  #choose(place: number, chosen: readonly number[]): void {
    this.#choices.set(place, new Set(chosen))
    for (const each of chosen) {
      this.#chosen.add(each)
      this.#deepen(each, (this.#depths[place] ?? 0) + 1)
    }
  }

  #failed(place: number, error: Error): void {
    this.#fail(place, error)
    this.#drain()
  }

  #fail(place: number, error: Error): void {
    const { name, onError } = this.#stepAt(place)
    this.#errors[name] = failureOf(error)
    if (onError === 'continue') return this.#goOnAfter(place)
    const standby = this.#edges.fallbacks.get(place)
    if (standby !== undefined && this.#outcomes[standby] === undefined) return this.#standIn(place, standby)
    this.#failure ??= error
    if (this.#template.failure === 'finish_independent') return this.#settle(place, 'failed')
    this.#isOver = true
    this.#done.resolve()
  }

  /** Its output is null; a decision that failed has chosen nothing. */
  #goOnAfter(place: number): void {
    if (this.#stepAt(place).role === 'decision') this.#choose(place, [])
    this.#settle(place, 'succeeded')
  }

  /** Another step is done in the place of one that failed, and its output is the output of both. */
  #standIn(place: number, standby: number): void {
    this.#performer.perform(this.#stepAt(standby), this.#placeOf(standby, [this.#stepAt(place).name])).then(
      (output) => {
        this.#settle(standby, 'succeeded', output)
        this.#succeeded(place, output)
      },
      (error: unknown) => {
        this.#settle(standby, 'failed')
        this.#failed(place, toError(error))
      },
    )
  }

  #settleStandby(place: number, outcome: Outcome): void {
    const standby = this.#edges.fallbacks.get(place)
    if (standby !== undefined && this.#outcomes[standby] === undefined) this.#settle(standby, outcome)
  }

  #settle(place: number, outcome: Outcome, output: unknown = null): void {
    this.#outcomes[place] = outcome
    this.#outputs[this.#stepAt(place).name] = frozen(output ?? null)
    this.#unsettled -= 1
    if (outcome !== 'succeeded') this.#settleStandby(place, outcome === 'failed' ? 'failed' : 'skipped')
    for (const next of this.#edges.dependents[place] ?? []) {
      this.#deepen(next, this.#depths[place] ?? 0)
      const left = (this.#left[next] = (this.#left[next] ?? 0) - 1)
      if (left === 0) this.#becomeReady(next)
    }
  }

  #deepen(place: number, depth: number): void {
    this.#depths[place] = Math.max(this.#depths[place] ?? 0, depth)
  }

  /** What the template says, else the outputs of the steps that no other needs. */
  #output(): unknown {
    const { output, steps } = this.#template
    if (output !== undefined) return output.make({ ...this.#base, config: {} })
    const last = steps.filter(
      (_, place) => this.#edges.dependents[place]?.length === 0 && this.#outcomes[place] === 'succeeded',
    )
    return Object.fromEntries(last.map(({ name }) => [name, this.#outputs[name]]))
  }

  #scopeOf({ config }: TemplateStep): Scope {
    return { ...this.#base, config: frozen(config) }
  }

  #stepAt(place: number): TemplateStep {
    return this.#template.steps[place] as TemplateStep
  }
}
