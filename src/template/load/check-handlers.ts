// Whether there are workers for the steps, and whether they can take what they are given.
import { meantText } from '../../lib/nearest.ts'
import { clip } from '../../lib/text.ts'
import type { Prepared, Spot } from '../expression/placeholders.ts'
import type { HandlerNeed } from '../../store/templates.ts'
import { handlerName, type JsonSchema, type Template } from '../model/template.ts'
import { nameOf } from '../model/title.ts'
import type { CompiledStep } from './compile-step.ts'
import { misfits } from './json-schema.ts'
import { faultText, typeWords, type Misfit } from './misfit-text.ts'
import { spotWithin } from './places.ts'
import type { Problems } from './problems.ts'
import { mayFit, schemaAt, typesOf, typesOfPrepared, type Known, type Types } from './static-type.ts'

/** What is known of a worker, workflow or template that steps may name. */
export interface HandlerTypes {
  /** A JSON Schema of what it is given. */
  readonly input?: JsonSchema
  /** A JSON Schema of what it gives. */
  readonly output?: JsonSchema
}

export type TemplateHandlers = Readonly<Record<string, HandlerTypes>>

/** Templates, as the steps of others may name them. */
export function handlersOf(templates: readonly Template[]): TemplateHandlers {
  const typesOf = ({ input }: Template): HandlerTypes => (input === undefined ? {} : { input })
  return Object.fromEntries(templates.map((each) => [nameOf(each), typesOf(each)]))
}

const mostHints = 25

/** Why nobody does the work of a step; with what may have been meant. */
export function missingText(step: string, need: HandlerNeed, known: readonly string[]): string {
  const { uses, method, resolver } = need
  const name = clip(uses, 255)
  const shown = `Step '${step}' uses '${clip(uses, 120)}'`
  const methods = methodsOf(need, known)
  if (method !== undefined && methods.length > 0)
    return `${shown}, which has no method '${clip(method, 120)}' here.${meantText(clip(method, 255), methods)} It has: ${methods.join(', ')}.`
  if (resolver !== undefined)
    return `${shown}, for which resolver '${clip(resolver, 120)}' has nothing here, or there is none of that name.`
  return `${shown}, which is no worker, workflow or template here.${meantText(name, known)}`
}

function methodsOf({ uses, resolver }: HandlerNeed, known: readonly string[]): readonly string[] {
  const whole = handlerName({ uses, resolver })
  const named = known.filter((name) => name.startsWith(`${whole}.`)).map((name) => name.slice(whole.length + 1))
  return known.includes(whole) ? ['call', ...named] : named
}

export interface HandlerRules {
  readonly problems: Problems
  readonly handlers: TemplateHandlers
  readonly mayBeUnknown: boolean
  /** The schema of the template's own input. */
  readonly input: JsonSchema | undefined
}

export function checkHandlers(steps: readonly CompiledStep[], rules: HandlerRules): void {
  new HandlerChecker(steps, rules).check()
}

class HandlerChecker {
  readonly #steps: readonly CompiledStep[]
  readonly #rules: HandlerRules
  readonly #names: readonly string[]
  readonly #known: Known
  #hints = mostHints

  constructor(steps: readonly CompiledStep[], rules: HandlerRules) {
    this.#steps = steps
    this.#rules = rules
    this.#names = Object.keys(rules.handlers)
    const byName = new Map(steps.map((compiled) => [compiled.step.name, compiled]))
    this.#known = { input: rules.input, outputOf: (name) => this.#outputOf(byName.get(name)) }
  }

  check(): void {
    for (const compiled of this.#steps) {
      const { step, form, given } = compiled
      const { work, undo } = step
      if (work.kind === 'worker' && work.uses !== '') {
        this.#checkNeed(step.name, work, { owner: form, key: 'uses' })
        const wanted = this.#handler(handlerName(work))?.input
        if (given !== undefined && wanted !== undefined) this.#checkGiven(given, { compiled, uses: work.uses, wanted })
      }
      if (undo !== undefined) this.#checkNeed(step.name, undo, { owner: form, key: 'undo' })
    }
  }

  #handler(name: string): HandlerTypes | undefined {
    return Object.hasOwn(this.#rules.handlers, name) ? this.#rules.handlers[name] : undefined
  }

  /** Of forEach it is a list of outputs. */
  #outputOf(compiled: CompiledStep | undefined): unknown {
    if (compiled === undefined) return undefined
    const { work, result, forEach, role } = compiled.step
    const one = result ?? (work.kind === 'worker' ? this.#handler(handlerName(work))?.output : undefined)
    if (role !== 'standard') return undefined
    return forEach === undefined ? one : { type: 'array', ...(one !== undefined && { items: one }) }
  }

  #checkNeed(step: string, need: HandlerNeed, spot: Spot): void {
    const { mayBeUnknown, problems } = this.#rules
    if (mayBeUnknown || this.#handler(handlerName(need)) !== undefined) return
    this.#hints -= 1
    problems.error(missingText(step, need, this.#hints < 0 ? [] : this.#names), spot)
  }

  #checkGiven(given: Prepared, { compiled, uses, wanted }: Given): void {
    const holes: Hole[] = []
    const value = valueWithHoles(given, { path: [], holes, wanted })
    const spot = (path: readonly (string | number)[]): Spot => spotWithin({ owner: compiled.form, key: 'with' }, path)
    for (const misfit of misfits(wanted, value).filter((each) => isSure(each, holes)))
      this.#rules.problems.error(
        `Worker '${uses}' does not take this: ${faultText(misfit.place.length > 0 ? misfit : { ...misfit, place: ['with'] })}.`,
        spot(misfit.place),
      )
    for (const { path, prepared, takes } of holes) {
      const is = typesOfPrepared(prepared, this.#known)
      if (mayFit(is, takes)) continue
      const message = `Worker '${uses}' does not take this: ${whereText(path)} is ${listed(is)}, and it takes ${listed(takes)}.`
      this.#rules.problems.error(message, spot(path))
    }
  }
}

interface Given {
  readonly compiled: CompiledStep
  readonly uses: string
  readonly wanted: JsonSchema
}

/** What is known only when it is made. */
interface Hole {
  readonly path: readonly (string | number)[]
  readonly prepared: Prepared
  /** Of what it is to be. */
  readonly takes: Types
}

interface Within {
  /** Of where it looks now. */
  readonly path: (string | number)[]
  readonly holes: Hole[]
  readonly wanted: JsonSchema
}

/** Something of each type, to stand in a hole: most often nothing is wrong with it, and nothing is to be told. */
const samples = new Map<string, unknown>([
  ['string', ''],
  ['number', 0],
  ['integer', 0],
  ['boolean', false],
])

function valueWithHoles(prepared: Prepared, within: Within): unknown {
  const { path, holes, wanted } = within
  const part = (each: Prepared, key: string | number): unknown => {
    path.push(key)
    const value = valueWithHoles(each, within)
    path.pop()
    return value
  }
  switch (prepared.kind) {
    case 'constant':
      return prepared.value
    case 'list':
      return prepared.items.map(part)
    case 'object':
      return Object.fromEntries(prepared.entries.map(([key, each]) => [key, part(each, key)]))
    default: {
      const takes = typesOf(schemaAt(wanted, path))
      holes.push({ path: [...path], prepared, takes })
      return samples.get(takes?.[0] ?? '') ?? null
    }
  }
}

// What these say of an object or list holds whatever its parts are.
const aboutKeys = new Set([
  'type',
  'required',
  'additionalProperties',
  'minProperties',
  'maxProperties',
  'minItems',
  'maxItems',
])

/** Whether it is wrong whatever the holes will hold. */
function isSure({ path, keyword, isOfChoice }: Misfit, holes: readonly Hole[]): boolean {
  if (holes.length === 0) return true
  if (isOfChoice) return false
  const leadsTo = (hole: Hole): boolean => path.every((key, index) => String(hole.path[index]) === key)
  const isWithin = (hole: Hole): boolean => hole.path.every((key, index) => path[index] === String(key))
  if (holes.some(isWithin)) return false
  return aboutKeys.has(keyword) || !holes.some(leadsTo)
}

function whereText(path: readonly (string | number)[]): string {
  return path.length === 0 ? "'with'" : `'${path.join('.')}'`
}

function listed(types: readonly string[] | undefined): string {
  return (types ?? []).map((type) => typeWords[type] ?? type).join(' or ')
}
