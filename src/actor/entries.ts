// Records of actors: what `supervise` and `registry` are given to start, and the records of refs they give back.

import type { Actor } from './actor.ts'
import { anObject, optionInvalid } from './errors.ts'
import type { Ref } from './ref.ts'
import type { Make, SpawnOptions } from './spawn.ts'

/** Options of one entry; its key is its name. */
export interface EntryOptions extends Omit<SpawnOptions, 'name'> {
  readonly make: Make<Actor>
}

/** A function that makes the actor or a class that needs no arguments, alone or with options. */
export type Entry = Make<Actor> | EntryOptions

export type Entries = Readonly<Record<string, Entry>>

/** The actor of an entry. */
export type ActorOf<E> = E extends Make<infer A> ? A : E extends { readonly make: Make<infer A> } ? A : never

/** A ref for each entry, under the same key. */
export type RefsOf<E> = { readonly [K in keyof E]: Ref<ActorOf<E[K]>> }

interface ReadEntry extends EntryOptions {
  readonly key: string
}

/** Throws: `option_invalid`, naming the entry that is none. */
export function readEntries(entries: Entries): ReadEntry[] {
  return Object.entries(anObject('record of actors', entries)).map(([key, entry]) => {
    const options = typeof entry === 'function' ? { make: entry } : entry
    if (typeof options?.make !== 'function')
      throw optionInvalid(
        `entry ${JSON.stringify(key)}`,
        entry,
        'a function that makes the actor, a class without arguments, or { make, … } with options',
      )
    return { ...options, key }
  })
}
