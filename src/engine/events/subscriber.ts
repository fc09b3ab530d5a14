// Somebody who is told events, one after another; what fails is told again, and given up in the end.
import { decode } from '../../lib/codec.ts'
import { toMs } from '../../lib/duration.ts'
import { toError } from '../../lib/errors.ts'
import type { EventEnd, EventRow } from '../../store/events.ts'
import type { Deps } from '../deps.ts'
import type { EventTally } from './event-tally.ts'
import type { EventHandler, EventInfo, NewEvent } from './events.ts'

const mostAttempts = 5
// Invariant: I15. What waits for one subscriber in memory; the rest waits in the store.
const mostWaiting = 100

export interface SubscriberOptions {
  readonly pattern: string
  readonly handler: EventHandler
  /** Its numbers in the store; the last is its own. */
  readonly ids: number[]
}

export class Subscriber {
  readonly pattern: string
  readonly ids: number[]
  readonly #deps: Deps
  readonly #tally: EventTally
  readonly #handler: EventHandler
  /** It is told nothing more; what it was to be told is due again, here or elsewhere. */
  isOver = false
  /** Called when there is room for more. */
  hasRest: () => void = () => {}
  /** The last of what it has been given; the next comes after it. */
  #tail: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor({ pattern, handler, ids }: SubscriberOptions, deps: Deps, tally: EventTally) {
    this.pattern = pattern
    this.ids = ids
    this.#handler = handler
    this.#deps = deps
    this.#tally = tally
  }

  get hasRoom(): boolean {
    return this.#waiting < mostWaiting
  }

  /** Of what the store keeps: after all that it was given before. */
  give(row: EventRow): void {
    this.#waiting += 1
    this.#tally.depth += 1
    this.#tail = this.#tail.then(() => this.#deliver(row))
  }

  /** Of what nobody keeps: at once. */
  async dispatch({ name, value, origin }: NewEvent): Promise<void> {
    await this.#call(value, { ...origin, name, at: this.#deps.store.now(), attempt: 1 })
  }

  async #deliver({ id, name, value, at, attempt, origin }: EventRow): Promise<void> {
    this.#tally.depth -= 1
    if (!this.isOver) {
      const isHandled = await this.#call(value, { ...origin, name, at, attempt })
      await this.#settle({ id, end: this.#endOf(isHandled, { name, attempt }) })
    }
    this.#waiting -= 1
    if (this.#waiting === mostWaiting - 1) this.hasRest()
  }

  async #call(value: string, event: EventInfo): Promise<boolean> {
    this.#tally.wasDispatched(this.#deps.store.now())
    try {
      await this.#handler(decode(value), event)
      this.#tally.delivered += 1
      return true
    } catch (error) {
      this.#tally.failed += 1
      this.#deps.log.warn({ event: event.name, err: toError(error) }, `a subscriber of event '${event.name}' failed`)
      return false
    }
  }

  #endOf(isHandled: boolean, { name, attempt }: Pick<EventInfo, 'name' | 'attempt'>): EventEnd['end'] {
    if (isHandled) return 'done'
    if (attempt < mostAttempts) return { dueAt: this.#deps.store.now() + toMs('1s') * 2 ** (attempt - 1) }
    this.#tally.dead += 1
    this.#deps.log.error({ event: name, attempt }, `event '${name}' is given up after ${attempt} attempts and kept`)
    return 'dead'
  }

  /** What is not recorded now is due again. */
  async #settle(end: EventEnd): Promise<void> {
    try {
      await this.#deps.store.events.settle([end])
    } catch (error) {
      if (!this.isOver) this.#deps.log.warn({ err: toError(error) }, 'recording what became of an event failed')
    }
  }
}
