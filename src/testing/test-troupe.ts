// An engine for tests: on virtual time, in memory, with mocks, told what it waits for.

import { checkName } from '../engine/checks.ts'
import { asDefinition, type AnyDefinition } from '../engine/definition/definition.ts'
import type { TroupeOptions } from '../engine/options/options.ts'
import type { RunHandle } from '../engine/watch/run-handle.ts'
import { isSchedule } from '../engine/schedule/schedule.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { onceDone } from '../lib/once-done.ts'
import type { Troupe } from '../troupe.ts'
import { FoundMocks, withMocks, type StepMocks, type WorkerMocks } from './mocks.ts'
import type { PublishedEvent, RunLine, ToldMessage } from './observations.ts'
import { RecordedLog } from './recorded-log.ts'
import { Stage } from './stage.ts'
import { Waiting } from './waiting.ts'

export interface TestTroupeOptions extends Omit<TroupeOptions, 'store' | 'durability' | 'log'> {
  /** Stand in for steps, by path: `{ charge: () => receipt, 'ship[*]/pack': ({ path }) => … }`. One that no step was performed for is an error when the kit is stopped. */
  readonly steps?: StepMocks
  /** Stand in for workers and workflows, by name; `mock(definition, code)` among the `definitions` does the same with types. */
  readonly mocks?: WorkerMocks
  /** The wall time it begins at, in milliseconds since 1970; 2026-01-01 unless told. */
  readonly startsAt?: number
  /** How long, in real time, virtual time stands still for code that waits for something outside of the engine; 1 s unless told. */
  readonly patience?: Duration
}

/** Virtual time: it stands still unless somebody awaits something, or moves it. */
export interface TestClock {
  /** In milliseconds since 1970. */
  now(): number
  /** Lets so much time pass, with all that happens in it. */
  advance(time: Duration): Promise<void>
}

export interface TestTroupe extends AsyncDisposable {
  readonly troupe: Troupe
  readonly clock: TestClock
  /** What was told to runs, by anybody. */
  readonly told: readonly ToldMessage[]
  /** What was published, by runs and by the test; not what the engine tells itself, nor in the mode `fast`. */
  readonly published: readonly PublishedEvent[]
  /** What runs said by `ctx.info` and the like. */
  readonly logs: readonly RunLine[]
  /** What the engine said. */
  readonly engineLog: RecordedLog
  /** Resolves when nothing goes on without time or the world outside. */
  settle(): Promise<void>
  /**
   * Resolves when the run waits for a message of this name, letting time pass until then.
   *
   * Throws: an error that says how the run has ended, or what it waits for that will never come.
   */
  whenWaiting(run: RunHandle | string, message: string): Promise<void>
  /** From now on every run that waits for a message of this name is told it, each time it waits: the payload, or what `payload` makes of the id of the run. */
  onWaiting(message: string, payload?: unknown): void
  /** Stops the engine. Throws when a mock of a step was of no use. */
  stop(): Promise<void>
}

/**
 * Opens an engine on virtual time: who awaits a result has it at once, whatever the run sleeps.
 *
 * Time stands still until somebody awaits something; then it goes from one due time to the next whenever nothing else goes on. Who awaits what will never come,
 * as a message that nobody tells, gets an error that names it. Saves: nothing. Throws: what `Troupe.open` throws.
 *
 * ```ts
 * import { workflow } from 'troupe'
 * import { testTroupe } from 'troupe/testing'
 * const trial = workflow('trial', {}, async (ctx, email: string) => {
 *   await ctx.sleep('30d')
 *   return ctx.step('remind', () => `reminded ${email}`)
 * })
 * await using kit = await testTroupe({ definitions: [trial], steps: { remind: () => 'mocked' } })
 * console.log(await kit.troupe.run(trial, 'ann@example.org')) // mocked
 * ```
 */
export async function testTroupe(options: TestTroupeOptions = {}): Promise<TestTroupe> {
  const { steps = {}, mocks: byName = {}, startsAt, patience = '1s', definitions = [], ...rest } = options
  const standIns = new FoundMocks(steps)
  const schedules = definitions.filter(isSchedule)
  const given = definitions.filter((one) => !isSchedule(one)).map((one): AnyDefinition => asDefinition(one))
  const log = new RecordedLog()
  const stage = await Stage.open({ startsAt, patienceMs: toMs(patience, 'patience'), codec: rest.codec })
  const { troupe } = await stage.start({
    troupe: { logLevel: 'debug', ...rest },
    definitions: withMocks(given, byName),
    schedules,
    log,
    performStep: (step, perform) => standIns.perform(step, perform),
  })
  const waiting = new Waiting(stage, troupe)
  const stop = onceDone(async () => {
    await troupe.stop({ within: 0 })
    await stage.close()
    standIns.checkUsed()
  })
  return {
    troupe,
    clock: { now: () => stage.clock.now(), advance: (time) => stage.flow.advance(toMs(time)) },
    told: stage.seen.told,
    published: stage.seen.published,
    logs: stage.seen.lines,
    engineLog: log,
    settle: () => stage.flow.settle(),
    whenWaiting: (run, message) => waiting.when(idOf(run), checked(message)),
    onWaiting: (message, payload) => waiting.on(checked(message), payload),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function idOf(run: RunHandle | string): string {
  return typeof run === 'string' ? run : run.id
}

function checked(message: string): string {
  checkName('The name of a message', message)
  return message
}
