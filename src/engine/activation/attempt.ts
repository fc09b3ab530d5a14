// What the context of a worker needs of the attempt it speaks for, which may run here or in a thread of its own.
import type { Claimed, Held } from '../../store/store.ts'
import type { Cleanup } from './cleanups.ts'
import type { Deps } from '../deps.ts'
import type { Speech } from './speech.ts'
import type { Performance, Surroundings } from './surroundings.ts'
import type { HeldRecord, WriteOwner } from '../writes.ts'

export interface Attempt {
  readonly definition: { readonly name: string }
  readonly claimed: Pick<Claimed, 'id' | 'correlationId' | 'attempt' | 'scheduledAt' | 'states'>
  /** The same for every attempt. */
  readonly idempotencyKey: string
  readonly held: Held
  readonly deps: Pick<Deps, 'clock'>
  readonly around: Pick<Surroundings, 'config' | 'environment'>
  readonly speech: Pick<Speech, 'emit' | 'progress' | 'log'>
  readonly isOver: boolean
  /** Whether what the code says is still written down. */
  readonly isHeard: boolean
  /** Aborted when the run is cut short. */
  readonly signal: AbortSignal
  attach(performance: Performance): void
  beat(): void
  /** A token with which anyone may finish the run. */
  later(): Promise<string>
  snooze(delayMs: number): void
  defer(cleanup: Cleanup): void
  write(owner: WriteOwner, records: readonly HeldRecord[]): void
}
