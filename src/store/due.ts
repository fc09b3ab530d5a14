// What happens by time.

/** A run whose time was up before anybody ran it to its end. */
export interface ExpiredRun {
  readonly name: string
  /** How long it was given, from its call on. */
  readonly timeoutMs: number
  /** It was not begun in the time its caller gave it for that; otherwise all its time is up. */
  readonly isUnbegun: boolean
}

/** One that has failed so. */
export interface Expired {
  readonly id: string
  /** Another run waits for its end. */
  readonly isAwaited: boolean
}

export interface Woken {
  readonly woken: number
  /** When the next one is due; null when nothing waits for a time. */
  readonly nextDueAt: number | null
  /** When the next schedule is due; null when there is none. */
  readonly nextScheduleAt: number | null
}
