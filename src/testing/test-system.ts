// An actor system for tests: time stands still, the log is kept, and failures do not go unnoticed.

import type { DeadLetters } from '../actor/dead-letters.ts'
import type { FailurePhase } from '../actor/handle.ts'
import type { Pick } from '../actor/run-queue.ts'
import { pickTurns } from '../actor/run-queue.ts'
import type { TurnOptions } from '../actor/run-queue.ts'
import { ActorSystem } from '../actor/system.ts'
import type { ActorSystemOptions } from '../actor/system.ts'
import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import { seededRandom } from '../lib/random.ts'
import { ManualClock } from './manual-clock.ts'
import { comeToRest } from './quiescence.ts'
import { RecordedLog } from './recorded-log.ts'

export interface TestSystemOptions extends Omit<ActorSystemOptions, 'clock' | 'log'> {
  /**
   * Lets chance decide, one message at a time, which of the actors that could go on does: the same seed is the same order again.
   * Without it they take turns as outside of tests.
   */
  readonly seed?: number
}

/** An actor that failed; one that is restarted has failed too. */
export interface ActorFailure {
  readonly actor: string
  readonly phase: FailurePhase
  readonly error: Error
}

export interface TestSystem extends AsyncDisposable {
  readonly system: ActorSystem
  readonly clock: ManualClock
  readonly log: RecordedLog
  /** Those of the system. */
  readonly deadLetters: DeadLetters
  /** Those nobody has taken yet; grows and shrinks as the test goes on. */
  readonly failures: readonly ActorFailure[]
  /** Returns the failures and forgets them: a test takes those it expects. */
  takeFailures(): readonly ActorFailure[]
  /**
   * Resolves when no actor can go on without time or the world outside. Time does not move.
   *
   * Throws: an error that names the actors that keep each other busy without end.
   */
  settle(): Promise<void>
  /** Settles, moves time on by so much, firing the timers on the way, and settles again. */
  advance(time: Duration): Promise<void>
  /** Stops the system, kills what does not stop, and throws when an actor failed and nobody took the failure. */
  stop(): Promise<void>
}

/**
 * Makes an actor system on a clock that stands still.
 *
 * ```ts
 * import { Actor } from 'troupe/actor'
 * import { testSystem } from 'troupe/testing'
 * class Reminder extends Actor {
 *   sent = 0
 *   override started() { this.ctx.every('1h', () => void this.sent++) }
 *   count() { return this.sent }
 * }
 * const { system, advance, stop } = testSystem()
 * const [reminder] = system.spawn(Reminder)
 * await advance('3h')
 * console.log(await reminder.ask('count')) // 3
 * await stop()
 * ```
 */
export function testSystem({ seed, ...options }: TestSystemOptions = {}): TestSystem {
  const clock = new ManualClock()
  const log = new RecordedLog()
  const turns: TurnOptions = seed === undefined ? {} : { [pickTurns]: pickBy(seed) }
  const system = new ActorSystem({ ...options, ...turns, clock, log })
  const failures: ActorFailure[] = []
  system.inspect((event) => {
    if (event.type === 'failed') failures.push({ actor: event.actor, phase: event.phase, error: event.error })
  })

  const settle = (): Promise<void> => comeToRest(system)
  const advance = async (time: Duration): Promise<void> => {
    const endMs = clock.monotonic() + toMs(time)
    await settle()
    do {
      const leftMs = endMs - clock.monotonic()
      await clock.advance(Math.min(clock.nextTimerMs ?? leftMs, leftMs))
      await settle()
    } while (clock.monotonic() < endMs)
  }
  const takeFailures = (): readonly ActorFailure[] => failures.splice(0)
  const stop = async (): Promise<void> => {
    const stopped = system.stop({ within: 0 })
    await advance(0)
    await stopped
    const left = takeFailures()
    if (left.length > 0) throw unexpected(left)
  }
  return {
    system,
    clock,
    log,
    deadLetters: system.deadLetters,
    failures,
    takeFailures,
    settle,
    advance,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function pickBy(seed: number): Pick {
  const random = seededRandom(seed)
  return (ready) => Math.floor(random() * ready)
}

function unexpected(failures: readonly ActorFailure[]): Error {
  const list = failures.map(({ actor, phase, error }) => `${actor} failed (${phase}): ${error.message}`)
  return new AggregateError(
    failures.map(({ error }) => error),
    `${list.join('; ')}. A test that expects this takes it with takeFailures().`,
  )
}
