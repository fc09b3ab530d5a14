// Events: published by anybody, dispatched to those who subscribed; whoever is slow or throws harms nobody else.
import type { Timer } from '../lib/clock.ts'
import { decode, encode } from '../lib/codec.ts'
import { toMs } from '../lib/duration.ts'
import { toError } from '../lib/errors.ts'
import { Lookout } from '../lib/lookout.ts'
import { optionInvalid } from '../model/errors.ts'
import { isMeant, type EventOrigin } from '../model/event.ts'
import type { EventEnd, EventRow } from '../store/events.ts'
import { checkChoice, checkFunction, checkName, checkOptions } from './checks.ts'
import type { ChangeListener, Changes } from './watch/changes.ts'
import type { EventsOfRuns } from './activation/surroundings.ts'
import type { Deps } from './deps.ts'
import { isDoneWithin } from './in-time.ts'
import { messageBytes } from './value-size.ts'
import type { EventVerbs } from './verbs/verbs.ts'

/** What a subscriber is given besides the payload; where a run published it, of that too. */
export interface EventInfo extends EventOrigin {
  readonly name: string
  /** When it was published, in milliseconds since 1970. */
  readonly at: number
  /** Which try this is: after one that failed there is another, up to five. */
  readonly attempt: number
}

export type EventHandler<Payload = unknown> = (payload: Payload, event: EventInfo) => unknown

export interface PublishOptions {
  /**
   * `durable` (default): kept until each subscription has handled it, also after a crash. `broadcast`: to every subscriber of every process, group or not.
   * `fast`: to the subscribers of this process, at once, kept nowhere.
   */
  readonly mode?: 'durable' | 'fast' | 'broadcast'
}

export interface SubscribeOptions {
  /** Subscribers of one group and pattern share the events, wherever they are; what happens while none of them is there is kept for them. */
  readonly group?: string
}

/** What became of events in this process. */
export interface EventCounts {
  readonly enabled: boolean
  readonly subscriptions: number
  readonly published: number
  readonly delivered: number
  readonly failed: number
  readonly dead: number
  /** Those that runs were to publish and could not, as their payload does not fit. */
  readonly dropped: number
}

/** What is published, its value encoded. */
export interface NewEvent {
  readonly name: string
  readonly value: string
  readonly mode: NonNullable<PublishOptions['mode']>
  readonly origin?: EventOrigin | undefined
}

/** What was to be published and is not. */
export interface DroppedEvent {
  readonly name: string
  readonly origin: EventOrigin
  readonly error: Error
}

interface Subscriber {
  readonly pattern: string
  readonly handler: EventHandler
  readonly ids: number[]
  /** The last of what it has been given; the next comes after it. */
  tail: Promise<void>
}

const atOnce = 100
// With every hint lost, what happened is found by then.
const backstopMs = 1_000
// How long an engine that stops is held up by a store that gives no answer.
const patienceMs = 1_000
// What was taken by a process that died is given to another after this; a handler that takes longer is called again.
const takenMs = 60_000
const mostAttempts = 5
const aliveMs = 60_000
const modes = ['durable', 'fast', 'broadcast']

export interface EventsOptions {
  readonly deps: Deps
  /** What other processes wrote. */
  readonly changes: Changes
  readonly checkOpen: () => void
}

export class Events implements EventVerbs, ChangeListener, EventsOfRuns {
  /** The process ends although somebody listens. */
  readonly isAwaited = false
  readonly #deps: Deps
  readonly #changes: Changes
  readonly #checkOpen: () => void
  readonly #subscribers = new Set<Subscriber>()
  readonly #lookout: Lookout
  readonly #counts = { published: 0, delivered: 0, failed: 0, dead: 0, dropped: 0 }
  #isEnabled = true
  #renewal: Timer | undefined
  #isClosed = false

  constructor({ deps, changes, checkOpen }: EventsOptions) {
    this.#deps = deps
    this.#changes = changes
    this.#checkOpen = checkOpen
    this.#lookout = new Lookout({
      clock: deps.clock,
      isNeeded: () => this.#subscribers.size > 0 && this.#isEnabled && !this.#isClosed,
      look: () => this.#look(),
      backstopMs,
      background: true,
    })
  }

  async publish(event: string, payload?: unknown, options: PublishOptions = {}): Promise<void> {
    this.#checkOpen()
    const published = eventOf(event, payload, options)
    const { mode, ...kept } = published
    if (mode !== 'fast') await this.#deps.store.events.publish({ ...kept, mode })
    this.published(published)
  }

  /** An event is in the store, or concerns this process alone. */
  published(event: NewEvent): void {
    this.#counts.published += 1
    if (event.mode === 'fast') this.#dispatchHere(event)
    else this.look()
  }

  /** An event of a run cannot be published; the run goes on. */
  dropped({ name, origin, error }: DroppedEvent): void {
    this.#counts.dropped += 1
    const { runId, step } = origin
    this.#deps.log.warn({ event: name, run: runId, step, err: error }, `event '${name}' is not published`)
  }

  async subscribe<Payload = unknown>(
    pattern: string,
    handler: EventHandler<Payload>,
    options: SubscribeOptions = {},
  ): Promise<() => Promise<void>> {
    this.#checkOpen()
    checkName('The pattern of a subscription', pattern)
    checkFunction('The handler of a subscription', handler)
    checkOptions('subscribe', options, ['group'])
    const { group } = options
    if (group !== undefined) checkName('group', group)
    const { store } = this.#deps
    const until = store.now() + aliveMs
    const alone = { pattern, group: null, until } as const
    const ids =
      group === undefined
        ? [await store.events.addSubscription({ ...alone, takes: 'all' })]
        : [
            await store.events.addSubscription({ pattern, group, takes: 'durable', until: null }),
            await store.events.addSubscription({ ...alone, takes: 'broadcast' }),
          ]
    const subscriber: Subscriber = { pattern, handler: handler as EventHandler, ids, tail: Promise.resolve() }
    this.#subscribers.add(subscriber)
    this.#changes.listen(this)
    this.#renewLater()
    this.look()
    return () => this.#unsubscribe(subscriber, group === undefined ? ids : ids.slice(1))
  }

  setEvents(enabled: boolean): void {
    if (typeof enabled !== 'boolean') throw optionInvalid('enabled', enabled, 'true or false')
    this.#isEnabled = enabled
    this.look()
  }

  counts(): EventCounts {
    return { enabled: this.#isEnabled, subscriptions: this.#subscribers.size, ...this.#counts }
  }

  changed(): void {
    this.look()
  }

  /** Something may have happened that somebody here wants to know. */
  look(): void {
    this.#lookout.look()
  }

  /** Dispatches nothing more. What was kept for those who are alone is forgotten. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#lookout.end()
    this.#renewal?.cancel()
    this.#changes.forget(this)
    const alone = [...this.#subscribers].flatMap(({ ids }) => ids.slice(-1))
    this.#subscribers.clear()
    const { clock, store } = this.#deps
    const drop = async (): Promise<void> => {
      for (const id of alone) await store.events.dropSubscription(id)
    }
    // What is not dropped now is forgotten when nobody renews it.
    await this.#guarded('ending subscriptions', async () => void (await isDoneWithin(clock, patienceMs, drop())))
  }

  async #unsubscribe(subscriber: Subscriber, ids: readonly number[]): Promise<void> {
    if (!this.#subscribers.delete(subscriber) || this.#isClosed) return
    if (this.#subscribers.size === 0) this.#changes.forget(this)
    for (const id of ids) await this.#deps.store.events.dropSubscription(id)
  }

  async #look(): Promise<void> {
    await this.#guarded('looking for events', async () => {
      const { store } = this.#deps
      const subscriptions = [...this.#subscribers].flatMap(({ ids }) => ids)
      const rows = await store.events.take({ subscriptions, limit: atOnce, until: store.now() + takenMs })
      for (const row of rows) this.#give(row)
      if (rows.length === atOnce) this.look()
    })
  }

  /** One after another for one subscriber, beside those of all others. */
  #give(row: EventRow): void {
    const subscriber = [...this.#subscribers].find(({ ids }) => ids.includes(row.subscription))
    if (subscriber === undefined) return
    subscriber.tail = subscriber.tail.then(() => this.#deliver(subscriber, row))
  }

  async #deliver(subscriber: Subscriber, { id, name, value, at, attempt, origin }: EventRow): Promise<void> {
    // What is not given any more is due again, here or elsewhere.
    if (this.#isClosed || !this.#subscribers.has(subscriber)) return
    const isHandled = await this.#handle(subscriber, value, { name, at, attempt, ...origin })
    await this.#guarded('recording what became of an event', async () => {
      await this.#deps.store.events.settle([{ id, end: this.#endOf(isHandled, { name, attempt }) }])
    })
  }

  #endOf(isHandled: boolean, { name, attempt }: Pick<EventInfo, 'name' | 'attempt'>): EventEnd['end'] {
    if (isHandled) return 'done'
    if (attempt < mostAttempts) return { dueAt: this.#deps.store.now() + toMs('1s') * 2 ** (attempt - 1) }
    this.#counts.dead += 1
    this.#deps.log.error({ event: name, attempt }, `event '${name}' is given up after ${attempt} attempts and kept`)
    return 'dead'
  }

  #dispatchHere({ name, value, origin }: NewEvent): void {
    if (!this.#isEnabled) return
    const event = { name, at: this.#deps.store.now(), attempt: 1, ...origin }
    for (const subscriber of this.#subscribers) {
      if (isMeant(subscriber.pattern, name)) void this.#handle(subscriber, value, event)
    }
  }

  async #handle({ handler }: Subscriber, value: string, event: EventInfo): Promise<boolean> {
    try {
      await handler(decode(value), event)
      this.#counts.delivered += 1
      return true
    } catch (error) {
      this.#counts.failed += 1
      this.#deps.log.warn({ event: event.name, err: toError(error) }, `a subscriber of event '${event.name}' failed`)
      return false
    }
  }

  #renewLater(): void {
    const renew = (): void => {
      this.#renewal = undefined
      if (this.#subscribers.size === 0 || this.#isClosed) return
      void this.#guarded('renewing subscriptions', () => this.#renew())
      this.#renewLater()
    }
    this.#renewal ??= this.#deps.clock.after(aliveMs / 3, renew, { background: true, upkeep: true })
  }

  /** A process that was held up for so long that it was forgotten is known again. */
  async #renew(): Promise<void> {
    const { store } = this.#deps
    const until = store.now() + aliveMs
    const alone = [...this.#subscribers].map(({ ids }) => ids.at(-1) ?? 0)
    const known = new Set(await store.events.renewSubscriptions(alone, until))
    for (const subscriber of this.#subscribers) {
      const { pattern, ids } = subscriber
      if (known.has(ids.at(-1) ?? 0)) continue
      const takes = ids.length === 1 ? 'all' : 'broadcast'
      ids[ids.length - 1] = await store.events.addSubscription({ pattern, group: null, takes, until })
    }
  }

  /** The store may be away for a while: what was to be done is tried again later. */
  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#isClosed) this.#deps.log.warn({ err: toError(error) }, `${what} failed`)
    }
  }
}

/** Throws `option_invalid`, `value_not_storable`, `value_too_large`. */
export function eventOf(name: string, payload: unknown, options: PublishOptions): NewEvent {
  checkEventName(name)
  checkOptions('publish', options, ['mode'])
  const { mode = 'durable' } = options
  checkChoice('mode', mode, modes)
  return { name, mode, value: encode(payload, { maxBytes: messageBytes, what: 'event' }) }
}

/** Throws `option_invalid`. */
export function checkEventName(name: string): void {
  checkName('The name of an event', name)
  if (name.includes('*')) throw optionInvalid('The name of an event', name, 'a name without *, which is for patterns')
}
