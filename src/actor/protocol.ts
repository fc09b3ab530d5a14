// Which methods of a class are messages, found once per class.

import { Actor } from './actor.ts'

type Method = (this: Actor, payload: unknown) => unknown

const reserved: ReadonlySet<string> = new Set(['constructor', 'ctx', 'started', 'idle', 'stopped'])

const protocols = new WeakMap<object, Protocol>()

/** Finds handlers by name. Lifecycle hooks, getters and whatever the base classes of JavaScript bring are never handlers. */
export class Protocol {
  readonly #methods = new Map<string, Method>()
  #latestName = ''
  #latest: Method | undefined

  constructor(prototype: object) {
    for (let level = prototype; isBelowActor(level); level = Object.getPrototypeOf(level) as object)
      this.#collect(level)
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

  /** The messages all objects of the class take. */
  names(): string[] {
    return [...this.#methods.keys()]
  }

  /** The messages only this object takes: handlers written as fields. */
  ownNames(actor: Actor): string[] {
    return Object.keys(actor).filter((name) => ownFunction(actor, name) !== undefined)
  }

  #collect(level: object): void {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && !reserved.has(name) && !this.#methods.has(name))
        this.#methods.set(name, value as Method)
    }
  }
}

export function protocolOf(actor: Actor): Protocol {
  const prototype = Object.getPrototypeOf(actor) as object
  let protocol = protocols.get(prototype)
  if (protocol === undefined) protocols.set(prototype, (protocol = new Protocol(prototype)))
  return protocol
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
