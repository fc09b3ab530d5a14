// What an actor does now, and what for; only `cell.ts` changes it.

export const resting = 0
export const queued = 1
/** Until the promise of a handler settles. */
export const busy = 2

// What the handler, turn or hook that is under way is for.
export const starting = 0
export const handling = 1
export const overlapping = 2
export const turning = 3
export const idling = 4
