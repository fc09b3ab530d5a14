// What the actor bench measures: rows that do something `count` times and check that it happened.

export interface Row {
  /** What is done: rows of the same name are compared. */
  readonly what: string
  /** Who does it. */
  readonly who: string
  readonly count: number
  /** Throws when it was not done exactly `count` times. */
  run(count: number): Promise<void>
}

export const burst = 100

export function check(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`counted ${actual} of ${expected}`)
}

/** Does `one` in bursts of a hundred, waiting after each of them. */
export async function inBursts(count: number, one: () => void, wait: () => unknown): Promise<void> {
  for (let done = 0; done < count; done += burst) {
    for (let index = 1; index < burst; index++) one()
    await wait()
  }
}
