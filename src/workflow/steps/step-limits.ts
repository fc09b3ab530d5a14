// The limiters of steps: an attempt waits for its slots here, has them while it is executed, and gives them back however it ends.
import type { Activation } from '../../engine/activation/activation.ts'
import { isTroupeError, toError } from '../../lib/errors.ts'
import { checkKey, checkList, checkObject } from '../../engine/checks.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import { keyAt, type LimiterRule } from '../../engine/limits/limits.ts'
import type { KeyedLimiter, Visit } from '../../engine/limits/slots.ts'
import { definitionInvalid, optionInvalid } from '../../model/errors.ts'
import { turnFrom, turnText, type Turn } from '../../model/limiter.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { isLimiter } from '../../worker/options.ts'
import type { StepExecution } from './step.ts'

export interface StepLimitsOwner {
  readonly activation: Activation
  /** It has its place in the lines: from now on the run may be parked with this wait. */
  lined(wait: WaitRecord): void
  /** It has all its slots. */
  passed(execution: StepExecution): void
  /** It never will. */
  refused(execution: StepExecution, error: Error): void
  /** It gets no place here any more: the node stops. */
  turnedAway(): void
}

export class StepLimits {
  readonly #owner: StepLimitsOwner
  readonly #visits = new Map<string, Visit>()
  // Those that wait, and whether they have their places.
  readonly #waiting = new Map<string, boolean>()
  #turnedAway = 0

  constructor(owner: StepLimitsOwner) {
    this.#owner = owner
  }

  /** Whether any go on at once elsewhere, as they got no place here. */
  get hasTurnedAway(): boolean {
    return this.#turnedAway > 0
  }

  /** `wait` is what it was parked with. */
  enter(execution: StepExecution, wait: WaitRecord | undefined): void {
    const { activation } = this.#owner
    const { path, limits } = execution
    this.#waiting.set(path, false)
    const ticket = wait === undefined ? undefined : turnFrom(wait.name ?? '').ticket
    const visit = activation.around.slots.visit(
      { limits, step: { runId: activation.held.runId, path, ticket } },
      {
        lined: (turn) => this.#lined(path, turn),
        passed: () => {
          this.#waiting.delete(path)
          this.#owner.passed(execution)
        },
        ended: (reason) => this.#refused(execution, toError(reason)),
      },
    )
    this.#visits.set(path, visit)
  }

  /** An attempt has ended. */
  leave(path: string): void {
    const visit = this.#visits.get(path)
    if (visit === undefined) return
    this.#visits.delete(path)
    this.#waiting.delete(path)
    this.#owner.activation.around.slots.leave(visit)
  }

  clear(): void {
    for (const path of this.#visits.keys()) this.leave(path)
  }

  /** The run is parked: who waits keeps its place, in a line of the run. */
  forget(): void {
    for (const visit of this.#visits.values()) this.#owner.activation.around.slots.forget(visit)
    this.#visits.clear()
  }

  #lined(path: string, turn: Turn): void {
    this.#waiting.set(path, true)
    this.#owner.lined({ path, kind: 'limiter', name: turnText(turn), dueAt: null })
  }

  #refused(execution: StepExecution, error: Error): void {
    const { activation } = this.#owner
    const isLined = this.#waiting.get(execution.path)
    if (activation.isOver || isLined === undefined) return
    if (isTroupeError(error, 'engine_stopped')) return this.#turnAway(isLined)
    this.leave(execution.path)
    if (isTroupeError(error, 'definition_invalid')) this.#owner.refused(execution, error)
    else activation.writeFailed(error)
  }

  /** A node that stops gives up the whole run, with the places that it has. */
  #turnAway(isLined: boolean): void {
    if (isLined) return
    this.#turnedAway += 1
    this.#owner.turnedAway()
  }
}

const expected = 'a list of what limiter() returns, each alone or as { limiter, key }'

/** What a step has to pass, each limiter once. Throws `option_invalid`, and `definition_invalid` for a limiter of the workflow itself. */
export function limitsOfStep(
  what: string,
  limits: unknown,
  { definition, input }: { readonly definition: AnyDefinition; readonly input: unknown },
): readonly KeyedLimiter[] {
  checkList(`limits of ${what}`, limits, expected)
  const keyed = (limits as readonly unknown[]).map((given) => keyedLimiter(what, given, input))
  const own = new Set(definition.settings.limits.map(({ name }) => name))
  const twice = keyed.find(({ rule }) => own.has(rule.name))
  if (twice !== undefined) throw limitedTwice(what, twice.rule.name)
  return [...new Map(keyed.map((limit) => [limit.rule.name, limit])).values()]
}

function keyedLimiter(what: string, given: unknown, input: unknown): KeyedLimiter {
  if (isLimiter(given)) return { rule: given, key: keyAt(given, input, `the input of the run for ${what}`) }
  checkObject(`limits of ${what}`, given, expected)
  const { limiter, key } = given as Partial<{ limiter: LimiterRule; key: string }>
  if (!isLimiter(limiter)) throw optionInvalid(`limits of ${what}`, given, expected)
  checkKey(`key of limiter '${limiter.name}' at ${what}`, key)
  return { rule: limiter, key: key as string }
}

// It would wait for a slot that its own run may have.
function limitedTwice(what: string, limiter: string): Error {
  return definitionInvalid(
    `The limits of ${what} name limiter '${limiter}', which its workflow names too: leave it to one of them, as the run has a slot of it while its steps run.`,
  )
}
