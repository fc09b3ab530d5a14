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

/**
 * Fills as many slots as there are urgent runs: in turn with the most urgent and, where it is their turn, with the oldest of all.
 *
 * `urgent` is in the order of priority, `older` in the order of age: the oldest of those that are less urgent than all of `urgent`.
 */
export function inTurn<Run extends Ready>(urgent: readonly Run[], older: readonly Run[], taken: number): Run[] {
  const byAge = urgent.toSorted((left, right) => left.runId - right.runId)
  const chosen = new Set<Run>()
  let [nextUrgent, nextAged, nextOlder] = [0, 0, 0]
  for (let slot = taken + 1; slot <= taken + urgent.length; slot++) {
    while (isChosen(chosen, urgent[nextUrgent])) nextUrgent++
    while (isChosen(chosen, byAge[nextAged])) nextAged++
    const first = urgent[nextUrgent] as Run
    const aged = byAge[nextAged] as Run
    const old = older[nextOlder]
    const isTurnOfOldest = slot % slotsPerTurn === 0
    if (!isTurnOfOldest) chosen.add(first)
    else if (old === undefined || aged.runId < old.runId) chosen.add(aged)
    else chosen.add(older[nextOlder++] as Run)
  }
  return [...chosen]
}

function isChosen<Run>(chosen: ReadonlySet<Run>, run: Run | undefined): boolean {
  return run !== undefined && chosen.has(run)
}
