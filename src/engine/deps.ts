// What every part of the engine is built with, so that a test or a simulator can own the world.
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Coding } from '../model/codecs/codecs.ts'
import type { Store } from '../store/store.ts'

export interface Deps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly ids: Ids
  readonly failpoint: Failpoint
  /** The form of what is kept of the data of the program elsewhere than in the store, which has it already. */
  readonly coding?: Coding | undefined
  /** Called in the place of the functions of steps; a test may let something else stand in for one. */
  readonly performStep?: PerformStep | undefined
  /** Whoever waits for a message is parked at once, however much there is to remember: on virtual time the reading costs less than the wait. */
  readonly parksAtOnce?: boolean | undefined
}

/** A step that is about to be performed. */
export interface StepPlace {
  readonly runId: string
  readonly definition: string
  readonly path: string
  /** What its function is given. */
  readonly context: object
}

export type PerformStep = (step: StepPlace, perform: () => unknown) => unknown

/** Called at named places where a crash must do no harm; does nothing but in crash tests. */
export type Failpoint = (place: FailpointPlace, path?: string) => void

export type FailpointPlace = 'commit:before' | 'commit:after' | 'step:before' | 'step:after' | 'settle:before'
