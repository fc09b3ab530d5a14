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

// What other job queues call it.
const namesElsewhere: Readonly<Record<string, string>> = {
  attempts: 'retry: { attempts }',
  backoff: 'retry: { backoff, base }',
  retryLimit: 'retry: { attempts }',
  retryDelay: 'retry: { base }',
  maxAttempts: 'retry: { attempts }',
  jobId: 'idempotencyKey',
  jobKey: 'idempotencyKey',
  singletonKey: 'idempotencyKey, or throttle',
  singletonSeconds: 'throttle: { period }',
  startAfter: 'delay or at',
  runAt: 'at',
  removeOnComplete: 'retention',
  removeOnFail: 'retention',
  expireInSeconds: 'timeout',
  ttl: 'expires',
  lockDuration: 'timeout, or heartbeat,',
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
  const instead = Object.hasOwn(namesElsewhere, name) ? namesElsewhere[name] : undefined
  // Only where that is an option of the same object.
  return instead !== undefined && known.some((one) => instead.startsWith(one)) ? instead : undefined
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
