// What this process counts of the attempts of steps.

const succeeded = 0
const failed = 1
const totalMs = 2

export class StepCounts {
  // Measured: a plain field of fractions allocates a number with each write.
  readonly #numbers = new Float64Array(3)

  /** Counts one attempt, however it ended. Allocates nothing. */
  ended(isError: boolean, elapsedMs: number): void {
    this.#numbers[isError ? failed : succeeded]! += 1
    this.#numbers[totalMs]! += elapsedMs > 0 ? elapsedMs : 0
  }

  get succeeded(): number {
    return this.#numbers[succeeded] ?? 0
  }

  get failed(): number {
    return this.#numbers[failed] ?? 0
  }

  get executed(): number {
    return this.succeeded + this.failed
  }

  /** Of all attempts, those that failed too; 0 when there was none. */
  get averageMs(): number {
    return this.executed === 0 ? 0 : (this.#numbers[totalMs] ?? 0) / this.executed
  }
}
