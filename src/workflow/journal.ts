// What a run did before: the steps it remembers, under the paths by which its code asks for them.
import type { JournalPlace } from '../model/divergence.ts'
import { stepNameTaken } from '../model/errors.ts'
import { repeatedPath } from '../model/path.ts'
import type { Claimed, RememberedAttempt, RememberedStep } from '../store/store.ts'

export class Journal {
  readonly #remembered: Map<string, RememberedStep>
  readonly #inOrder: readonly RememberedStep[]
  readonly #attempts: Map<string, RememberedAttempt>
  readonly #uses = new Map<string, number>()
  // The paths of the turns of loops that are under way.
  readonly #turns = new Map<string, string[]>()
  readonly #underWay = new Set<string>()
  // The number of the turn of each loop that the code has come to.
  readonly #turnOf = new Map<string, number>()
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
    this.#remembered = new Map(claimed.steps.map((step) => [step.path, step]))
    this.#inOrder = claimed.steps
    this.#attempts = new Map(claimed.failedAttempts.map((attempt) => [attempt.path, attempt]))
    this.#lastSeq = claimed.steps.at(-1)?.seq ?? 0
    for (const step of claimed.steps) if (mustBeAsked(step)) this.unreadCount += 1
    // Code may do something else in another attempt, as it sees its number.
    this.isWhole = claimed.attempt === 1 && (claimed.held.generation === 1 || this.#lastSeq === claimed.steps.length)
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
    if (this.#underWay.has(path)) throw stepNameTaken(path)
    this.#underWay.add(path)
    return this.enterUnnamed(path)
  }

  /** The same for what has no name of its own, where several at the same time are told apart by their order. */
  enterUnnamed(path: string): string {
    for (const [inside, paths] of this.#turns) if (path.startsWith(inside)) paths.push(path)
    const use = (this.#uses.get(path) ?? 0) + 1
    this.#size += 1
    this.#uses.set(path, use)
    return repeatedPath(path, use)
  }

  /** Whether the next use of this path is remembered. */
  isRemembered(path: string): boolean {
    return this.#remembered.has(repeatedPath(path, (this.#uses.get(path) ?? 0) + 1))
  }

  leave(path: string): void {
    this.#underWay.delete(path)
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
    for (let at = path.indexOf('['); at !== -1; at = path.indexOf('[', at + 1)) {
      const turn = this.#turnOf.get(path.slice(0, at))
      if (turn !== undefined && Number(path.slice(at + 1, path.indexOf(']', at))) < turn) return true
    }
    return false
  }

  /** Keeps what is entered in the scope of a turn, so that it can be forgotten without going through all the run has done. */
  openTurn(scope: string): void {
    this.#turns.set(`${scope}/`, [])
    const at = scope.lastIndexOf('[')
    this.#turnOf.set(scope.slice(0, at), Number(scope.slice(at + 1, -1)))
  }

  /** The last turn of a loop is over: what it did stays. */
  closeTurn(scope: string): void {
    this.#turns.delete(`${scope}/`)
  }

  /** Nothing in this scope is asked for any more. */
  forgetTurn(scope: string): void {
    const inside = `${scope}/`
    for (const path of this.#turns.get(inside) ?? []) {
      this.#size -= this.#uses.get(path) ?? 0
      this.#uses.delete(path)
    }
    this.#turns.delete(inside)
    // Only while it is led through what it did before is anything left here.
    for (const [path, step] of this.#remembered) if (path.startsWith(inside)) this.#forget(step)
  }

  attemptsOf(path: string): RememberedAttempt | undefined {
    return this.#attempts.get(path)
  }

  #forget(step: RememberedStep): void {
    this.#remembered.delete(step.path)
    if (mustBeAsked(step)) this.unreadCount -= 1
  }
}

/** A patch that nobody asks for any more was taken out once all runs were past it. */
function mustBeAsked({ kind }: RememberedStep): boolean {
  return kind !== 'patch'
}
