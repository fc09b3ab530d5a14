// A schedule that code declares: it is there as long as the code that declares it runs.
import { clip, textOf } from '../../lib/text.ts'
import { optionInvalid } from '../../model/errors.ts'
import type { Rule } from '../../model/schedule.ts'
import { checkName } from '../checks.ts'
import { asDefinition, type AnyDefinition, type Definition } from '../definition/definition.ts'
import { checkRule, type ScheduleRule } from './schedule-rule.ts'

/** What `schedule` returns: a name, and when runs of which definition are started. */
export interface Schedule {
  readonly kind: 'schedule'
  readonly name: string
  readonly rule: Rule
  /** A definition, or the name of one. */
  readonly target: Definition | string
  readonly input: unknown
}

/** What a schedule starts: a definition, and the input of its runs: nothing, when it takes nothing. */
export type Scheduled<Input> = undefined extends Input
  ? [definition: Definition<Input>, input?: Input]
  : [Input] extends [void]
    ? [definition: Definition<Input>]
    : [definition: Definition<Input>, input: Input]

/** The same by the name of the definition. */
export type ScheduledByName = [definition: string, input?: unknown]

/**
 * Declares a schedule. Put it beside the definitions: into `Troupe.open({ definitions })`, or export it from a file that is discovered.
 *
 * It begins when an engine that has it starts, and goes when none that has it is left and another starts. Throws: `option_invalid`, `definition_invalid`.
 *
 * ```ts
 * import { schedule, Troupe, worker } from 'troupe'
 * const report = worker('report', {}, (ctx, kind: string) => `the ${kind} report`)
 * const nightly = schedule('nightly', { cron: '30 2 * * *', zone: 'Europe/Berlin' }, report, 'daily')
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [report, nightly] })
 * await troupe.start()
 * console.log((await troupe.schedules()).map(({ name }) => name)) // [ 'nightly' ]
 * ```
 */
export function schedule(name: string, rule: ScheduleRule, ...starts: ScheduledByName): Schedule
export function schedule<Input>(name: string, rule: ScheduleRule, ...starts: Scheduled<Input>): Schedule
export function schedule(
  name: string,
  rule: ScheduleRule,
  ...[definition, input]: [definition: Definition | string, input?: unknown]
): Schedule {
  checkName('The name of a schedule', name)
  if (typeof definition === 'string') checkName(`The definition of schedule '${name}'`, definition)
  const target = typeof definition === 'string' ? definition : asDefinition(definition)
  if (typeof target !== 'string') checkStored(name, target)
  return { kind: 'schedule', name, rule: checkRule(name, rule), target, input }
}

/** Throws for a definition whose runs no other process could perform. */
export function checkStored(name: string, { name: definition, settings }: AnyDefinition): void {
  if (!settings.isDurable)
    throw optionInvalid(
      `The definition of schedule '${name}'`,
      clip(textOf(definition), 60),
      'one whose runs are stored, without durable: false',
    )
}

/** Tells whether an exported value is a schedule; also one made by another copy of this package. */
export function isSchedule(value: unknown): value is Schedule {
  return typeof value === 'object' && value !== null && (value as Partial<Schedule>).kind === 'schedule'
}
