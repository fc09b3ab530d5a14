// Dispatches events to the subscribers of this process, after the commits that caused them; it never fails or delays what publishes.
import { Actor } from '../../actor/actor.ts'
import type { Timer } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import { Lookout } from '../../lib/lookout.ts'
import { isMeant } from '../../model/event.ts'
import type { Deps } from '../deps.ts'
import { isDoneWithin } from '../in-time.ts'
import type { ChangeListener, Changes } from '../watch/changes.ts'
import type { EventTally } from './event-tally.ts'
import type { NewEvent } from './events.ts'
import type { Subscriber } from './subscriber.ts'

const atOnce = 100
// With every hint lost, what happened is found by then.
const backstopMs = 1_000
// How long an engine that stops is held up by a store that gives no answer.
const patienceMs = 1_000
// What was taken by a process that died is given to another after this; a handler that takes longer is called again.
const takenMs = 60_000
/** How long those are known that belong to a process which says nothing more. */
export const aliveMs = 60_000

export interface DomainEventsOptions {
  readonly tally: EventTally
  /** What other processes wrote. */
  readonly changes: Changes
}

export class DomainEvents extends Actor {
  readonly #deps: Deps
  readonly #tally: EventTally
  readonly #changes: Changes
  readonly #subscribers = new Set<Subscriber>()
  readonly #lookout: Lookout
  // The process ends although somebody listens.
  readonly #listener: ChangeListener = { isAwaited: false, changed: () => this.look() }
  #renewal: Timer | undefined

  constructor(deps: Deps, { tally, changes }: DomainEventsOptions) {
    super()
    this.#deps = deps
    this.#tally = tally
    this.#changes = changes
    this.#lookout = new Lookout({
      clock: deps.clock,
      isNeeded: () => this.#subscribers.size > 0 && tally.isEnabled,
      look: () => this.#guarded('looking for events', () => this.#take()),
      backstopMs,
      background: true,
    })
  }

  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber)
    subscriber.hasRest = () => this.look()
    this.#count()
    this.#changes.listen(this.#listener)
    this.#renewLater()
    this.look()
  }

  /** False when it was not there. */
  remove(subscriber: Subscriber): boolean {
    if (!this.#subscribers.delete(subscriber)) return false
    this.#count()
    if (this.#subscribers.size === 0) this.#changes.forget(this.#listener)
    return true
  }

  /** An event that is kept nowhere: every subscriber that wants it is called before this returns. */
  dispatch(event: NewEvent): void {
    if (!this.#tally.isEnabled) return void (this.#tally.dropped += 1)
    const { name, publisher } = event
    for (const subscriber of this.#subscribers) {
      const { ear } = subscriber
      const isWanted =
        'publisher' in ear ? ear.publisher === publisher : publisher === undefined && isMeant(ear.pattern, name)
      if (isWanted) void subscriber.dispatch(event)
    }
  }

  /** Something may have happened that somebody here wants to know. */
  look(): void {
    this.#lookout.look()
  }

  /** Dispatches nothing more. What was kept for those who are alone is forgotten. */
  override async stopped(): Promise<void> {
    this.#lookout.end()
    this.#renewal?.cancel()
    this.#changes.forget(this.#listener)
    const alone = this.#alone().map(({ ids }) => ids.at(-1) ?? 0)
    const ends = [...this.#subscribers].map((subscriber) => subscriber.end())
    this.#subscribers.clear()
    this.#count()
    const { clock, store } = this.#deps
    const leave = async (): Promise<void> => {
      await Promise.all(ends)
      for (const id of alone) await store.events.dropSubscription(id)
    }
    // What is not dropped now is forgotten when nobody renews it, and what is not given back is due again.
    await this.#guarded('ending subscriptions', async () => void (await isDoneWithin(clock, patienceMs, leave())))
  }

  async #take(): Promise<void> {
    const { store } = this.#deps
    const open = [...this.#subscribers].filter(({ isTaking }) => isTaking)
    const subscriptions = open.flatMap(({ ids }) => ids)
    const rows = await store.events.take({ subscriptions, limit: atOnce, until: store.now() + takenMs })
    for (const row of rows) open.find(({ ids }) => ids.includes(row.subscription))?.give(row)
    if (rows.length === atOnce) this.look()
  }

  #count(): void {
    this.#tally.isHeard = this.#subscribers.size > 0
    this.#tally.subscriptions = this.#alone().length
  }

  /** Those that programs subscribed: they are gone with their process. */
  #alone(): readonly { readonly pattern: string; readonly ids: number[] }[] {
    return [...this.#subscribers].flatMap(({ ear, ids }) => ('pattern' in ear ? [{ pattern: ear.pattern, ids }] : []))
  }

  #renewLater(): void {
    const renew = (): void => {
      this.#renewal = undefined
      if (this.#subscribers.size === 0) return
      void this.#guarded('renewing subscriptions', () => this.#renew())
      void this.#guarded('keeping events that wait', () => this.#keepWaiting())
      this.#renewLater()
    }
    this.#renewal ??= this.#deps.clock.after(aliveMs / 3, renew, { background: true, upkeep: true })
  }

  /** A process that was held up for so long that it was forgotten is known again. */
  async #renew(): Promise<void> {
    const { store } = this.#deps
    const until = store.now() + aliveMs
    const alone = this.#alone()
    const ids = alone.map((each) => each.ids.at(-1) ?? 0)
    const known = new Set(await store.events.renewSubscriptions(ids, until))
    for (const { pattern, ids } of alone) {
      if (known.has(ids.at(-1) ?? 0)) continue
      const takes = ids.length === 1 ? 'all' : 'broadcast'
      ids[ids.length - 1] = await store.events.addSubscription({ pattern, group: null, takes, until })
    }
  }

  /** What waits here for those before it is nobody else's meanwhile, and is not due again. */
  async #keepWaiting(): Promise<void> {
    const { store } = this.#deps
    const waiting = [...this.#subscribers].flatMap((subscriber) => subscriber.waiting)
    const end = { dueAt: store.now() + takenMs }
    if (waiting.length > 0) await store.events.settle(waiting.map((id) => ({ id, end })))
  }

  /** The store may be away for a while: what was to be done is tried again later. */
  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#subscribers.size > 0) this.#deps.log.warn({ err: toError(error) }, `${what} failed`)
    }
  }
}
