// The yardstick on Postgres: the rows of Troupe written with bare statements over arrays, grouped by whatever waits together.
// It takes numbers from the same counters and checks that each run is still held, as any engine must, and does nothing else.
import { systemClock } from '../../src/lib/clock.ts'
import { createIds } from '../../src/lib/ids.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import type { Raw } from '../queue/place.ts'
import { RawLane, type EndRow, type Held, type NewRun } from './raw-lane.ts'

export class RawPostgres implements Raw {
  readonly #lane: RawLane
  readonly #ids = createIds(systemClock)

  private constructor(lane: RawLane) {
    this.#lane = lane
  }

  /** Opens a database in which no engine has run. */
  static async open(url: string): Promise<RawPostgres> {
    const store = await openPostgres({ url, clock: systemClock })
    await store.internDefinition('noop', '1')
    await store.internQueue('default')
    await store.close()
    return new RawPostgres(await RawLane.open(url))
  }

  start(input: unknown): Promise<void> {
    return this.#lane.startReady([this.#newRun(input)])
  }

  startMany(inputs: readonly unknown[]): Promise<void> {
    return this.#lane.startReady(inputs.map((input) => this.#newRun(input)))
  }

  async run<Input>(input: Input, perform: (input: Input) => Promise<unknown>): Promise<void> {
    const held = await this.#lane.startHere(this.#newRun(input))
    await this.#lane.endRuns([{ ...held, value: encoded(await perform(input)) }])
  }

  async processAll(perform: (input: unknown) => Promise<unknown>): Promise<void> {
    let ended: EndRow[] = []
    for (;;) {
      const claimed = await this.#lane.endAndClaim(ended)
      if (claimed.length === 0) return
      ended = []
      for (const { id, epoch, input } of claimed) {
        const value = encoded(await perform(JSON.parse(input.slice(1))))
        ended.push({ id, epoch, value })
      }
    }
  }

  async threeSteps(i: number): Promise<unknown> {
    const held = await this.#lane.startHere(this.#newRun(i))
    await this.#step(held, ['a', 1], { ok: true, i })
    await this.#step(held, ['b', 2], { ok: true, i: i + 1 })
    const output = { ok: true, i: i + 2 }
    await this.#step(held, ['c', 3], output)
    return this.#end(held, output)
  }

  async parallelSteps(count: number): Promise<unknown> {
    const held = await this.#lane.startHere(this.#newRun(count))
    const steps = Array.from({ length: count }, (_, i) => this.#step(held, [`step-${i}`, i + 1], { ok: true, i }))
    await Promise.all(steps)
    return this.#end(held, count)
  }

  close(): Promise<void> {
    return this.#lane.close()
  }

  #step(held: Held, [path, seq]: [string, number], output: object): Promise<void> {
    return this.#lane.recordStep({ ...held, path, seq, value: encoded(output) })
  }

  async #end(held: Held, output: unknown): Promise<unknown> {
    const value = JSON.stringify(output)
    await this.#lane.endRuns([{ ...held, value: `j${value}` }])
    return JSON.parse(value)
  }

  #newRun(input: unknown): NewRun {
    return { publicId: this.#ids.uuid(), input: encoded(input) }
  }
}

function encoded(value: unknown): string {
  return `j${JSON.stringify(value)}`
}
