// What a run did before: the steps it remembers, under the paths by which its code asks for them.
import { journalMismatch, stepNameTaken } from '../model/errors.ts'
import { repeatedPath } from '../model/path.ts'
import type { Claimed, RememberedAttempt, RememberedStep, StepKind } from '../store/store.ts'

export class Journal {
  readonly #remembered: Map<string, RememberedStep>
  readonly #inOrder: readonly RememberedStep[]
  readonly #attempts: Map<string, RememberedAttempt>
  readonly #uses = new Map<string, number>()
  // The paths of the turns of loops that are under way.
  readonly #turns = new Map<string, string[]>()
  readonly #underWay = new Set<string>()
  #lastSeq: number
  // All before this place were asked for, or are waited for no more.
  #place = 0

  constructor(claimed: Claimed) {
    this.#remembered = new Map(claimed.steps.map((step) => [step.path, step]))
    this.#inOrder = claimed.steps
    this.#attempts = new Map(claimed.failedAttempts.map((attempt) => [attempt.path, attempt]))
    this.#lastSeq = claimed.steps.at(-1)?.seq ?? 0
  }

  /** The first remembered step that the code has not asked for; Infinity when there is none. */
  get earliestUnread(): number {
    for (; this.#place < this.#inOrder.length; this.#place += 1) {
      const step = this.#inOrder[this.#place]
      if (step !== undefined && this.#remembered.has(step.path)) return step.seq
    }
    return Infinity
  }

  /** Waits no more for steps before this one: the code may have changed and never ask for them. */
  passOver(seq: number): void {
    while ((this.#inOrder[this.#place]?.seq ?? Infinity) < seq) this.#place += 1
  }

  nextSeq(): number {
    return ++this.#lastSeq
  }

  /** The path of this use of a name: the second one after another is `name#2`. Throws when the first is still under way. */
  enter(path: string): string {
    if (this.#underWay.has(path)) throw stepNameTaken(path)
    this.#underWay.add(path)
    return this.enterUnnamed(path)
  }

  /** The same for what has no name of its own, where several at the same time are told apart by their order. */
  enterUnnamed(path: string): string {
    for (const [inside, paths] of this.#turns) if (path.startsWith(inside)) paths.push(path)
    const use = (this.#uses.get(path) ?? 0) + 1
    this.#uses.set(path, use)
    return repeatedPath(path, use)
  }

  leave(path: string): void {
    this.#underWay.delete(path)
  }

  /** The remembered result of a step, once; undefined when it has yet to be done. */
  take(path: string, kind: StepKind): RememberedStep | undefined {
    const step = this.#remembered.get(path)
    if (step === undefined) return undefined
    if (step.kind !== kind) throw journalMismatch(path, step.kind, kind)
    this.#remembered.delete(path)
    return step
  }

  /** Keeps what is entered in the scope of a turn, so that it can be forgotten without going through all the run has done. */
  openTurn(scope: string): void {
    this.#turns.set(`${scope}/`, [])
  }

  /** The last turn of a loop is over: what it did stays. */
  closeTurn(scope: string): void {
    this.#turns.delete(`${scope}/`)
  }

  /** Nothing in this scope is asked for any more. */
  forgetTurn(scope: string): void {
    const inside = `${scope}/`
    for (const path of this.#turns.get(inside) ?? []) this.#uses.delete(path)
    this.#turns.delete(inside)
    // Only while it is led through what it did before is anything left here.
    for (const path of this.#remembered.keys()) if (path.startsWith(inside)) this.#remembered.delete(path)
  }

  attemptsOf(path: string): RememberedAttempt | undefined {
    return this.#attempts.get(path)
  }
}
