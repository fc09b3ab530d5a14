// A store in between: it keeps what goes through it, and when it is cut off, nothing goes through any more.

import { nothingCommitted } from '../store/lists.ts'
import type { EventStore } from '../store/events.ts'
import type { Batch, Committed, Store } from '../store/store.ts'

/** What goes on between an engine and its store. */
export interface StoreObserver {
  /** Something is asked; tells what to call when it is answered. */
  asked(): () => void
  /** Before a batch is written. */
  committing(batch: Batch): void
  /** After it was written, before the engine knows. */
  committed(batch: Batch, answer: Committed): void
  /** An event was published. */
  published(name: string, value: string): void
  /** A definition has its number. */
  named(definitionId: number, name: string): void
  /** Nothing is asked of the store any more, and no answer comes from it. */
  isCutOff(): boolean
}

// What is answered at once; all else is a promise.
const answeredAtOnce = new Set([
  'location',
  'now',
  'clockAheadMs',
  'changeCount',
  'whenWritten',
  'leaseLeftMs',
  'keepLease',
])

type Special = Partial<Omit<Store, 'events'>> & { readonly events: Partial<EventStore> }

/** The same store under the eyes of an observer. It is left open when its engine ends: whoever opened it closes it. */
export function observedStore(store: Store, observer: StoreObserver): Store {
  const special: Special = {
    close: async () => {},
    commit: async (batch) => {
      observer.committing(batch)
      // Nobody hears the answer.
      if (observer.isCutOff()) return nothingCommitted
      const answer = await store.commit(batch)
      observer.committed(batch, answer)
      for (const { events = [] } of [...(batch.steps ?? []), ...(batch.attempts ?? [])])
        for (const { name, value } of events) observer.published(name, value)
      return answer
    },
    events: {
      publish: (event) => {
        observer.published(event.name, event.value)
        return store.events.publish(event)
      },
    },
    internDefinition: async (name, version) => {
      const id = await store.internDefinition(name, version)
      observer.named(id, name)
      return id
    },
  }
  return between(store, special, observer) as Store
}

type Methods = Readonly<Record<string, unknown>>

function between(target: object, special: object, observer: StoreObserver): object {
  return new Proxy(target, {
    get: (_target, name) => {
      const own = (special as Methods)[name as string]
      const there: unknown = Reflect.get(target, name, target)
      if (typeof there === 'object' && there !== null) return between(there, own ?? {}, observer)
      const value = own ?? there
      if (typeof value !== 'function') return value
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
      return answeredAtOnce.has(name as string) ? call : (...args: unknown[]) => ask(() => call(...args), observer)
    },
  })
}

async function ask(call: () => unknown, observer: StoreObserver): Promise<unknown> {
  if (observer.isCutOff()) return never()
  const answered = observer.asked()
  try {
    return await call()
  } finally {
    answered()
    if (observer.isCutOff()) await never()
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}
