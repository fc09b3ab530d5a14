// How the function of a step ends an attempt that is to begin anew later.

/** Thrown by a function whose attempt is to begin anew later; it counts as none. */
export class Snoozed extends Error {
  readonly delayMs: number

  constructor(delayMs: number) {
    super('The attempt begins anew later')
    this.delayMs = delayMs
  }
}
