// Priority with ageing: who is next among ready runs, so that what is urgent goes first and what is old never starves.

/** Priorities are whole numbers between these, higher first. */
export const lowestPriority = -100
export const highestPriority = 100

// One turn of so many is that of the oldest runs, whatever their priority.
const turns = 8
// Who fills this many slots at once gives the oldest long turns.
const many = 64
// Measured: runs of a hundred other priorities lie on a hundred other pages, so a claim that takes thirteen of them costs half as much again; in long turns one claim of four or five takes them for all.
const longTurn = 128

/** A ready run; a lower number is older. */
export interface Ready {
  readonly runId: number
}

/** How many of the next `want` slots go to the oldest, after `taken` slots: one in eight, however they are asked for. */
export function slotsForOldest(taken: number, want: number): number {
  const turn = turnOf(want)
  return slotsBefore(taken + want, turn) - slotsBefore(taken, turn)
}

/** Where a node begins to count slots: the first of eight nodes one after the other lie in eight different turns, short and long. */
export function firstSlotOf(nodeId: number): number {
  return (nodeId - 1) * (longTurn + 1)
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
  const turn = turnOf(urgent.length)
  for (let slot = taken + 1; slot <= taken + urgent.length; slot++) {
    while (isChosen(chosen, urgent[nextUrgent])) nextUrgent++
    while (isChosen(chosen, byAge[nextAged])) nextAged++
    const first = urgent[nextUrgent] as Run
    const aged = byAge[nextAged] as Run
    const old = older[nextOlder]
    const isTurnOfOldest = slotsBefore(slot, turn) > slotsBefore(slot - 1, turn)
    if (!isTurnOfOldest) chosen.add(first)
    else if (old === undefined || aged.runId < old.runId) chosen.add(aged)
    else chosen.add(older[nextOlder++] as Run)
  }
  return [...chosen]
}

function isChosen<Run>(chosen: ReadonlySet<Run>, run: Run | undefined): boolean {
  return run !== undefined && chosen.has(run)
}

// Invariant: nothing starves, however many slots are asked for in turn. Whoever fills many at once has all in the long turn for the oldest; when only few are filled at once during that, each eighth is.
function turnOf(want: number): number {
  return want < many ? 1 : longTurn
}

function slotsBefore(slot: number, turn: number): number {
  const round = turns * turn
  return Math.floor(slot / round) * turn + Math.max(0, (slot % round) - (turns - 1) * turn)
}
