// What can be told of steps once all of them are known: names, needs, circles, and whose outputs are taken.
import { meantText } from '../../lib/nearest.ts'
import { clip } from '../../lib/text.ts'
import type { Spot } from '../expression/placeholders.ts'
import { mostEdges } from '../model/model.ts'
import { comeBefore, type Pair } from '../plan/ancestors.ts'
import { circlesOf, planOf, type Plan } from '../plan/plan.ts'
import type { CompiledStep } from './compile-step.ts'
import type { Compiling, Taken } from './compiling.ts'
import type { Problems } from './problems.ts'

// Comparing a name with all others takes time.
const mostHints = 25
const longestCircle = 12

export function checkGraph(steps: readonly CompiledStep[], compiling: Compiling): void {
  new GraphChecker(steps, compiling).check()
}

class GraphChecker {
  readonly #steps: readonly CompiledStep[]
  readonly #compiling: Compiling
  readonly #problems: Problems
  readonly #byName = new Map<string, CompiledStep>()
  readonly #names: readonly string[]
  #hints = mostHints

  constructor(steps: readonly CompiledStep[], compiling: Compiling) {
    this.#steps = steps
    this.#compiling = compiling
    this.#problems = compiling.problems
    this.#names = steps.map(({ step }) => step.name)
  }

  check(): void {
    this.#checkNames()
    const edges = this.#steps.reduce((sum, { step }) => sum + step.needs.length, 0)
    if (edges > mostEdges) {
      this.#problems.errorAt(
        `The steps need each other ${edges.toLocaleString('en')} times: at most ${mostEdges.toLocaleString('en')} are allowed.`,
        0,
      )
      return
    }
    this.#checkNeeds()
    this.#checkFallbacks()
    const plan = planOf(this.#steps.map(({ step }) => step))
    const circles = circlesOf(plan)
    for (const circle of circles) this.#tellCircle(circle)
    this.#checkTaken(plan, circles.length === 0)
  }

  #checkNames(): void {
    for (const compiled of this.#steps) {
      const { name } = compiled.step
      if (this.#byName.has(name))
        this.#problems.error(`Another step is named '${name}': each has its own name.`, spotOf(compiled, 'name'))
      else this.#byName.set(name, compiled)
    }
    this.#checkNamesOfBatches()
  }

  /** The batches of a step are steps NAME_000, NAME_001 and so on. */
  #checkNamesOfBatches(): void {
    for (const compiled of this.#steps) {
      const { name } = compiled.step
      const [, batched = ''] = /^(.+)_(?:\d{3}|[1-9]\d{3,4})$/.exec(name) ?? []
      if (this.#byName.get(batched)?.step.role === 'batch_worker')
        this.#problems.error(
          `A batch of step '${batched}' is named '${name}': give this step another name.`,
          spotOf(compiled, 'name'),
        )
    }
  }

  #checkNeeds(): void {
    for (const compiled of this.#steps) {
      if (this.#problems.isFull) return
      const { step } = compiled
      for (const need of step.needs.filter((each) => !this.#byName.has(each)))
        this.#problems.error(
          `Step '${step.name}' needs '${clip(need, 60)}', which is no step.${this.#hint(need)}`,
          needSpot(compiled, need),
        )
      this.#checkBatchWorker(compiled)
      if (step.role === 'batch_worker' && !step.needs.some((need) => this.#mayDivide(need)))
        this.#problems.error(
          `Nothing says what the batches of step '${step.name}' are: let it need a step of type 'batchable'.`,
          spotOf(compiled, 'type'),
        )
    }
  }

  /** A step that makes batches may name the one that does them; one that does batches does its own. */
  #checkBatchWorker(compiled: CompiledStep): void {
    const { name, batch, role } = compiled.step
    const worker = batch?.worker
    if (worker === undefined || worker === name || this.#isMistaken(compiled)) return
    const done = this.#byName.get(worker)
    const by = `The batches of step '${name}' are done by '${clip(worker, 60)}', which is no`
    if (done === undefined) return this.#problems.error(`${by} step.${this.#hint(worker)}`, spotOf(compiled, 'batch'))
    if (role === 'batchable' && (this.#isMistaken(done) || isBatchWorkerOf(done, name))) return
    const why =
      role === 'batchable'
        ? `${by} step of type 'batch_worker' that needs it.`
        : `Step '${name}' names '${clip(worker, 60)}' as the step that does its batches: a step of type 'batchable' may do that, any other does its own.`
    this.#problems.error(why, spotOf(compiled, 'batch'))
  }

  /** What is not known or has a mistake in its type may be meant to. */
  #mayDivide(name: string): boolean {
    const named = this.#byName.get(name)
    return named === undefined || named.step.role === 'batchable' || this.#isMistaken(named)
  }

  #isMistaken({ form }: CompiledStep): boolean {
    return this.#problems.isSpoilt({ owner: form, key: 'type' })
  }

  /** A fallback is started by the failure of one step, and by nothing else. */
  #checkFallbacks(): void {
    const standsIn = new Map<string, string>()
    for (const compiled of this.#steps) {
      const { name, onError } = compiled.step
      if (typeof onError !== 'object') continue
      const { fallback } = onError
      const other = standsIn.get(fallback)
      const spot = spotOf(compiled, 'onError')
      if (!this.#byName.has(fallback))
        this.#problems.error(
          `The fallback of '${name}' is '${clip(fallback, 60)}', which is no step.${this.#hint(fallback)}`,
          spot,
        )
      else if (other !== undefined)
        this.#problems.error(`'${fallback}' is the fallback of '${other}' already: give each step its own.`, spot)
      else standsIn.set(fallback, name)
    }
    if (standsIn.size === 0) return
    for (const compiled of this.#steps) this.#checkUseOfFallbacks(compiled, standsIn)
  }

  #checkUseOfFallbacks(compiled: CompiledStep, standsIn: ReadonlyMap<string, string>): void {
    const { step } = compiled
    if (standsIn.has(step.name) && step.needs.length > 0)
      this.#problems.error(
        `'${step.name}' is started when '${standsIn.get(step.name)}' fails, and by nothing else: leave 'needs' out.`,
        spotOf(compiled, 'needs'),
      )
    for (const need of step.needs.filter((each) => standsIn.has(each)))
      this.#problems.error(
        `'${need}' stands in for '${standsIn.get(need)}' when that fails, and gives its output as that: need '${standsIn.get(need)}'.`,
        needSpot(compiled, need),
      )
  }

  #tellCircle(circle: readonly string[]): void {
    const [first = ''] = circle
    const shown =
      circle.length <= longestCircle
        ? circle
        : [...circle.slice(0, longestCircle - 1), `… ${circle.length - longestCircle} more …`, circle.at(-1) ?? '']
    const path = [...shown, first].join(' → ')
    const compiled = this.#byName.get(first)
    if (compiled === undefined) return
    const last = circle.at(-1) ?? first
    const why = circle.length === 1 ? 'It would wait for itself' : 'None of them could ever begin'
    this.#problems.error(`The steps stand in a circle: ${path}. ${why}.`, needSpot(compiled, last))
  }

  /** Whoever takes an output has to come after the step that gives it. */
  #checkTaken(plan: Plan, isOrdered: boolean): void {
    const places = new Map(plan.names.map((name, place) => [name, place]))
    const asked: { readonly taken: Taken; readonly pair: Pair }[] = []
    for (const taken of this.#compiling.taken) {
      if (this.#problems.isFull) return
      const { by, step } = taken
      const earlier = places.get(step)
      if (earlier === undefined) this.#tellTaken(taken, `There is no step '${clip(step, 60)}'.${this.#hint(step)}`)
      else if (by.step !== undefined && !(by.reach === 'itself' && by.step === step))
        asked.push({ taken, pair: { step: places.get(by.step) ?? 0, earlier } })
    }
    if (!isOrdered) return
    const answers = comeBefore(
      plan,
      asked.map(({ pair }) => pair),
    )
    for (const [index, { taken }] of asked.entries()) {
      if (answers[index] === false) this.#tellTaken(taken, notBefore(taken))
    }
  }

  #tellTaken({ placeholder, at }: Taken, message: string): void {
    this.#problems.errorWithin(message, placeholder.spot, { text: placeholder.expression.text, at })
  }

  #hint(name: string): string {
    this.#hints -= 1
    return this.#hints < 0 ? '' : meantText(clip(name, 255), this.#names)
  }
}

function isBatchWorkerOf({ step }: CompiledStep, maker: string): boolean {
  return step.role === 'batch_worker' && step.needs.includes(maker)
}

function notBefore({ by, step }: Taken): string {
  if (by.step === step) return `Step '${step}' takes its own output, which is not there when it starts.`
  return `Step '${by.step}' takes the output of '${step}', which does not come before it: add '${step}' to its 'needs'.`
}

function spotOf({ form }: CompiledStep, key: string): Spot {
  return { owner: form, key }
}

function needSpot({ form }: CompiledStep, need: string): Spot {
  const { needs } = form
  const index = Array.isArray(needs) ? needs.indexOf(need) : -1
  return index === -1 ? { owner: form, key: 'needs' } : { owner: needs as object, key: index }
}
