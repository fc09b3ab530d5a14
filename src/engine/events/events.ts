// READ FIRST: what events are to those who publish and hear them. Whoever is slow or throws harms nobody else.
//
// An event:  eventOf → the store, in the commit that caused it → domain-events takes it from there → subscriber → the handler
// Through a publisher: it is a subscriber of such events alone, and what it publishes is an event again
// A `fast` one:  eventOf → event-desk → domain-events → subscriber → the handler
import { encode } from '../../lib/codec.ts'
import { optionInvalid } from '../../model/errors.ts'
import { eventModes, type EventOrigin } from '../../model/event.ts'
import type { EventRecord } from '../../store/events.ts'
import { checkChoice, checkName, checkOptions } from '../checks.ts'
import { messageBytes } from '../value-size.ts'

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
  /** Whether the subscribers of this process are called. */
  readonly enabled: boolean
  readonly subscriptions: number
  /** By this process, and of these in each mode. */
  readonly published: number
  readonly durable: number
  readonly fast: number
  readonly broadcast: number
  /** Those that were to be published and are not, as their payload does not fit, and `fast` ones that nobody was called for. */
  readonly dropped: number
  /** How often a subscriber was called. */
  readonly dispatched: number
  /** Calls that came to a good end. */
  readonly delivered: number
  readonly failed: number
  /** Events that were given up for a subscriber. */
  readonly dead: number
  /** Events that are here and wait for their subscriber. */
  readonly depth: number
  /** When the last one was published or a subscriber called, in milliseconds since 1970; null for never. */
  readonly lastEventAt: number | null
}

/** What is published, its value encoded. */
export interface NewEvent {
  readonly name: string
  readonly value: string
  readonly mode: NonNullable<PublishOptions['mode']>
  readonly origin?: EventOrigin | undefined
  readonly publisher?: string | undefined
}

/** What was to be published and is not. */
export interface DroppedEvent {
  readonly name: string
  readonly origin: EventOrigin
  readonly error: Error
}

/** Throws `option_invalid`, `value_not_storable`, `value_too_large`. */
export function eventOf(name: string, payload: unknown, options: PublishOptions): NewEvent {
  checkEventName(name)
  checkOptions('publish', options, ['mode'])
  const { mode = 'durable' } = options
  checkChoice('mode', mode, eventModes)
  return { name, mode, value: encode(payload, { maxBytes: messageBytes, what: 'event' }) }
}

/** Throws `option_invalid`. */
export function checkEventName(name: string): void {
  checkName('The name of an event', name)
  if (name.includes('*')) throw optionInvalid('The name of an event', name, 'a name without *, which is for patterns')
}

/** Those of them that the store keeps. */
export function keptOf(events: readonly NewEvent[] | undefined): readonly EventRecord[] | undefined {
  return events?.flatMap(({ mode, ...event }) => (mode === 'fast' ? [] : [{ ...event, mode }]))
}
