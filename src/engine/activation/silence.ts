// Notices when an attempt has shown no sign of life for too long.
import type { Clock, Timer } from '../../lib/clock.ts'
import { workerSilent } from '../../model/time-errors.ts'
import type { Activation } from './activation.ts'

/** From now on the attempt must show that it lives, if its definition says so. */
export function silenceOf(activation: Activation): Silence | undefined {
  const { name, settings } = activation.definition
  const { heartbeatMs } = settings
  if (heartbeatMs === undefined) return undefined
  const tooLong = (): void => activation.attempted({ isError: true, error: workerSilent(name, heartbeatMs) })
  return new Silence(activation.deps.clock, heartbeatMs, tooLong)
}

export class Silence {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #tooLong: () => void
  #heardAt: number
  #timer: Timer

  constructor(clock: Clock, limitMs: number, tooLong: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#tooLong = tooLong
    this.#heardAt = clock.monotonic()
    this.#timer = this.#lookIn(limitMs)
  }

  /** A sign of life; costs no timer. */
  beat(): void {
    this.#heardAt = this.#clock.monotonic()
  }

  end(): void {
    this.#timer.cancel()
  }

  #lookIn(delayMs: number): Timer {
    return this.#clock.after(delayMs, () => {
      const leftMs = this.#heardAt + this.#limitMs - this.#clock.monotonic()
      if (leftMs <= 0) this.#tooLong()
      else this.#timer = this.#lookIn(leftMs)
    })
  }
}
