// How workers and workflows of the crash tests do their work: every result is a new value that stands in the ledger before it is returned.
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../src/lib/clock.ts'
import type { WorkflowContext } from '../../src/workflow/context.ts'
import type { StepOptions } from '../../src/workflow/steps/step-options.ts'
import type { StepContext } from '../../src/workflow/steps/step.ts'
import type { Note } from './ledger.ts'

export const quickRetry = { attempts: 3, base: 1, jitter: 0 } as const

interface Effort {
  readonly takesMs?: number
  /** How many attempts fail first. */
  readonly fails?: number
  readonly speaks?: boolean
}

/** Runs steps and tells what user code saw of them. */
export class Teller<Input> {
  readonly ctx: WorkflowContext<Input>
  readonly #note: Note
  readonly #fresh: Set<string>

  constructor(ctx: WorkflowContext<Input>, note: Note, fresh = new Set<string>()) {
    this.ctx = ctx
    this.#note = note
    this.#fresh = fresh
  }

  in(ctx: WorkflowContext<Input>): Teller<Input> {
    return new Teller(ctx, this.#note, this.#fresh)
  }

  async step(name: string, effort: Effort, options?: StepOptions<Input, string>): Promise<string> {
    const uuid = await this.ctx.step<Promise<string>>(name, (step) => this.#perform(step, effort), options)
    return this.#see(uuid)
  }

  /** A step that fails for good: its error is what is remembered. */
  async refusal(name: string): Promise<string> {
    try {
      return await this.step(name, { fails: 9 }, { retry: { ...quickRetry, attempts: 2 } })
    } catch (error) {
      return this.#see((error as Error).message)
    }
  }

  /** Both results, and a note of which came first. */
  async race(left: string, right: string): Promise<string[]> {
    const runners = [this.step(left, { takesMs: 2 }), this.step(right, { takesMs: 2 })]
    const uuid = await Promise.race(runners)
    this.#note({ kind: 'won', run: this.ctx.runId, uuid })
    return Promise.all(runners)
  }

  #perform(step: StepContext, { takesMs = 0, fails = 0, speaks = false }: Effort): Promise<string> {
    const { run, path } = placeOf(step)
    const isFailing = step.attempt <= fails
    const speak = (uuid: string): void => void (speaks && this.ctx.emit({ working: uuid }))
    return perform(this.#note, { run, path }, { takesMs, isFailing, speak, begun: (uuid) => this.#fresh.add(uuid) })
  }

  #see(uuid: string): string {
    this.#note({ kind: 'seen', run: this.ctx.runId, uuid, isFresh: this.#fresh.has(uuid) })
    this.ctx.emit({ seen: uuid })
    return uuid
  }
}

interface Performance {
  readonly takesMs: number
  readonly isFailing: boolean
  readonly begun?: (uuid: string) => void
  /** Called before and after the work. */
  readonly speak?: (uuid: string) => void
}

export async function perform(
  note: Note,
  place: { readonly run: string; readonly path: string },
  how: Performance,
): Promise<string> {
  const uuid = randomUUID()
  note({ kind: 'begun', ...place, uuid })
  how.begun?.(uuid)
  how.speak?.(uuid)
  if (how.takesMs > 0) await new Promise<void>((resolve) => systemClock.after(how.takesMs, resolve))
  how.speak?.(uuid)
  note({ kind: how.isFailing ? 'failed' : 'effect', ...place, uuid })
  if (how.isFailing) throw new Error(uuid)
  return uuid
}

/** Of a step, or of what undoes it. */
export function placeOf({ idempotencyKey }: Pick<StepContext, 'idempotencyKey'>): { run: string; path: string } {
  const slash = idempotencyKey.indexOf('/')
  return { run: idempotencyKey.slice(0, slash), path: idempotencyKey.slice(slash + 1) }
}
