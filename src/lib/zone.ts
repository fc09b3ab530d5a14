// Time zones: what a wall clock shows at an instant, and at which instant it shows a time.
import { nearestNames } from './nearest.ts'

const dayMs = 86_400_000

/**
 * The wall clock of one IANA time zone, by the rules that this Node carries.
 *
 * A wall time is written as the instant at which a clock in UTC would show it.
 */
export class Zone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat

  /** Throws a `RangeError` for a name that is none. */
  constructor(name: string) {
    this.name = name
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** What the clock shows. */
  wallOf(instant: number): number {
    const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
    for (const { type, value } of this.#format.formatToParts(instant)) {
      if (Object.hasOwn(parts, type)) parts[type as keyof typeof parts] = Number(value)
    }
    const { year, month, day, hour, minute, second } = parts
    const ms = ((instant % 1_000) + 1_000) % 1_000
    return Date.UTC(year, month - 1, day, hour, minute, second) + ms
  }

  /** When the clock first shows a time; when it leaves that time out, the instant at which it goes on after the gap. */
  instantOf(wall: number): number {
    const offsets = [this.#offset(wall - dayMs), this.#offset(wall + dayMs)]
    const instants = offsets.map((offset) => wall - offset).toSorted((left, right) => left - right)
    return instants.find((instant) => this.wallOf(instant) === wall) ?? this.#endOfGap(wall)
  }

  // Around a gap the clock only goes forward, and no zone is two days away from UTC.
  #endOfGap(wall: number): number {
    let before = wall - 2 * dayMs
    let after = wall + 2 * dayMs
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (this.wallOf(middle) < wall) before = middle
      else after = middle
    }
    return after
  }

  #offset(instant: number): number {
    return this.wallOf(instant) - instant
  }
}

/** Whether every node knows a time zone by this name: offsets such as `+02:00` are not names, and old ones refuse them. */
export function isZoneName(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Zone(name).name === name
  } catch {
    return false
  }
}

/** The names of zones that a mistyped one may have meant. */
export function nearestZones(name: string): string[] {
  const known = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  return nearestNames(name.replaceAll(' ', '_'), known)
}
