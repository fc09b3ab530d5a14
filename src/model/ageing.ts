// Priority with ageing: who is next among ready runs, so that what is urgent goes first and what is old never starves.

/** Priorities are whole numbers between these, higher first. */
export const lowestPriority = -100
export const highestPriority = 100

// One slot of so many goes to the oldest run, whatever its priority.
const slotsPerTurn = 8

/** A ready run; a lower number is older. */
export interface Ready {
  readonly runId: number
}

/** How many of the next `want` slots go to the oldest, after `taken` slots. */
export function slotsForOldest(taken: number, want: number): number {
  return Math.floor((taken + want) / slotsPerTurn) - Math.floor(taken / slotsPerTurn)
}

/** Whether the next slot goes to the oldest, after `taken` slots. */
export function isTurnOfOldest(taken: number): boolean {
  return slotsForOldest(taken, 1) === 1
}

/**
 * Ready runs of a queue, of which the next is the most urgent or, where it is its turn, the oldest of all.
 *
 * `urgent` is in the order of priority, `older` in the order of age: the oldest of those that are less urgent than all of `urgent`.
 */
export class Turns<Run extends Ready> {
  readonly #urgent: readonly Run[]
  readonly #older: readonly Run[]
  readonly #byAge: readonly Run[]
  readonly #taken = new Set<Run>()
  #nextUrgent = 0
  #nextAged = 0
  #nextOlder = 0

  constructor(urgent: readonly Run[], older: readonly Run[]) {
    this.#urgent = urgent
    this.#older = older
    this.#byAge = urgent.toSorted((left, right) => left.runId - right.runId)
  }

  peek(isOldest: boolean): Run | undefined {
    while (isTaken(this.#taken, this.#urgent[this.#nextUrgent])) this.#nextUrgent++
    while (isTaken(this.#taken, this.#byAge[this.#nextAged])) this.#nextAged++
    while (isTaken(this.#taken, this.#older[this.#nextOlder])) this.#nextOlder++
    const old = this.#older[this.#nextOlder]
    if (!isOldest) return this.#urgent[this.#nextUrgent] ?? old
    const aged = this.#byAge[this.#nextAged]
    return old === undefined || (aged !== undefined && aged.runId < old.runId) ? aged : old
  }

  take(run: Run): void {
    this.#taken.add(run)
  }
}

/** Fills as many slots as there are urgent runs. */
export function inTurn<Run extends Ready>(urgent: readonly Run[], older: readonly Run[], taken: number): Run[] {
  const turns = new Turns(urgent, older)
  return urgent.map((_, place) => {
    const next = turns.peek(isTurnOfOldest(taken + place)) as Run
    turns.take(next)
    return next
  })
}

function isTaken<Run>(taken: ReadonlySet<Run>, run: Run | undefined): boolean {
  return run !== undefined && taken.has(run)
}
