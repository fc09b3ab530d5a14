// Work that all nodes share: counters and purses that are entities, keys, a limiter, a schedule; and a client that keeps asking for it.
import { randomUUID } from 'node:crypto'
import { entity, limiter, schedule, worker, type EntityContext } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { isTroupeError } from '../../src/lib/errors.ts'
import type { Troupe } from '../../src/troupe.ts'
import type { Note } from './ledger.ts'
import type { Random } from './random.ts'
import type { Asked, ErrandInput } from './sagas.ts'
import { perform } from './teller.ts'

/** What a purse has, and what it paid and got. */
export interface Purse {
  cents: number
  paid: string[]
  got: string[]
}

interface Payment {
  readonly id: string
  readonly to: string
  readonly cents: number
}

interface LimitedInput extends Asked {
  readonly takesMs: number
}

/** At the beginning. */
export const centsOfPurse = 100
export const mostInside = 3
const purses = ['ann', 'bob', 'cas', 'dee'] as const
const tallies = ['left', 'right'] as const

const tooLittle = 'there is too little in this purse'
// Longer than any fault lasts, and what comes after it.
const answerMs = 120_000
const lasting = ['tally', 'purse']

/** Of the name of a definition: whether its runs never end. */
export function isLasting(name: string): boolean {
  return lasting.includes(name)
}

/** The definitions; without the schedule, for who is to come to an end, when `isEnding`. */
export function sharedDefinitions(note: Note, isEnding = false) {
  const tally = entity(
    'tally',
    { state: () => ({ n: 0 }), idle: '100ms' },
    { add: (ctx: EntityContext<{ n: number }>): number => (ctx.state.n += 1), get: (ctx) => ctx.state },
  )
  const purse = entity(
    'purse',
    { state: (): Purse => ({ cents: centsOfPurse, paid: [], got: [] }), idle: '100ms' },
    {
      pay(ctx: EntityContext<Purse>, { id, to, cents }: Payment): void {
        ctx.state.cents -= cents
        ctx.state.paid.push(id)
        void ctx.entity('purse', to).tell('get', { id, cents })
        if (ctx.state.cents < 0) throw new Error(tooLittle)
      },
      get(ctx: EntityContext<Purse>, { id, cents }: Omit<Payment, 'to'>): void {
        ctx.state.cents += cents
        ctx.state.got.push(id)
      },
      show: (ctx: EntityContext<Purse>) => ctx.state,
    },
  )
  const three = limiter('three', { concurrency: mostInside })
  const limited = worker<LimitedInput, string>('limited', { limits: [three] }, async ({ runId }, { takesMs }) => {
    note({ kind: 'enters', run: runId, at: sharedNow() })
    const uuid = await perform(note, { run: runId, path: '' }, { takesMs, isFailing: false })
    note({ kind: 'leaves', run: runId, at: sharedNow() })
    return uuid
  })
  const report = worker<Asked, string>('report', {}, ({ runId, scheduledAt = 0 }) => {
    note({ kind: 'ticked', run: runId, at: scheduledAt })
    return perform(note, { run: runId, path: '' }, { takesMs: 0, isFailing: false })
  })
  const often = schedule('often', { every: '200ms', overlap: 'allow' }, report, { from: 0 })
  return isEnding ? [tally, purse, limited, report] : [tally, purse, limited, report, often]
}

/** Notes what each entity has, once all that it was told is handled. */
export async function noteKept(troupe: Troupe, note: Note): Promise<void> {
  for (const key of tallies) {
    const state = await troupe.entity('tally', key, { timeout: answerMs }).ask('get')
    note({ kind: 'kept', entity: 'tally', key, state })
  }
  for (const key of purses) {
    const state = await troupe.entity('purse', key, { timeout: answerMs }).ask('show')
    note({ kind: 'kept', entity: 'purse', key, state })
  }
}

interface LoadOptions {
  readonly note: Note
  readonly random: Random
}

/** Asks for one thing after another in several lanes, until it is told to stop. */
export class SharedLoad {
  readonly #client: Troupe
  readonly #note: Note
  readonly #random: Random
  readonly #over: Promise<unknown>
  #isStopping = false

  constructor(client: Troupe, { note, random }: LoadOptions) {
    this.#client = client
    this.#note = note
    this.#random = random
    const lanes = [
      ...tallies.flatMap((key) => [key, key]).map((key) => () => this.#count(key)),
      ...purses.map((key) => () => this.#pay(key)),
      () => this.#startKeyed(),
      () => this.#startLimited(),
    ]
    this.#over = Promise.all(lanes.map((turn) => this.#again(turn)))
    // Told by `stop`.
    this.#over.catch(() => undefined)
  }

  /** Resolves when all that was asked for is answered: there has to be a node that performs it. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#over
  }

  async #again(turn: () => Promise<void>): Promise<void> {
    while (!this.#isStopping) {
      await turn()
      await new Promise<void>((resolve) => systemClock.after(this.#random.between(5, 40), resolve))
    }
  }

  async #count(key: string): Promise<void> {
    const from = systemClock.monotonic()
    const n = await answered(() => this.#client.entity('tally', key, { timeout: answerMs }).ask('add'))
    const to = systemClock.monotonic()
    this.#note({ kind: 'counted', key, from, to, n: n === null ? null : Number(n) })
  }

  async #pay(key: string): Promise<void> {
    const id = randomUUID()
    const to = this.#random.oneOf(purses.filter((purse) => purse !== key))
    const payment: Payment = { id, to, cents: this.#random.between(1, 40) }
    const isPaid = await answered(async () => {
      try {
        await this.#client.entity('purse', key, { timeout: answerMs }).ask('pay', payment)
        return true
      } catch (error) {
        if ((error as Error).message === tooLittle) return false
        throw error
      }
    })
    this.#note({ kind: 'pays', id, purse: key, isPaid })
  }

  /** The same key from two sides at one time. */
  async #startKeyed(): Promise<void> {
    const key = randomUUID()
    const input: ErrandInput = { from: process.pid, takesMs: this.#random.between(0, 10), fails: 0 }
    const start = async (): Promise<void> => {
      const { id } = await this.#client.call('errand', input, { idempotencyKey: key })
      this.#note({ kind: 'called', run: id, name: 'errand', input })
      this.#note({ kind: 'keyed', key, run: id })
    }
    await Promise.all([start(), start()])
  }

  async #startLimited(): Promise<void> {
    const input: LimitedInput = { from: process.pid, takesMs: this.#random.between(5, 60) }
    const { id } = await this.#client.call('limited', input)
    this.#note({ kind: 'called', run: id, name: 'limited', input })
  }
}

/** Null when it is not known what became of it. */
async function answered<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (isTroupeError(error, 'ask_timeout') || isTroupeError(error, 'store_unavailable')) return null
    throw error
  }
}

/** In milliseconds, on the clock that all processes of a machine share. */
function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
