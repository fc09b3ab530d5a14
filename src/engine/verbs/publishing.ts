// How a program publishes events, and how it hears of them.
import { optionInvalid } from '../../model/errors.ts'
import { checkFunction, checkName, checkOptions } from '../checks.ts'
import { aliveMs } from '../events/domain-events.ts'
import { eventOf, type EventHandler, type PublishOptions, type SubscribeOptions } from '../events/events.ts'
import type { Subscriber } from '../events/subscriber.ts'
import type { Face } from './face.ts'
import type { EventVerbs } from './verbs.ts'

export class Publishing implements EventVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async publish(event: string, payload?: unknown, options: PublishOptions = {}): Promise<void> {
    const { checkOpen, deps, engine } = this.#face
    checkOpen()
    const published = eventOf(event, payload, options)
    const { mode, ...kept } = published
    if (mode === 'fast') return engine.events.dispatch(published)
    await deps.store.events.publish({ ...kept, mode })
    engine.events.published(published)
  }

  async subscribe<Payload = unknown>(
    pattern: string,
    handler: EventHandler<Payload>,
    options: SubscribeOptions = {},
  ): Promise<() => Promise<void>> {
    const { checkOpen, engine } = this.#face
    checkOpen()
    checkName('The pattern of a subscription', pattern)
    checkFunction('The handler of a subscription', handler)
    checkOptions('subscribe', options, ['group'])
    if (options.group !== undefined) checkName('group', options.group)
    const ids = await this.#keep(pattern, options.group)
    const subscriber = await engine.events.listen({ pattern, handler: handler as EventHandler }, ids)
    return () => this.#unsubscribe(subscriber)
  }

  setEvents(enabled: boolean): void {
    if (typeof enabled !== 'boolean') throw optionInvalid('enabled', enabled, 'true or false')
    this.#face.engine.events.setEnabled(enabled)
  }

  /** What is durable is shared by a group; broadcasts are for each of it. */
  async #keep(pattern: string, group: string | undefined): Promise<number[]> {
    const { store } = this.#face.deps
    const { events } = store
    const alone = { pattern, group: null, until: store.now() + aliveMs } as const
    if (group === undefined) return [await events.addSubscription({ ...alone, takes: 'all' })]
    return [
      await events.addSubscription({ pattern, group, takes: 'durable', until: null }),
      await events.addSubscription({ ...alone, takes: 'broadcast' }),
    ]
  }

  async #unsubscribe(subscriber: Subscriber): Promise<void> {
    const { engine, deps } = this.#face
    if (engine.view.failure !== undefined) return
    await subscriber.end()
    if (!(await engine.events.remove(subscriber))) return
    const own = subscriber.ids.at(-1)
    if (own !== undefined) await deps.store.events.dropSubscription(own)
    engine.events.look()
  }
}
