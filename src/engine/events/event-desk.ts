// Where the engine tells of events: the way to the actor that dispatches them, at no cost while nobody listens.
import type { Ref } from '../../actor/ref.ts'
import type { EventsOfRuns } from '../activation/surroundings.ts'
import { Breaker } from '../../lib/breaker.ts'
import { publisherPattern } from '../../store/events.ts'
import type { Deps } from '../deps.ts'
import type { DomainEvents } from './domain-events.ts'
import type { EventTally } from './event-tally.ts'
import type { DroppedEvent, EventCounts, NewEvent } from './events.ts'
import type { Publisher } from './publisher.ts'
import { Subscriber, type Ear } from './subscriber.ts'

export class EventDesk implements EventsOfRuns {
  readonly tally: EventTally
  readonly #deps: Deps
  readonly #actor: Ref<DomainEvents>
  readonly #breakers: Breaker[] = []

  constructor(deps: Deps, actor: Ref<DomainEvents>, tally: EventTally) {
    this.#deps = deps
    this.#actor = actor
    this.tally = tally
  }

  /** An event is in the store, or concerns this process alone. */
  published(event: NewEvent): void {
    // What goes through a publisher is published by that.
    if (event.publisher === undefined) this.tally.wasPublished(event, this.#deps.store.now())
    if (event.mode === 'fast') this.#actor.tell('dispatch', event)
    else this.look()
  }

  /** Resolves once the subscribers of this process were called. */
  async dispatch(event: NewEvent): Promise<void> {
    this.tally.wasPublished(event, this.#deps.store.now())
    await this.#actor.ask('dispatch', event)
  }

  /** An event of a run cannot be published; the run goes on. */
  dropped({ name, origin, error }: DroppedEvent): void {
    this.tally.dropped += 1
    const { runId, step } = origin
    this.#deps.log.warn({ event: name, run: runId, step, err: error }, `event '${name}' is not published`)
  }

  /** Something may have happened that somebody here wants to know. */
  look(): void {
    if (this.tally.isHeard) this.#actor.tell('look')
  }

  /** What the ear hears from now on; what was kept under these numbers before too. */
  async listen(ear: Ear, ids: number[]): Promise<Subscriber> {
    const { tally } = this
    const subscriber = new Subscriber(this.#deps, { ear, ids, tally, published: (event) => this.published(event) })
    await this.#actor.ask('add', subscriber)
    return subscriber
  }

  /** Calls a publisher with what goes through it, also with what was kept for it. */
  async addPublisher(publisher: string, publish: Publisher): Promise<void> {
    const { clock, store } = this.#deps
    const wanted = { pattern: publisherPattern, group: publisher, takes: 'publisher', until: null } as const
    const id = await store.events.addSubscription(wanted)
    const breaker = new Breaker(`publisher ${publisher}`, clock)
    this.#breakers.push(breaker)
    await this.listen({ publisher, publish, breaker }, [id])
  }

  /** Those of the publishers. */
  get breakers(): readonly Breaker[] {
    return this.#breakers
  }

  /** False when it was not there. */
  async remove(subscriber: Subscriber): Promise<boolean> {
    return this.#actor.ask('remove', subscriber)
  }

  setEnabled(isEnabled: boolean): void {
    this.tally.isEnabled = isEnabled
    this.look()
  }

  counts(): EventCounts {
    return this.tally.counts()
  }
}
