// Whether something has come, for one who waits for that.
import type { Clock, Timer } from '../lib/clock.ts'

export class Signal {
  readonly #clock: Clock
  #hasRung = false
  #waiting: ((isRung: boolean) => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#hasRung = true
    this.#settle(true)
  }

  /** True as soon as it rings, or when it has since this was last called; false after so long. */
  async within(ms: number): Promise<boolean> {
    let timer: Timer | undefined
    if (!this.#hasRung) {
      await new Promise<boolean>((resolve) => {
        this.#waiting = resolve
        timer = this.#clock.after(ms, () => this.#settle(false), { background: true })
      })
    }
    timer?.cancel()
    const hasRung = this.#hasRung
    this.#hasRung = false
    return hasRung
  }

  #settle(isRung: boolean): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(isRung)
  }
}
