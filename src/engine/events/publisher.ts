// Publishers of programs: each is given the events that steps publish through it, and decides what is published.
import { decode } from '../../lib/codec.ts'
import type { EventOrigin } from '../../model/event.ts'
import { definitionInvalid } from '../../model/errors.ts'
import { eventOf, type EventInfo, type NewEvent, type PublishOptions } from './events.ts'

/** An event that a step of a template publishes through a publisher. */
export interface EventToPublish<Payload = unknown> extends EventInfo {
  readonly payload: Payload
  readonly mode: NonNullable<PublishOptions['mode']>
}

/** Publishes an event once the publisher has returned, in the commit that records that it has; in the mode of the one it was given unless told. */
export type PublishEvent = (event: string, payload?: unknown, options?: PublishOptions) => void

/**
 * Decides what is published of an event: nothing, the same, or others. When it throws, nothing is published, and it is called again with the same event,
 * for as long as events are kept; only of `fast` ones there is no other time.
 */
export type Publisher<Payload = unknown> = (event: EventToPublish<Payload>, publish: PublishEvent) => unknown

interface Given {
  readonly value: string
  readonly mode: EventToPublish['mode']
  readonly info: EventInfo
  readonly origin: EventOrigin
}

/** What a publisher makes of an event. Throws what it throws. */
export async function eventsFrom(publisher: Publisher, { value, mode, info, origin }: Given): Promise<NewEvent[]> {
  const made: NewEvent[] = []
  let isOver = false
  const publish: PublishEvent = (event, payload, options = {}) => {
    if (isOver)
      throw definitionInvalid(`'${event}' was published after the publisher had returned: await what comes before.`)
    made.push({ ...eventOf(event, payload, { ...options, mode: options.mode ?? mode }), origin })
  }
  try {
    await publisher({ ...info, mode, payload: decode(value) }, publish)
    return made
  } finally {
    isOver = true
  }
}
