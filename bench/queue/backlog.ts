// How long a claim takes while very many runs wait that it does not bring, beside a store that holds nothing else.
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { median } from '../report.ts'
import { Claimer, leaseMs } from './claimer.ts'
import { RawQueue } from './raw.ts'
import { check, withFolder } from '../measure.ts'

/** How many runs a claim brings. */
const atOnce = 100

export interface Claims {
  /** Milliseconds of a claim of a hundred runs, its commit included. */
  readonly emptyMs: number
  readonly fullMs: number
}

/** Half of the backlog is scheduled, half is ready in another queue. */
export const claimsBeside = (backlog: number, rounds: number): Promise<Claims> =>
  withFolder(async (folder) => {
    const [empty, full] = await Promise.all([
      Side.open(join(folder, 'empty.db'), 0),
      Side.open(join(folder, 'full.db'), backlog),
    ])
    const [emptyMs, fullMs]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      emptyMs.push(await empty.claim())
      fullMs.push(await full.claim())
    }
    await empty.close()
    await full.close()
    return { emptyMs: median(emptyMs), fullMs: median(fullMs) }
  })

class Side {
  readonly #claimer: Claimer
  readonly #raw: RawQueue

  private constructor(claimer: Claimer, raw: RawQueue) {
    this.#claimer = claimer
    this.#raw = raw
  }

  static async open(file: string, backlog: number): Promise<Side> {
    const claimer = await Claimer.open(`sqlite:${file}`)
    check('number of the definition', claimer.definitionId, 1)
    check('number of the queue', claimer.queueId, 1)
    const other = await claimer.queueNamed('other')
    const raw = await RawQueue.open(file, false)
    if (backlog > 0) {
      raw.fill({ queueId: 1, count: backlog / 2, dueAt: systemClock.now() + leaseMs })
      raw.fill({ queueId: other, count: backlog / 2 })
    }
    return new Side(claimer, raw)
  }

  /** Milliseconds of one claim; the runs are put in before and ended after. */
  claim(): Promise<number> {
    this.#raw.startMany(Array.from({ length: atOnce }, (_, i) => ({ i, kind: 'noop' })))
    return this.#claimer.claim(atOnce)
  }

  async close(): Promise<void> {
    this.#raw.close()
    await this.#claimer.close()
  }
}
