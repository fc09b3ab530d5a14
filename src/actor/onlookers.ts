// Those who wait for something in the life of one actor; made when the first of them comes.

import type { Deferred } from '../lib/deferred.ts'
import type { ActorResult } from './handle.ts'
import type { Watching } from './watch.ts'

export class Onlookers {
  startError: Deferred<Error | undefined> | undefined
  /** The first half of the restart that is under way. */
  retired: Promise<void> | undefined
  done: Deferred<ActorResult> | undefined
  readonly watchers = new Set<Watching>()
}
