// Work that an actor started beside itself, and how much of it may run at once.

import { Ring } from '../lib/ring.ts'

interface WaitingTask {
  readonly limit: number
  readonly begin: () => void
}

export class Tasks {
  #running = 0
  readonly #waiting = new Ring<WaitingTask>()

  /** Whether tasks wait for others to end. */
  get areTooMany(): boolean {
    return this.#waiting.size > 0
  }

  /** Begins at once when fewer than `limit` run and none waits, else when that has come true. */
  start(limit: number, begin: () => void): void {
    this.#waiting.push({ limit, begin })
    this.#beginSome()
  }

  ended(): void {
    this.#running--
    this.#beginSome()
  }

  #beginSome(): void {
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (this.#running >= next.limit) return
      this.#waiting.shift()
      this.#running++
      next.begin()
    }
  }
}
