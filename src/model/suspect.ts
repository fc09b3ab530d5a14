// Runs that may be what kills processes.

/**
 * A run that was on a node when that died may have killed it, or have been killed with it. After so many times it is suspected, and begun beside no other
 * such run.
 */
export const suspectFrom = 2

/** Once more, and it is given up. */
const lastChanceFrom = 3

// Long enough to see most of what kills a process, and no longer: many may have to be tried one after another.
const trialMs = 30_000
const lastTrialMs = 2 * 60_000

export function isSuspect(deliveries: number): boolean {
  return deliveries >= suspectFrom
}

/** How long no other such run is begun beside it. */
export function trialOf(deliveries: number): number {
  return deliveries >= lastChanceFrom ? lastTrialMs : trialMs
}
