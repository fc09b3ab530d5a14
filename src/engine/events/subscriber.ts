// Somebody who is told events, one after another; what fails is told again, and given up in the end.
import type { Breaker } from '../../lib/breaker.ts'
import { decode } from '../../lib/codec.ts'
import { toMs } from '../../lib/duration.ts'
import { toError } from '../../lib/errors.ts'
import type { EventEnd, EventRow } from '../../store/events.ts'
import type { Deps } from '../deps.ts'
import type { EventTally } from './event-tally.ts'
import { keptOf, type EventHandler, type EventInfo, type NewEvent } from './events.ts'
import { eventsFrom, type Publisher } from './publisher.ts'

const mostAttempts = 5
const longestPauseMs = toMs('1h')
// Invariant: I15. What waits for one subscriber in memory; the rest waits in the store.
const mostWaiting = 100

/** What hears events. */
export type Ear =
  | { readonly pattern: string; readonly handler: EventHandler }
  | { readonly publisher: string; readonly publish: Publisher; readonly breaker: Breaker }

export interface SubscriberOptions {
  readonly ear: Ear
  /** Its numbers in the store; the last is its own, but for a publisher. */
  readonly ids: number[]
  readonly tally: EventTally
  /** It has published something in turn, which is durable as far as it is to be. */
  readonly published: (event: NewEvent) => void
}

type HeardEvent = Pick<EventRow, 'name' | 'value' | 'at' | 'attempt' | 'origin'> & { readonly mode: NewEvent['mode'] }

export class Subscriber {
  readonly ear: Ear
  readonly ids: number[]
  readonly #deps: Deps
  readonly #options: SubscriberOptions
  #isOver = false
  /** Called when there is room for more. */
  hasRest: () => void = () => {}
  /** The last of what it has been given; the next comes after it. */
  #tail: Promise<void> = Promise.resolve()
  /** What it has been given and has not settled. */
  readonly #held = new Set<number>()
  /** What it is being called for. */
  #called: number | undefined

  constructor(deps: Deps, options: SubscriberOptions) {
    this.ear = options.ear
    this.ids = options.ids
    this.#options = options
    this.#deps = deps
  }

  /** Undefined for one that a program subscribed. */
  get breaker(): Breaker | undefined {
    return 'breaker' in this.ear ? this.ear.breaker : undefined
  }

  get isTaking(): boolean {
    return !this.#isOver && this.#held.size < mostWaiting && this.breaker?.state !== 'open'
  }

  /** What has yet to have its turn. */
  get waiting(): readonly number[] {
    return [...this.#held].filter((id) => id !== this.#called)
  }

  /** It is told nothing more: what it was to be told is there for the others of its group at once, here or elsewhere. */
  async end(): Promise<void> {
    this.#isOver = true
    const { waiting } = this
    for (const id of waiting) this.#held.delete(id)
    await this.#giveBack(waiting)
  }

  /** Of what the store keeps: after all that it was given before. */
  give(row: EventRow): void {
    // Race: it was taken from the store while this one left.
    if (this.#isOver) return void this.#giveBack([row.id])
    // Race: a call that takes long is under way still.
    if (this.#held.has(row.id)) return
    this.#held.add(row.id)
    this.#options.tally.depth += 1
    this.#tail = this.#tail.then(() => this.#deliver(row))
  }

  /** Of what nobody keeps: at once. */
  async dispatch({ origin = {}, ...event }: NewEvent): Promise<void> {
    const { store, log } = this.#deps
    const { tally, published } = this.#options
    if (this.breaker?.enter() === false) {
      tally.dropped += 1
      return log.warn({ event: event.name }, `event '${event.name}' is dropped: its publisher has failed too often`)
    }
    const made = await this.#hear({ ...event, origin, at: store.now(), attempt: 1 })
    for (const each of made ?? []) {
      const [kept] = keptOf([each]) ?? []
      if (kept !== undefined) await this.#guarded('publishing an event', () => store.events.publish(kept))
      published(each)
    }
  }

  async #deliver(row: EventRow): Promise<void> {
    this.#options.tally.depth -= 1
    this.#called = row.id
    if (!this.#isOver) await this.#end(row)
    this.#held.delete(row.id)
    if (this.#held.size === mostWaiting - 1) this.hasRest()
  }

  /** hear → settle, with what was published in turn */
  async #end(row: EventRow): Promise<void> {
    const { store } = this.#deps
    const { id } = row
    const { breaker } = this
    if (breaker?.enter() === false) {
      const dueAt = store.now() + Math.max(breaker.retryInMs, toMs('1s'))
      return this.#settle({ id, end: { dueAt, isUntried: true } })
    }
    const made = await this.#hear(row)
    if (made === undefined) return this.#settle({ id, end: this.#again(row) })
    await this.#settle({ id, end: 'done', events: keptOf(made) }, made)
  }

  /** What it publishes in turn; undefined when it failed. */
  async #hear({ name, value, at, attempt, origin, mode }: HeardEvent): Promise<readonly NewEvent[] | undefined> {
    const { tally } = this.#options
    const info: EventInfo = { ...origin, name, at, attempt }
    tally.wasDispatched(this.#deps.store.now())
    try {
      const made = await this.#call({ value, info, mode, origin })
      tally.delivered += 1
      this.breaker?.succeeded()
      return made
    } catch (error) {
      tally.failed += 1
      this.breaker?.failed()
      const who = 'publisher' in this.ear ? `publisher '${this.ear.publisher}'` : 'a subscriber'
      this.#deps.log.warn({ event: name, err: toError(error) }, `${who} of event '${name}' failed`)
      return undefined
    }
  }

  async #call(given: Parameters<typeof eventsFrom>[1]): Promise<readonly NewEvent[]> {
    const { ear } = this
    if ('publish' in ear) return eventsFrom(ear.publish, given)
    await ear.handler(decode(given.value), given.info)
    return []
  }

  /** What goes through a publisher is not given up. */
  #again({ name, attempt }: EventRow): EventEnd['end'] {
    const pauseMs = Math.min(longestPauseMs, toMs('1s') * 2 ** (attempt - 1))
    if (attempt < mostAttempts || 'publisher' in this.ear) return { dueAt: this.#deps.store.now() + pauseMs }
    this.#options.tally.dead += 1
    this.#deps.log.error({ event: name, attempt }, `event '${name}' is given up after ${attempt} attempts and kept`)
    return 'dead'
  }

  /** What is not recorded now is due again. */
  async #settle(end: EventEnd, made: readonly NewEvent[] = []): Promise<void> {
    await this.#guarded('recording what became of an event', async () => {
      await this.#deps.store.events.settle([end])
      for (const event of made) this.#options.published(event)
    })
  }

  async #giveBack(ids: readonly number[]): Promise<void> {
    const { store } = this.#deps
    const end = { dueAt: store.now(), isUntried: true } as const
    if (ids.length > 0)
      await this.#guarded('giving events back', () => store.events.settle(ids.map((id) => ({ id, end }))))
  }

  async #guarded(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#isOver) this.#deps.log.warn({ err: toError(error) }, `${what} failed`)
    }
  }
}
