// A piece of a step's work, and what its worker is given.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { TemplateStep } from '../model/template.ts'
import type { StepPlace } from './graph-run.ts'
import type { FindLimiter } from './step-rules.ts'

/** What stands behind the names in a template. */
export interface Names {
  /** What does the work; undefined when its code is elsewhere. */
  worker(name: string): AnyDefinition | undefined
  readonly limiter: FindLimiter
  /** Why nothing can be done by a name. */
  missing(uses: string): Error
}

/** One piece of a step: all of it, an item of it, or a batch. */
export interface Piece {
  readonly step: TemplateStep
  readonly path: string
  readonly at: StepPlace
  /** What its worker is given beside the rest. */
  readonly batch?: unknown
}

/** What a worker is given. */
export function inputOf(piece: Piece): unknown {
  return piece.step.with === undefined ? defaultInput(piece) : piece.step.with.make(piece.at.scope)
}

export function defaultInput({ step, at, batch }: Piece): object {
  const { scope, needed } = at
  const steps = Object.fromEntries(needed.map((name) => [name, scope.steps[name] ?? null]))
  const { input, config, item } = scope
  return { input, steps, config, ...(step.forEach && { item }), ...(batch !== undefined && { batch }) }
}
