// The rule of a schedule as programs write it, checked where it is given.
import { cronFault } from '../../lib/cron.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { isZoneName, nearestZones } from '../../lib/zone.ts'
import { optionInvalid } from '../../model/errors.ts'
import { overlaps, tickAfter, type Overlap, type Rule, type Timing } from '../../model/schedule.ts'
import { checkChoice, checkOptions, checkText, timeOf } from '../checks.ts'

/** When a schedule starts runs, and what becomes of those starts. */
export type ScheduleRule = ScheduleTiming & ScheduleOptions

export type ScheduleTiming =
  | {
      /** `[second] minute hour day month weekday [year]`, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
      readonly cron: string
      /** The IANA time zone whose clock that means, such as `Europe/Berlin`; `UTC` unless told. */
      readonly zone?: string
    }
  | {
      /** From 100 ms. */
      readonly every: Duration
      /** Counted from here: a Date, or milliseconds since 1970; 1970 unless told, so that hours are full hours. */
      readonly from?: Date | number
    }
  | {
      /** Once: a Date, or milliseconds since 1970. */
      readonly at: Date | number
    }

export interface ScheduleOptions {
  /**
   * What becomes of a tick while a run of this schedule is unfinished: `skip` (default) starts nothing, `buffer-one` starts one run when that has ended,
   * `buffer-all` one for every tick (1,000 at most), `cancel-other` cancels it and starts the new one, `allow` starts the new one beside it.
   */
  readonly overlap?: Overlap
  /** How late a tick may still fire when no node was there for it, from 10 s; a day unless told. Of more than 100 the latest 100 do. */
  readonly catchUp?: Duration
  /** Each tick fires up to that much later, always the same for the same tick, so that schedules of one time spread. */
  readonly jitter?: Duration
  /** True for one that begins paused. */
  readonly paused?: boolean
}

const known = ['cron', 'zone', 'every', 'from', 'at', 'overlap', 'catchUp', 'jitter', 'paused'] as const
const kinds = ['cron', 'every', 'at'] as const

const leastEveryMs = 100
const leastCatchUpMs = 10_000
const dayMs = 86_400_000

/** Fills in the defaults. Throws `option_invalid`, naming the field and quoting what was given. */
export function checkRule(name: string, rule: ScheduleRule): Rule {
  const what = `schedule '${name}'`
  checkOptions(what, rule, known)
  const given = rule as Partial<Record<(typeof known)[number], unknown>> & ScheduleOptions
  const timing = checkTiming(what, given)
  const { overlap = 'skip', catchUp = dayMs, jitter = 0, paused = false } = given
  checkChoice(`overlap of ${what}`, overlap, overlaps)
  if (typeof paused !== 'boolean') throw optionInvalid(`paused of ${what}`, paused, 'true or false')
  const checked = {
    ...timing,
    overlap,
    catchUp: durationOf(`catchUp of ${what}`, catchUp, { least: leastCatchUpMs, expected: 'a duration from 10s' }),
    jitter: durationOf(`jitter of ${what}`, jitter, { least: 0, expected: 'a duration' }),
    paused,
  }
  if ('every' in timing && checked.jitter > timing.every)
    throw optionInvalid(`jitter of ${what}`, jitter, 'at most what every says')
  return checked
}

type Given = Partial<Record<(typeof known)[number], unknown>>

function checkTiming(what: string, given: Given): Timing {
  const [kind, ...others] = kinds.filter((one) => given[one] !== undefined)
  if (kind === undefined || others.length > 0)
    throw optionInvalid(`The rule of ${what}`, given, 'one of { cron, zone }, { every, from } and { at }')
  if (given.zone !== undefined && kind !== 'cron')
    throw optionInvalid(`zone of ${what}`, given.zone, 'it beside cron only')
  if (given.from !== undefined && kind !== 'every')
    throw optionInvalid(`from of ${what}`, given.from, 'it beside every only')
  if (kind === 'cron') return checkCron(what, given)
  if (kind === 'at') return { at: wholeTime(`at of ${what}`, given.at) }
  const every = durationOf(`every of ${what}`, given.every, { least: leastEveryMs, expected: 'a duration from 100ms' })
  return { every, from: given.from === undefined ? 0 : wholeTime(`from of ${what}`, given.from) }
}

function checkCron(what: string, { cron, zone = 'UTC' }: Given): Timing {
  const form = 'five fields: minute hour day month weekday, with seconds before and a year after them if wanted'
  checkText(`cron of ${what}`, cron, form)
  const fault = cronFault(cron as string)
  if (fault !== undefined) {
    const field = fault.field === undefined ? 'cron' : `The ${fault.field} in cron`
    throw optionInvalid(`${field} of ${what}`, cron, `${form} (${fault.why})`)
  }
  checkText(`zone of ${what}`, zone, zoneForm)
  if (!isZoneName(zone as string)) {
    const nearest = nearestZones(zone as string)
    const guess = nearest.length === 0 ? '' : `; perhaps ${nearest.join(' or ')}`
    throw optionInvalid(`zone of ${what}`, zone, `${zoneForm}${guess}`)
  }
  const timing = { cron: (cron as string).trim(), zone: zone as string }
  if (tickAfter(timing, 0) === undefined)
    throw optionInvalid(`cron of ${what}`, cron, 'a time that comes: no day fits it')
  return timing
}

const zoneForm = "the name of a time zone, as Intl.supportedValuesOf('timeZone') lists them, or UTC"

function durationOf(what: string, received: unknown, { least, expected }: { least: number; expected: string }): number {
  const ms = msOf(received)
  if (ms === undefined || ms < least) throw optionInvalid(what, received, `${expected}, such as '90s' or 90000`)
  return ms
}

function msOf(received: unknown): number | undefined {
  try {
    return Math.round(toMs(received as Duration))
  } catch {
    return undefined
  }
}

function wholeTime(what: string, received: unknown): number {
  return Math.round(timeOf(what, received as Date | number))
}
