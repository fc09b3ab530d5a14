// Steps that wait for somebody with their token while their run is not parked, as something else of it executes: what comes is looked for.
import { readForRun } from '../../engine/activation/unread.ts'
import type { Lookout } from '../../lib/lookout.ts'
import type { CompletedStep } from '../../store/waits.ts'
import { lookoutOf, type LookoutOwner } from './lookout.ts'
import type { StepExecution } from '../steps/step.ts'

/** What it needs of the run. */
export interface AwaitedTokensOwner extends LookoutOwner {
  /** What was waited for is there before its time was up. */
  came(path: string): void
}

export class AwaitedTokens {
  readonly #owner: AwaitedTokensOwner
  readonly #lookout: Lookout
  readonly #waiting = new Map<string, StepExecution>()
  // Their time is up, unless the store knows of something that came before.
  readonly #late = new Set<StepExecution>()
  // Some were not looked for yet: one that parks hears of what came by that.
  #isNew = false
  #leave: (() => void) | undefined

  constructor(owner: AwaitedTokensOwner) {
    const isNeeded = (): boolean => this.#waiting.size + this.#late.size > 0
    this.#owner = owner
    this.#lookout = lookoutOf({ owner, isNeeded, see: () => this.#see() })
  }

  add(step: StepExecution): void {
    this.#waiting.set(step.path, step)
    this.#isNew = true
  }

  /** The run is not parked now. */
  stay(): void {
    if (!this.#isNew) return
    this.#leave ??= this.#owner.activation.around.post.mailboxes.open(() => this.look())
    this.look()
  }

  /** Something may have come. */
  look(): void {
    this.#isNew = false
    this.#lookout.look()
  }

  /** The time of one is up. */
  due(step: StepExecution): void {
    this.#late.add(step)
    this.look()
  }

  /** Nobody waits for these any more. */
  removeWithin(scope: string): void {
    for (const path of this.#waiting.keys()) if (path.startsWith(`${scope}/`)) this.#waiting.delete(path)
    for (const step of this.#late) if (step.path.startsWith(`${scope}/`)) this.#late.delete(step)
  }

  clear(): void {
    this.#waiting.clear()
    this.#late.clear()
    this.#lookout.end()
    this.#leave?.()
  }

  async #see(): Promise<void> {
    const late = [...this.#late]
    const { activation } = this.#owner
    const completed = await activation.deps.store.listCompletions(activation.held)
    if (activation.isOver) return
    readForRun(completed.map(({ result }) => result))
    for (const step of completed) this.#take(step)
    for (const step of late) {
      if (!this.#late.delete(step)) continue
      this.#waiting.delete(step.path)
      step.late()
    }
  }

  #take({ path, startedAt, result }: CompletedStep): void {
    const step = this.#waiting.get(path)
    // Race: what was read may be of an attempt that has taken it, and was followed by another.
    if (step?.startedAt !== startedAt) return
    this.#waiting.delete(path)
    if (!this.#late.delete(step)) this.#owner.came(path)
    step.completed(result)
  }
}
