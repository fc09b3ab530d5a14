// The times of a cron expression in a time zone, also where clocks are changed.
import { Cron } from 'croner'
import { Zone } from './zone.ts'

/** Of an expression of five fields; one of six begins with seconds, one of seven ends with the year. */
const cronFields = ['minute', 'hour', 'day', 'month', 'weekday'] as const

const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

// Such an hour says how often, not when.
const everyHour = /^(\*|\?|\*\/1|0-23)$/

const leastMs = 1_000

/** Why an expression means nothing. */
export interface CronFault {
  /** The one that is wrong; undefined when it is their number. */
  readonly field: string | undefined
  readonly why: string
}

/**
 * The times of one expression.
 *
 * One that names hours means the clock on the wall: a time that clocks leave out comes once, when they go on; one that they show twice comes once, the first time.
 * One for every hour means time that passes: it goes on evenly while clocks are changed.
 */
export class CronTimes {
  readonly #cron: Cron
  readonly #zone: Zone
  readonly #isEven: boolean

  constructor(expression: string, zone: string) {
    const fields = expression.trim().split(/\s+/)
    const hour = fields[fields.length > cronFields.length ? 2 : 1]
    this.#isEven = expression === '@hourly' || (hour !== undefined && everyHour.test(hour))
    this.#zone = new Zone(zone)
    this.#cron = new Cron(expression, { timezone: this.#isEven ? zone : 'UTC' })
  }

  /** The first time after an instant; undefined when there is none any more. */
  next(after: number): number | undefined {
    return this.#isEven ? this.#following(after) : this.#nextOfWall(after)
  }

  #nextOfWall(after: number): number | undefined {
    let wall: number | undefined = this.#zone.wallOf(after)
    while ((wall = this.#following(wall)) !== undefined) {
      const at = this.#zone.instantOf(wall)
      if (at > after) return at
    }
    return undefined
  }

  /** Invariant: time goes on. Versions of croner have given the same time again and again where clocks are changed. */
  #following(after: number): number | undefined {
    for (let from = after; ; from += leastMs) {
      const next = this.#cron.nextRun(new Date(from))?.getTime()
      if (next === undefined || next > after) return next
    }
  }
}

/** What is wrong with an expression; undefined when it can be used. */
export function cronFault(expression: string): CronFault | undefined {
  const text = expression.trim()
  if (text.startsWith('@')) {
    return nicknames.includes(text) ? undefined : { field: undefined, why: `known are ${nicknames.join(', ')}` }
  }
  const fields = text.split(/\s+/)
  if (fields.length < 5 || fields.length > 7)
    return { field: undefined, why: `it has ${text === '' ? 0 : fields.length} fields` }
  if (isRead(text)) return undefined
  const names = [...(fields.length > 5 ? ['second'] : []), ...cronFields, ...(fields.length > 6 ? ['year'] : [])]
  const wrong = fields.findIndex(
    (field, place) => !isRead(fields.map((_, at) => (at === place ? field : '*')).join(' ')),
  )
  return { field: names[wrong], why: reasonOf(text) }
}

function isRead(expression: string): boolean {
  return reasonOf(expression) === ''
}

function reasonOf(expression: string): string {
  try {
    void new Cron(expression, { timezone: 'UTC' })
    return ''
  } catch (error) {
    return String((error as Error).message).replace(/^CronPattern: /, '')
  }
}
