// A record of named actors that start one after the other, each when the one before is ready.

import type { Actor } from './actor.ts'
import { readEntries } from './entries.ts'
import type { Entries, RefsOf } from './entries.ts'
import { registryFailed } from './errors.ts'
import { toError } from '../lib/errors.ts'
import type { Handle } from './handle.ts'
import { cellOf } from './ref.ts'
import type { Ref } from './ref.ts'
import type { Make, SpawnOptions, Spawned } from './spawn.ts'

/** The refs, by key. Disposing of it stops the actors one by one, last started first. */
export type Registry<E> = RefsOf<E> & AsyncDisposable

type Spawn = (make: Make<Actor>, options: SpawnOptions) => Spawned<Actor>

/**
 * Starts the entries in their order; the key of each is its name.
 *
 * Rejects with `option_invalid`, before anything is started, when an entry is none, and with `registry_failed` when one does not start:
 * what had been started is stopped again by then, last started first.
 */
export async function startRegistry<E extends Entries>(spawn: Spawn, entries: E): Promise<Registry<E>> {
  const refs: [string, Ref<Actor>][] = []
  const handles: Handle[] = []
  for (const { key, make, ...options } of readEntries(entries)) {
    try {
      const [ref, handle] = await startOne(spawn(make, { ...options, name: key }))
      refs.push([key, ref])
      handles.push(handle)
    } catch (error) {
      await stopAll(handles)
      throw registryFailed(key, toError(error))
    }
  }
  const registry = Object.fromEntries(refs)
  Object.defineProperty(registry, Symbol.asyncDispose, { value: () => stopAll(handles) })
  return Object.freeze(registry) as Registry<E>
}

/** Throws why the actor did not start; one that would be restarted is ended. */
async function startOne([ref, handle]: Spawned<Actor>): Promise<Spawned<Actor>> {
  const error = await cellOf(ref).life.startError
  if (error === undefined) return [ref, handle]
  await handle.kill()
  throw error
}

async function stopAll(handles: readonly Handle[]): Promise<void> {
  for (const handle of handles.toReversed()) await handle.stop()
}
