// Runs that may be what kills processes.

/**
 * A run that was on a node when that died may have killed it, or have been killed with it. After so many times it is suspected, and performed beside no other
 * such run.
 */
export const suspectFrom = 2

export function isSuspect(deliveries: number): boolean {
  return deliveries >= suspectFrom
}
