// Checks of what programs pass, one for each shape of option. All throw `option_invalid`, quoting what was given.
import { types } from 'node:util'
import { nearestNames } from '../lib/nearest.ts'
import { clip, isStorable } from '../lib/text.ts'
import { highestPriority, lowestPriority } from '../model/ageing.ts'
import { optionInvalid, optionUnknown } from '../model/errors.ts'

// Invariant: I15. What is stored with every run, or looked for in every claim, is short.
export const mostInName = 255
const mostInKey = 1_024

// Enough of a text to know it by.
const mostQuoted = 60

/** What has it here: the first of `here` that is an option of the same object, else what `elsewhere` says. */
interface Renamed {
  readonly here: readonly string[]
  readonly elsewhere?: string | undefined
}

const attempts: Renamed = { here: ['retry: { attempts }', 'attempts'] }
const firstWait: Renamed = { here: ['retry: { base }', 'base'] }
const growth: Renamed = { here: ['retry: { backoff, base }', 'backoff'] }
const key: Renamed = { here: ['idempotencyKey'] }
const kept: Renamed = { here: ['retention'], elsewhere: 'retention of the definition' }
const repeated: Renamed = { here: [], elsewhere: 'schedule(name, { cron } or { every }, definition)' }
const inTime: Renamed = { here: ['rate: { limit, per }', 'per', 'period'] }
const place: Renamed = { here: ['store'], elsewhere: 'store of Troupe.open' }
const slots: Renamed = {
  here: ['limits: [limiter(name, { rate: { limit, per } })]'],
  elsewhere: 'limits of the definition',
}
const alive: Renamed = { here: ['timeout, or heartbeat,'] }

// What other job queues call it.
const namesElsewhere: Readonly<Record<string, Renamed>> = {
  attempts,
  retries: attempts,
  retryLimit: attempts,
  maxAttempts: attempts,
  max_attempts: attempts,
  backoff: growth,
  retryBackoff: growth,
  retryDelay: firstWait,
  jobId: key,
  jobKey: key,
  job_key: key,
  singletonKey: { here: ['idempotencyKey, or throttle'] },
  singletonSeconds: { here: ['throttle: { period }'] },
  startAfter: { here: ['delay or at'] },
  runAt: { here: ['at'] },
  run_at: { here: ['at'] },
  removeOnComplete: kept,
  removeOnFail: kept,
  archiveCompletedAfterSeconds: kept,
  expireInSeconds: { here: ['timeout'] },
  ttl: { here: ['expires'] },
  lockDuration: alive,
  stalledInterval: alive,
  lifo: { here: ['priority, higher first,'] },
  repeat: repeated,
  repeatable: repeated,
  cron: repeated,
  pattern: { here: ['cron'], elsewhere: repeated.elsewhere },
  tz: { here: ['zone'] },
  timezone: { here: ['zone'] },
  limiter: slots,
  rateLimit: slots,
  max: { here: ['rate: { limit, per }', 'limit'] },
  duration: inTime,
  connection: place,
  connectionString: place,
  deadLetter: { here: ['onFailure'], elsewhere: 'onFailure of the definition, or troupe.dead()' },
}

/** An object whose keys are all among `known`. `what` names it in the error, as in `retry of 'send-email'`. */
export function checkOptions(what: string, received: unknown, known: readonly string[]): void {
  // The texts are made only where they are needed: this stands before every call.
  if (!isRecord(received)) checkObject(`The options object of ${what}`, received, `{ ${known.join(', ')} }`)
  for (const name of Object.keys(received as object)) {
    if (!known.includes(name))
      throw optionUnknown(
        `Option '${clip(name, mostQuoted)}' of ${what}`,
        byNearness(name, known),
        insteadOf(name, known),
      )
  }
}

function insteadOf(name: string, known: readonly string[]): string | undefined {
  if (!Object.hasOwn(namesElsewhere, name)) return undefined
  const { here = [], elsewhere } = namesElsewhere[name] ?? {}
  return here.find((instead) => known.includes(/^\w+/.exec(instead)?.[0] ?? '')) ?? elsewhere
}

export function checkObject(what: string, received: unknown, expected = 'an object'): void {
  if (!isRecord(received)) throw optionInvalid(what, quotable(received), expected)
}

function isRecord(received: unknown): boolean {
  return typeof received === 'object' && received !== null && !Array.isArray(received)
}

export function checkList(what: string, received: unknown, expected = 'a list'): void {
  if (!Array.isArray(received)) throw optionInvalid(what, quotable(received), expected)
}

export function checkFunction(what: string, received: unknown): void {
  if (typeof received !== 'function') throw optionInvalid(what, quotable(received), 'a function')
}

export function checkText(what: string, received: unknown, expected = 'a text'): void {
  if (typeof received !== 'string' || received === '') throw optionInvalid(what, quotable(received), expected)
}

export function checkChoice(what: string, received: unknown, choices: readonly string[]): void {
  if (typeof received === 'string' && choices.includes(received)) return
  const ordered = typeof received === 'string' ? byNearness(received, choices) : choices
  throw optionInvalid(what, quotable(received), `one of ${ordered.join(', ')}`)
}

/** A name of a definition, a queue, a step, a tag, a node; also a version. */
export function checkName(what: string, received: unknown): void {
  checkStored(what, received, mostInName)
}

/** A key that a program makes of its own data. */
export function checkKey(what: string, received: unknown): void {
  checkStored(what, received, mostInKey)
}

export function checkWhole(what: string, received: unknown, least: number): void {
  if (!Number.isSafeInteger(received) || (received as number) < least) {
    throw optionInvalid(what, quotable(received), `a whole number from ${least}`)
  }
}

export function checkPriority(what: string, received: unknown): void {
  const isWithin = (priority: number): boolean => priority >= lowestPriority && priority <= highestPriority
  if (!Number.isSafeInteger(received) || !isWithin(received as number))
    throw optionInvalid(what, quotable(received), `a whole number from ${lowestPriority} to ${highestPriority}`)
}

/** A time as milliseconds since 1970. */
export function timeOf(what: string, received: Date | number): number {
  const time = types.isDate(received) ? received.getTime() : received
  if (Number.isFinite(time)) return time
  const shown = types.isDate(received) ? String(received) : quotable(received)
  throw optionInvalid(what, shown, 'a Date, or milliseconds since 1970')
}

// Two texts that a store takes for the same would be the same run, step or definition.
function checkStored(what: string, received: unknown, most: number): void {
  if (typeof received !== 'string' || received.length === 0 || received.length > most) {
    throw optionInvalid(what, quotable(received), `a text of 1 to ${most.toLocaleString('en')} characters`)
  }
  if (!isStorable(received)) {
    throw optionInvalid(
      what,
      quotable(received),
      'a text without NUL and without halves of surrogate pairs, which stores lose: encode it, as in base64',
    )
  }
}

function byNearness(name: string, known: readonly string[]): string[] {
  return [...new Set([...nearestNames(clip(name, mostQuoted), known), ...known])]
}

/** Short enough to stand in a message. */
function quotable(received: unknown): unknown {
  return typeof received === 'string' || typeof received === 'function' ? clip(String(received), mostQuoted) : received
}
