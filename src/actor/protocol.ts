// Which methods of a class are messages, found once per class.

import { Actor } from './actor.ts'
import type { Operation } from './envelope.ts'
import { overlapInvalid } from './errors.ts'
import type { OverlapRule, OverlapRules } from './overlap.ts'

export type Method = (this: Actor, payload: unknown) => unknown

/** What a class may say about its handlers. */
interface Declaring {
  readonly name: string
  readonly concurrent?: Readonly<Record<string, number>>
  readonly shared?: readonly string[]
}

const reserved: ReadonlySet<string> = new Set(['constructor', 'ctx', 'started', 'idle', 'stopped'])

const protocols = new WeakMap<object, Handlers>()

/** What finds the handlers of an actor. */
export interface Handlers {
  /** Of the class whose messages these are. */
  readonly prototype: object
  /** Which handlers may run beside others; undefined when none may. */
  readonly overlaps: OverlapRules | undefined
  find(actor: Actor, name: string, operation: Operation): Method | undefined
  /** Called when the actor stops and only what is under way elsewhere is left. */
  drain?(actor: Actor): void
}

/** Finds handlers by name. Lifecycle hooks, getters and whatever the base classes of JavaScript bring are never handlers. */
export class Protocol implements Handlers {
  readonly prototype: object
  /** Which handlers may run beside others; undefined when none may. */
  readonly overlaps: OverlapRules | undefined
  readonly #methods = new Map<string, Method>()
  #latestName = ''
  #latest: Method | undefined

  constructor(prototype: object) {
    this.prototype = prototype
    for (let level = prototype; isBelowActor(level); level = Object.getPrototypeOf(level) as object)
      this.#collect(level)
    this.overlaps = this.#overlapsOf(prototype.constructor as Declaring)
  }

  find(actor: Actor, name: string): Method | undefined {
    // Measured: messages come in runs of one name; comparing it first saves a sixth of a tell.
    if (name === this.#latestName && this.#latest !== undefined) return this.#latest
    const method = this.#methods.get(name)
    if (method === undefined) return ownFunction(actor, name)
    this.#latestName = name
    this.#latest = method
    return method
  }

  #overlapsOf({ name: className, concurrent, shared }: Declaring): OverlapRules | undefined {
    if (concurrent === undefined && shared === undefined) return undefined
    const rules = new Map<string, OverlapRule>()
    for (const [name, limit] of Object.entries(concurrent ?? {})) {
      if (!Number.isInteger(limit) || limit < 1)
        throw overlapInvalid(
          className,
          name,
          `${limit} is not how many may run at once: give a whole number of 1 or more`,
        )
      rules.set(name, { limit, isShared: false })
    }
    for (const name of shared ?? []) {
      if (rules.has(name)) throw overlapInvalid(className, name, 'it cannot be both: shared ones only read')
      rules.set(name, { limit: Infinity, isShared: true })
    }
    for (const name of rules.keys())
      if (!this.#methods.has(name)) throw overlapInvalid(className, name, 'there is no such method')
    return rules
  }

  #collect(level: object): void {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && !reserved.has(name) && !this.#methods.has(name))
        this.#methods.set(name, value as Method)
    }
  }
}

/** Has the actors of a prototype find their handlers in another way. */
export function setHandlers(prototype: object, handlers: Handlers): void {
  protocols.set(prototype, handlers)
}

export function protocolOf(actor: Actor): Handlers {
  const prototype = Object.getPrototypeOf(actor) as object
  let protocol = protocols.get(prototype)
  if (protocol === undefined) protocols.set(prototype, (protocol = new Protocol(prototype)))
  return protocol
}

/** Whether the messages are those of a class or of one derived from it, wherever they are handled. */
export function isOf(handlers: Handlers | undefined, type: abstract new (...deps: never) => Actor): boolean {
  const prototype = handlers?.prototype
  return prototype === type.prototype || prototype instanceof type
}

function isBelowActor(level: object | null): level is object {
  return level !== null && level !== Actor.prototype && level !== Object.prototype
}

// A handler written as a field (`add = (by: number) => …`) belongs to the object, not to the class.
function ownFunction(actor: Actor, name: string): Method | undefined {
  if (reserved.has(name)) return undefined
  const value: unknown = Object.getOwnPropertyDescriptor(actor, name)?.value
  return typeof value === 'function' ? (value as Method) : undefined
}
