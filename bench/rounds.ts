// Rows of a bench, measured one after another, round after round.
import { progress } from './command-line.ts'
import { orWithout } from './installed-peers.ts'
import type { Pace } from './measure.ts'
import type { Row } from './queue/work.ts'
import { median } from './report.ts'

/** The pace of every round, by what is done and by whom. */
export class Rounds {
  readonly #measured = new Map<string, Map<string, Pace[]>>()
  readonly #count: number
  readonly #tell: (line: string) => void

  /** Tells by `tell` of a library of others that could not be measured. */
  constructor(count: number, tell: (line: string) => void) {
    this.#count = count
    this.#tell = tell
  }

  async measure(rows: readonly Row[]): Promise<void> {
    for (let round = 1; round <= this.#count; round++) {
      for (const row of rows) {
        progress(`round ${round} of ${this.#count}: ${row.what}, ${row.who}`)
        await this.#add(row)
      }
    }
    progress('')
  }

  /** What was measured, in its order. */
  get whats(): string[] {
    return [...this.#measured.keys()]
  }

  /** The medians. */
  of(what: string, who: string): Pace {
    const paces = this.#measured.get(what)?.get(who) ?? []
    return { perSecond: median(paces.map((pace) => pace.perSecond)), cpuUs: median(paces.map((pace) => pace.cpuUs)) }
  }

  async #add(row: Row): Promise<void> {
    const byWho = this.#measured.get(row.what) ?? new Map<string, Pace[]>()
    this.#measured.set(row.what, byWho)
    const pace = row.who === 'troupe' ? await row.measure() : await orWithout(row.who, () => row.measure(), this.#tell)
    if (pace !== undefined) byWho.set(row.who, [...(byWho.get(row.who) ?? []), pace])
    globalThis.gc?.()
  }
}
