// What the code of runs was given, and what was undone of that: all of it, the last first, and once.
import type { TrialOutcome } from '../../../src/testing/crash-trial.ts'

interface Given {
  readonly what: string
  /** Unless its run succeeds. */
  readonly isToBeUndone: boolean
}

interface Undone {
  readonly what: string
  readonly attempt: number
}

export class History {
  // Of each run, for each time that its code was called, in the order in which it was given; the first run is the one that starts the others.
  readonly #given = new Map<string, Given[][]>()
  readonly #undone = new Map<string, Undone[]>()

  clear(): void {
    this.#given.clear()
    this.#undone.clear()
  }

  /** The code of a run is called. */
  begun(run: string): void {
    const before = this.#given.get(run) ?? []
    this.#given.set(run, [...before, []])
  }

  given(run: string, what: string, isToBeUndone: boolean): void {
    this.#given.get(run)?.at(-1)?.push({ what, isToBeUndone })
  }

  /** An attempt to undo it. */
  undone(run: string, what: string, attempt: number): void {
    this.#undone.set(run, [...(this.#undone.get(run) ?? []), { what, attempt }])
  }

  /** How many things were undone. */
  get size(): number {
    return [...this.#undone.keys()].reduce((sum, run) => sum + this.#undoneOf(run).length, 0)
  }

  /** What is not as it must be, whatever crashes there were. */
  faults({ kind }: Pick<TrialOutcome, 'kind'>): string[] {
    const [root = ''] = this.#given.keys()
    const undone = this.#undoneOf(root)
    const given = this.#givenTo(root).filter(({ isToBeUndone }) => isToBeUndone)
    const left = given.filter(({ what }) => !undone.includes(what))
    return [
      ...(kind === 'failed' ? left.map(({ what }) => `${what} was not undone`) : []),
      ...(kind === 'succeeded' ? undone.map((what) => `${what} was undone, and its run succeeded`) : []),
      ...[...this.#undone.keys()].flatMap((run) => this.#disorderOf(run)),
    ]
  }

  /** What was undone twice, where no crash explains that. */
  get repeated(): string[] {
    return [...this.#undone.values()].flatMap((undone) => {
      const attempts = undone.map(({ what, attempt }) => `${what} was undone twice in attempt ${attempt}`)
      return attempts.filter((text, index) => attempts.indexOf(text) !== index)
    })
  }

  /** Each thing where it was undone first. */
  #undoneOf(run: string): string[] {
    return [...new Set((this.#undone.get(run) ?? []).map(({ what }) => what))]
  }

  #givenTo(run: string): Given[] {
    const calls = this.#given.get(run) ?? []
    return calls.reduce((longest, call) => (call.length > longest.length ? call : longest), [])
  }

  #disorderOf(run: string): string[] {
    const order = this.#givenTo(run).map(({ what }) => what)
    // What was recorded as the run was cancelled came after all that its code was given.
    const placeOf = (what = ''): number => (order.includes(what) ? order.indexOf(what) : order.length)
    const undone = this.#undoneOf(run)
    return undone.slice(1).flatMap((what, index) => {
      const before = undone[index]
      return placeOf(before) < placeOf(what) ? [`${before} was undone before ${what}`] : []
    })
  }
}
