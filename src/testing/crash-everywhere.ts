// Kills a run at every point of its journal, lets it go on, and compares what came of it with the run that nothing happened to.

import { inspect, isDeepStrictEqual } from 'node:util'
import { asDefinition, type AnyDefinition, type Definition } from '../engine/definition/definition.ts'
import type { TroupeOptions } from '../engine/options/options.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { optionInvalid } from '../model/errors.ts'
import {
  runTrial,
  type CrashPlace,
  type JournalPoint,
  type Program,
  type Trial,
  type TrialOutcome,
} from './crash-trial.ts'
import { RecordedEffects, recordEffects, type Effects } from './effects.ts'
import { FoundMocks, withMocks, type StepMocks, type WorkerMocks } from './mocks.ts'

export interface CrashOptions extends Pick<TroupeOptions, 'config' | 'environment'> {
  /** What the workflow starts. */
  readonly definitions?: readonly Definition[]
  /** What the steps and workers tell of what they do to the world; made by `recordEffects()`. */
  readonly effects?: Effects
  /** What the run is told when it waits for a message of that name, one after the other; `cancelRun` cancels it then. */
  readonly messages?: Readonly<Record<string, readonly unknown[]>>
  /** As for `testTroupe`. */
  readonly steps?: StepMocks
  readonly mocks?: WorkerMocks
  /** How many points at most, spread over all; all unless told. */
  readonly points?: number
  /** As for `testTroupe`. */
  readonly patience?: Duration
}

/** What came of a crash at one point. */
export interface CrashPoint extends CrashPlace {
  /** What the commit holds. */
  readonly what: string
  /** What was not as it is without the crash, in words; empty when all was. */
  readonly differences: readonly string[]
}

export interface CrashReport {
  readonly workflow: string
  readonly outcome: TrialOutcome
  readonly points: readonly CrashPoint[]
  /** The report for people. */
  readonly text: string
}

/**
 * Performs a workflow once without a crash, and then once for each commit of that run and the runs it starts, dropping the engine before that commit, and after it;
 * another engine goes on from the store. Each must end in the same way and have done the same to the world. What was under way at the crash may be done again.
 *
 * A crash happens within this process: nothing of the dropped engine reaches the store any more, and nothing it waits for comes. Code of a step that goes on by itself
 * can do harm only as far as it is not told by `effects`, which does not hear it any more. Time is virtual, so sleeps and pauses between attempts cost nothing.
 *
 * Saves: nothing. Throws: an error with the report when anything differs, also between two runs without any crash; what opening an engine throws.
 *
 * ```ts
 * import { workflow } from 'troupe'
 * import { crashEverywhere, recordEffects } from 'troupe/testing'
 * const effects = recordEffects()
 * const order = workflow('order', {}, async (ctx, id: string) => {
 *   await ctx.step('charge', () => effects.note('charge', id))
 *   await ctx.sleep('3d')
 *   return ctx.step('ship', () => `shipped ${id}`)
 * })
 * const { outcome } = await crashEverywhere(order, 'a1', { effects })
 * console.log(outcome) // { kind: 'succeeded', value: 'shipped a1' }
 * ```
 */
export async function crashEverywhere<Input, Output>(
  workflow: Definition<Input, Output>,
  ...[input, options = {}]: undefined extends Input
    ? [input?: Input, options?: CrashOptions]
    : [input: Input, options?: CrashOptions]
): Promise<CrashReport> {
  const program = programOf(asDefinition(workflow), input, options)
  const calm = await runTrial(program, [])
  const again = compare(calm, await runTrial(program, []))
  if (again.length > 0) throw new Error(calmText(workflow.name, again))
  const points: CrashPoint[] = []
  for (const { commit, when, what } of chosen(calm.points, options.points)) {
    const trial = await runTrial(program, [{ commit, when }])
    points.push({ commit, when, what, differences: compare(calm, trial) })
  }
  const text = reportText(workflow.name, points)
  const report = { workflow: workflow.name, outcome: calm.outcome, points, text }
  if (points.some(({ differences }) => differences.length > 0)) throw Object.assign(new Error(text), { report })
  return report
}

export function programOf(definition: AnyDefinition, input: unknown, options: CrashOptions): Program {
  const { definitions = [], effects = recordEffects(), messages = {}, steps = {}, mocks = {} } = options
  if (!(effects instanceof RecordedEffects)) throw optionInvalid('effects', effects, 'what recordEffects() gives')
  const standIns = new FoundMocks(steps)
  const others = definitions.map((other): AnyDefinition => asDefinition(other))
  const all = [definition, ...others.filter((other) => other !== definition)]
  const { config, environment } = options
  return {
    definition,
    definitions: withMocks(all, mocks),
    input,
    effects,
    messages,
    performStep: (step, perform) => standIns.perform(step, perform),
    troupe: { ...(config && { config }), ...(environment !== undefined && { environment }) },
    patienceMs: toMs(options.patience ?? '1s', 'patience'),
  }
}

/** How a trial differs from the one without a crash. */
export function compare(calm: Trial, trial: Trial): string[] {
  const differences: string[] = []
  if (!isDeepStrictEqual(calm.outcome, trial.outcome))
    differences.push(`it ${outcomeText(trial.outcome)}; without the crash it ${outcomeText(calm.outcome)}`)
  for (const what of new Set([...calm.effects.done.keys(), ...trial.effects.done.keys()])) {
    const times = trial.effects.done.get(what)
    const least = calm.effects.done.get(what)?.times ?? 0
    const most = least + (times?.underWay ?? 0)
    const done = times?.times ?? 0
    if (done >= least && done <= most) continue
    const why = done > most && times?.isOutside === true ? '; put it into a step' : ''
    differences.push(`${what}: done ${timesText(done)}, without the crash ${timesText(least)}${why}`)
  }
  return differences
}

function chosen(points: readonly JournalPoint[], most = Infinity): (JournalPoint & CrashPlace)[] {
  const all = points.flatMap((point) => [
    { ...point, when: 'before' as const },
    { ...point, when: 'after' as const },
  ])
  if (!(most >= 1)) throw optionInvalid('points', most, 'a number above zero')
  if (all.length <= most) return all
  return Array.from({ length: Math.floor(most) }, (_, index) => all[Math.floor((index * all.length) / most)]).filter(
    (point) => point !== undefined,
  )
}

function outcomeText(outcome: TrialOutcome): string {
  if (outcome.kind === 'succeeded') return `gave ${inspect(outcome.value, { breakLength: Infinity, depth: 6 })}`
  return outcome.kind === 'failed' ? `failed with ${outcome.error}` : `never ended: ${outcome.error}`
}

function timesText(times: number): string {
  return times === 0 ? 'never' : times === 1 ? 'once' : `${times} times`
}

function calmText(name: string, differences: readonly string[]): string {
  const lines = differences.map((difference) => `  ${difference.replace('without the crash', 'the first time')}`)
  return `'${name}' is another each time, also without a crash: what differs must be remembered, by a step or by ctx.now(), ctx.random() or ctx.uuid().\n${lines.join('\n')}`
}

function reportText(name: string, points: readonly CrashPoint[]): string {
  const bad = points.filter(({ differences }) => differences.length > 0)
  if (bad.length === 0) return `'${name}' ends the same after a crash at each of ${points.length} points.`
  const lines = bad.map(({ commit, when, what, differences }) =>
    [`${when} commit ${commit} (${what}):`, ...differences.map((difference) => `  ${difference}`)].join('\n'),
  )
  return `'${name}' is not the same after a crash at ${bad.length} of ${points.length} points.\n${lines.join('\n')}`
}
