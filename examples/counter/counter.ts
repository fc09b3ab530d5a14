// A counter that counts up and down, tells its value, and stops gracefully.
import { Actor } from 'troupe/actor'

export class Counter extends Actor {
  #value: number

  constructor(value = 0) {
    super()
    this.#value = value
  }

  increment(by = 1): void {
    this.#value += by
  }

  decrement(by = 1): void {
    this.#value -= by
  }

  get(): number {
    return this.#value
  }

  override stopped(): void {
    this.ctx.log.info({ value: this.#value }, 'counted to the end')
  }
}
