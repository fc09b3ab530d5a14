// The options of a call, checked where it is made, and the order it becomes.
import { encode } from '../lib/codec.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { optionInvalid } from '../model/errors.ts'
import type { StartRecord } from '../store/store.ts'
import { checkChoice, checkKey, checkList, checkName, checkOptions, timeOf } from './checks.ts'

export interface CallOptions {
  /** The same key with the same definition is the same run, for as long as the run is kept. At most 1,024 characters. */
  readonly idempotencyKey?: string
  /** `attach` (default) gives the run that has the key already; `reject` throws `idempotency_conflict`. */
  readonly onConflict?: 'attach' | 'reject'
  /** Starts it that much later. */
  readonly delay?: Duration
  /** Starts it then: a Date, or milliseconds since 1970. */
  readonly at?: Date | number
  /** How long the whole run may take, from now on; then it fails with `timed_out`. */
  readonly timeout?: Duration
  /** Higher first. */
  readonly priority?: number
  readonly queue?: string
  readonly tags?: readonly string[]
}

const known = ['idempotencyKey', 'onConflict', 'delay', 'at', 'timeout', 'priority', 'queue', 'tags']
const mostTags = 100

export function checkCallOptions(options: CallOptions): void {
  checkOptions('a call', options, known)
  const { idempotencyKey, onConflict, priority, queue, tags, delay, at } = options
  if (idempotencyKey !== undefined) checkKey('idempotencyKey', idempotencyKey)
  if (onConflict !== undefined) checkChoice('onConflict', onConflict, ['attach', 'reject'])
  if (priority !== undefined && !Number.isSafeInteger(priority))
    throw optionInvalid('priority', priority, 'a whole number')
  if (queue !== undefined) checkName('queue', queue)
  if (tags !== undefined) checkTags(tags)
  if (delay !== undefined && at !== undefined) throw optionInvalid('at', at, 'either at or delay, not both')
}

/** The parts of a start that follow from the options of the call. */
export function startTimes(options: CallOptions, now: number): Pick<StartRecord, 'dueAt' | 'deadlineAt'> {
  const deadlineAt = options.timeout === undefined ? null : storedTime(now + toMs(options.timeout))
  const at = dueAt(options, now)
  // A run that would start after its end is looked at when it ends.
  return { dueAt: at === null ? null : Math.min(at, deadlineAt ?? at), deadlineAt }
}

/** A time as stores keep it: whole milliseconds, up to the last that a Date can hold. */
export function storedTime(at: number): number {
  return Math.min(Math.ceil(at), 8_640_000_000_000_000)
}

export function encodeTags(tags: readonly string[] | undefined): string | null {
  return tags === undefined || tags.length === 0 ? null : JSON.stringify(tags)
}

export function encodeInput(value: unknown, maxBytes: number): string {
  return encode(value, { maxBytes, what: 'input' })
}

function checkTags(tags: readonly string[]): void {
  checkList('tags', tags, 'a list of texts')
  if (tags.length > mostTags) throw optionInvalid('The number of tags', tags.length, `at most ${mostTags}`)
  for (const tag of tags) checkName('A tag', tag)
}

function dueAt({ delay, at }: CallOptions, now: number): number | null {
  if (delay !== undefined) return storedTime(now + toMs(delay))
  if (at === undefined) return null
  const time = timeOf('at', at)
  return time <= now ? null : storedTime(time)
}
