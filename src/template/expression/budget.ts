// How much one value may cost to make.

// Invariant: I15. A step of evaluation is some ten nanoseconds: the dearest expression takes some milliseconds.
const mostSpent = 200_000
export const longestText = 1_048_576
const longestList = 100_000

/** Why a value cannot be made, before anybody has said where in which expression. */
export class Fault {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

export class Budget {
  #left = mostSpent

  /** Throws a `Fault` once all is spent. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0)
      throw new Fault(`It takes more than ${mostSpent.toLocaleString('en')} steps to work out. Let a script do it.`)
  }

  /** A text that is about to be made. */
  spendText(length: number): void {
    if (length > longestText)
      throw new Fault(`A text of more than ${longestText.toLocaleString('en')} characters would be made.`)
    // Characters are copied many at a time.
    this.spend(1 + Math.ceil(length / 64))
  }

  /** A list that is about to be made. */
  spendList(length: number): void {
    if (length > longestList)
      throw new Fault(`A list of more than ${longestList.toLocaleString('en')} items would be made.`)
    this.spend(1 + length)
  }
}
