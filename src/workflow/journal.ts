// What a run did before: the steps it remembers, under the paths by which its code asks for them.
import type { JournalPlace } from '../model/divergence.ts'
import { stepNameTaken } from '../model/errors.ts'
import { repeatedPath } from '../model/path.ts'
import type { Claimed, RememberedAttempt, RememberedStep, StepKind } from '../store/store.ts'
import { TurnPaths } from './turn-paths.ts'

/** How often a path was entered; of what has a name one at a time is under way. */
interface Use {
  count: number
  isUnderWay: boolean
}

// Of runs that remember nothing, which are most: only what is remembered is ever taken out.
const noSteps = new Map<string, RememberedStep>()
const noAttempts: ReadonlyMap<string, RememberedAttempt> = new Map()

export class Journal {
  readonly #remembered: Map<string, RememberedStep>
  readonly #inOrder: readonly RememberedStep[]
  readonly #attempts: ReadonlyMap<string, RememberedAttempt>
  readonly #uses = new Map<string, Use>()
  #turns: TurnPaths | undefined
  /** Nothing is missing in it that was there when its run did what it holds: a failure that is not remembered in another generation. */
  readonly isWhole: boolean
  /** How much of it has not been asked for and has to be. */
  unreadCount = 0
  /** The last thing that was asked for as it is remembered. */
  lastTaken: JournalPlace | undefined
  #lastSeq: number
  #size = 0
  // All before this place were asked for, or are waited for no more.
  #place = 0

  constructor(claimed: Claimed) {
    const { formerSteps = [], failedAttempts } = claimed
    const isLedByFormer = formerSteps.length > 0
    const steps = isLedByFormer ? [...formerSteps, ...claimed.steps].toSorted(bySeq) : claimed.steps
    this.#remembered = steps.length === 0 ? noSteps : new Map(steps.map((step) => [step.path, step]))
    this.#inOrder = steps
    this.#attempts =
      failedAttempts.length === 0 ? noAttempts : new Map(failedAttempts.map((attempt) => [attempt.path, attempt]))
    this.#lastSeq = steps.at(-1)?.seq ?? 0
    for (const step of steps) if (mustBeAsked(step)) this.unreadCount += 1
    // Code may do something else in another attempt, as it sees its number.
    this.isWhole =
      !isLedByFormer && claimed.attempt === 1 && (claimed.held.generation === 1 || this.#lastSeq === steps.length)
  }

  /** How much the code has asked for that is not forgotten. */
  get size(): number {
    return this.#size
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
    const use = this.#use(path)
    if (use.isUnderWay) throw stepNameTaken(path)
    use.isUnderWay = true
    return this.#enter(path, use)
  }

  /** The same for what has no name of its own, where several at the same time are told apart by their order. */
  enterUnnamed(path: string): string {
    return this.#enter(path, this.#use(path))
  }

  /** What the first use of a path is remembered as. */
  kindAt(path: string): StepKind | undefined {
    return this.#remembered.get(path)?.kind
  }

  /** Whether the next use of this path is remembered. */
  isRemembered(path: string): boolean {
    return this.#remembered.has(repeatedPath(path, (this.#uses.get(path)?.count ?? 0) + 1))
  }

  leave(path: string): void {
    const use = this.#uses.get(path)
    if (use !== undefined) use.isUnderWay = false
  }

  /** What is remembered of a path, whatever it is. */
  look(path: string): RememberedStep | undefined {
    return this.#remembered.get(path)
  }

  /** The code has asked for what is remembered, as what it is. */
  take(step: RememberedStep): void {
    this.#forget(step)
    this.lastTaken = step
  }

  /** What has not been asked for and has to be, in order. */
  unread(): RememberedStep[] {
    return this.#inOrder.filter(
      (step) => this.#remembered.has(step.path) && mustBeAsked(step) && !this.isOver(step.path),
    )
  }

  /** Whether a path is in a turn of a loop that is over: what was still under way there may have been recorded later. */
  isOver(path: string): boolean {
    return this.#turns?.isOver(path) === true
  }

  /** Keeps what is entered in the scope of a turn, so that it can be forgotten without going through all the run has done. */
  openTurn(scope: string): void {
    this.#turns ??= new TurnPaths()
    this.#turns.open(scope)
  }

  /** The last turn of a loop is over: what it did stays. */
  closeTurn(scope: string): void {
    this.#turns?.close(scope)
  }

  /** Nothing in this scope is asked for any more. */
  forgetTurn(scope: string): void {
    for (const path of this.#turns?.forget(scope) ?? []) {
      this.#size -= this.#uses.get(path)?.count ?? 0
      this.#uses.delete(path)
    }
    // Only while it is led through what it did before is anything left here.
    for (const [path, step] of this.#remembered) if (path.startsWith(`${scope}/`)) this.#forget(step)
  }

  attemptsOf(path: string): RememberedAttempt | undefined {
    return this.#attempts.get(path)
  }

  #use(path: string): Use {
    const known = this.#uses.get(path)
    if (known !== undefined) return known
    const use = { count: 0, isUnderWay: false }
    this.#uses.set(path, use)
    return use
  }

  #enter(path: string, use: Use): string {
    this.#turns?.enter(path)
    use.count += 1
    this.#size += 1
    return repeatedPath(path, use.count)
  }

  #forget(step: RememberedStep): void {
    this.#remembered.delete(step.path)
    if (mustBeAsked(step)) this.unreadCount -= 1
  }
}

function bySeq(left: RememberedStep, right: RememberedStep): number {
  return left.seq - right.seq
}

/** A patch that nobody asks for any more was taken out once all runs were past it. */
function mustBeAsked({ kind }: RememberedStep): boolean {
  return kind !== 'patch'
}
