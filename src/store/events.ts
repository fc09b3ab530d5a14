// What the store is told of events: who wants which, and what has yet to reach them.
import type { EventOrigin } from '../model/event.ts'

/** What no event is named, and no program can subscribe to. */
export const publisherPattern = ''

export interface EventRecord {
  readonly name: string
  /** Encoded. */
  readonly value: string
  /** Of those that are under way, or those that every process has for itself. */
  readonly mode: 'durable' | 'broadcast'
  readonly origin?: EventOrigin | undefined
  /** Who decides what is published of it: it goes to nobody else. */
  readonly publisher?: string | undefined
}

/** Somebody who wants events. */
export interface SubscriptionRecord {
  readonly pattern: string
  /** All of one group and pattern are one; null for one that is alone. */
  readonly group: string | null
  /** `publisher`: what goes through the publisher of the group's name, which has no pattern. */
  readonly takes: 'all' | 'durable' | 'broadcast' | 'publisher'
  /** It is gone then, unless it is renewed; null for never. */
  readonly until: number | null
}

/** An event on its way to one subscription. */
export interface EventRow {
  readonly id: number
  readonly subscription: number
  readonly name: string
  readonly value: string
  readonly mode: EventRecord['mode']
  readonly at: number
  readonly origin: EventOrigin
  /** How often it was taken, this time included. */
  readonly attempt: number
}

export interface EventSlice {
  readonly subscriptions: readonly number[]
  readonly limit: number
  /** Nobody else takes them until then. */
  readonly until: number
}

/** What became of an event that was taken: it reached them, is tried again (or still, when it was not tried), or is given up and kept. */
export interface EventEnd {
  readonly id: number
  readonly end: 'done' | 'dead' | { readonly dueAt: number; readonly isUntried?: boolean }
  /** What is published in turn. */
  readonly events?: readonly EventRecord[] | undefined
}

/** The part of the store that keeps events. */
export interface EventStore {
  /** Keeps an event for everybody who wants it; counts them. */
  publish(event: EventRecord): Promise<number>
  /** Its number, the same for the same group and pattern. */
  addSubscription(subscription: SubscriptionRecord): Promise<number>
  /** Puts the end of those that are alone off, and forgets those that are over; tells which of them are still there. */
  renewSubscriptions(ids: readonly number[], until: number): Promise<number[]>
  /** The names of the publishers that any process had. */
  listPublishers(): Promise<string[]>
  /** Forgets a subscription and what was kept for it. */
  dropSubscription(id: number): Promise<void>
  take(slice: EventSlice): Promise<EventRow[]>
  settle(ends: readonly EventEnd[]): Promise<void>
}
