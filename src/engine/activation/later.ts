// A run that somebody finishes from outside: the token of an attempt, how long it waits, and what came.
import { decode, decodeError } from '../../lib/codec.ts'
import { reviveError } from '../../model/error-classes.ts'
import { workerSilent, workerTimedOut } from '../../model/time-errors.ts'
import type { Awaiting, TokenUse, WaitRecord } from '../../store/waits.ts'
import type { Activation } from './activation.ts'
import { storedTime } from '../verbs/call.ts'
import type { AnyDefinition } from '../definition/definition.ts'
import { Token } from './token.ts'

/** The token of an attempt of the run itself. */
export class Later {
  readonly #token: Token
  readonly #limits: Pick<Awaiting, 'timeoutAt' | 'heartbeatMs'>

  constructor(activation: Activation, startedAt: number) {
    const { definition, timeoutMs } = activation
    const { heartbeatMs = null } = definition.settings
    this.#limits = { timeoutAt: timeoutMs === undefined ? null : storedTime(startedAt + timeoutMs), heartbeatMs }
    this.#token = new Token(activation, { path: '', startedAt, ...this.#limits })
  }

  get token(): Promise<string> {
    return this.#token.given
  }

  /** What the run waits for from now on. */
  waitFrom(now: number): WaitRecord {
    return waitOf({ ...this.#limits, heardAt: now })
  }
}

function waitOf(awaiting: Pick<Awaiting, 'timeoutAt' | 'heartbeatMs' | 'heardAt'>): WaitRecord {
  const dueAt = Math.min(timeoutOf(awaiting), silenceOf(awaiting))
  return { path: '', kind: 'completion', name: null, dueAt: dueAt === Infinity ? null : storedTime(dueAt) }
}

/** When the first of several waits is over; null for never. */
export function earliestOf(waits: readonly Pick<WaitRecord, 'dueAt'>[]): number | null {
  const at = Math.min(...waits.map(({ dueAt }) => dueAt ?? Infinity))
  return at === Infinity ? null : at
}

/** Of an attempt that has asked for none of its own: what it goes on with, and those of its steps. */
export function useOfTokens({ claimed, hasStepTokens }: Activation): TokenUse | undefined {
  const { awaiting, awaitingSteps } = claimed
  if (awaiting !== undefined) return awaiting.result === null ? 'open' : 'taken'
  return hasStepTokens || awaitingSteps.length > 0 ? 'taken' : undefined
}

/** What came, or a promise of it; throws what the attempt failed with, also when nothing came in time. Parks again when there is time left. */
export function goOnWith(activation: Activation, awaiting: Awaiting): unknown {
  const { deps, definition } = activation
  const { result } = awaiting
  const now = deps.store.now()
  if (result === null && now < Math.min(timeoutOf(awaiting), silenceOf(awaiting))) {
    // Race: a cancel may have woken it, and is heard in this turn.
    deps.clock.soon(() => activation.park([waitOf(awaiting)]))
    return new Promise(() => {})
  }
  if (result === null) throw tooLate(awaiting, definition, now)
  if (result.isError) throw decodeError(result.value, reviveError)
  const output = decode(result.value)
  return definition.checked === undefined ? output : definition.checked(output)
}

function tooLate(awaiting: Awaiting, { name, settings }: AnyDefinition, now: number): Error {
  if (now >= timeoutOf(awaiting)) return workerTimedOut(name, timeoutOf(awaiting) - awaiting.startedAt)
  return workerSilent(name, settings.heartbeatMs ?? 0)
}

function timeoutOf({ timeoutAt }: Pick<Awaiting, 'timeoutAt'>): number {
  return timeoutAt ?? Infinity
}

function silenceOf({ heardAt, heartbeatMs }: Pick<Awaiting, 'heardAt' | 'heartbeatMs'>): number {
  return heartbeatMs === null ? Infinity : heardAt + heartbeatMs
}
