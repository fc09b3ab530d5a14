// What a limiter allows, and the arithmetic of its rate.

/** `null` stands for no bound. */
export interface Bounds {
  /** So many at once, for each key. */
  readonly concurrency: number | null
  /** So many at once, all keys together. */
  readonly total: number | null
  /** For each key. */
  readonly rate: Rate | null
}

/** At most `limit` in every `perMs`, evenly spaced but for `burst` that may come together after a pause. */
export interface Rate {
  readonly limit: number
  readonly perMs: number
  readonly burst: number
}

export const unbounded: Bounds = { concurrency: null, total: null, rate: null }

/** The pass a run needs at one limiter; the key is empty where there are no keys. */
export interface LimitUse {
  readonly limiterId: number
  readonly key: string
}

/** A place in the lines before limiters: whoever comes back with it is as old as before. */
export interface Turn {
  readonly ticket: number
  readonly uses: readonly LimitUse[]
}

/** How a turn is kept with a wait. */
export function turnText({ ticket, uses }: Turn): string {
  return JSON.stringify([ticket, uses.map(({ limiterId, key }) => [limiterId, key])])
}

export function turnFrom(text: string): Turn {
  const [ticket, uses] = JSON.parse(text) as [number, [number, string][]]
  return { ticket, uses: uses.map(([limiterId, key]) => ({ limiterId, key })) }
}

/**
 * The generic cell rate algorithm keeps one number for each key: when the next one would come if all were evenly spaced.
 * This is the first time at which one may pass.
 */
export function passesAt(rate: Rate, nextAt: number): number {
  return nextAt - (rate.burst - 1) * spacingMs(rate)
}

/** The number once one has passed at `now`. */
export function afterPass(rate: Rate, nextAt: number, now: number): number {
  return Math.max(nextAt, now) + spacingMs(rate)
}

/** The time from one to the next when all are evenly spaced. */
export function spacingMs({ limit, perMs }: Rate): number {
  return perMs / limit
}
