// The options of a call, checked where it is made, and the order it becomes.
import { encode } from '../lib/codec.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { optionInvalid } from '../model/errors.ts'
import type { StartRecord } from '../store/store.ts'
import type { AnyDefinition } from './definition.ts'
import {
  checkChoice,
  checkFunction,
  checkKey,
  checkList,
  checkName,
  checkOptions,
  checkPriority,
  timeOf,
} from './checks.ts'

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
  /** From -100 to 100, higher first; the definition's unless told. Every eighth run that a node takes is the oldest, so none waits for ever. */
  readonly priority?: number
  readonly queue?: string
  readonly tags?: readonly string[]
}

/** Of one of many inputs: its place in their list is the second argument. */
export type KeyOfInput<Input> = (input: Input, index: number) => string

/** The options of all runs that one `callMany` starts. A key is made of each input, as one for all would be one run. */
export interface CallManyOptions<Input = never> extends Omit<CallOptions, 'idempotencyKey' | 'onConflict'> {
  /** Makes the idempotency key of each run; a run that has its key already is that of its input. */
  readonly idempotencyKey?: KeyOfInput<Input>
}

const known = ['idempotencyKey', 'onConflict', 'delay', 'at', 'timeout', 'priority', 'queue', 'tags']
const mostTags = 100

export function checkCallOptions(options: CallOptions): void {
  checkOptions('a call', options, known)
  const { idempotencyKey, onConflict, priority, queue, tags, delay, at } = options
  if (idempotencyKey !== undefined) checkKey('idempotencyKey', idempotencyKey)
  if (onConflict !== undefined) checkChoice('onConflict', onConflict, ['attach', 'reject'])
  if (priority !== undefined) checkPriority('priority', priority)
  if (queue !== undefined) checkName('queue', queue)
  if (tags !== undefined) checkTags('tags', tags)
  if (delay !== undefined && at !== undefined) throw optionInvalid('at', at, 'either at or delay, not both')
}

const knownOfMany = known.filter((name) => name !== 'onConflict')

export function checkCallManyOptions(options: CallManyOptions): void {
  checkOptions('callMany', options, knownOfMany)
  const { idempotencyKey, ...rest } = options
  if (idempotencyKey !== undefined) checkFunction('idempotencyKey of callMany', idempotencyKey)
  checkCallOptions(rest)
}

const ofStoredRuns = ['idempotencyKey', 'onConflict', 'priority', 'queue', 'tags'] as const

/** Throws for what means nothing to a run that is not stored. */
export function checkLocalCall(name: string, options: CallOptions | CallManyOptions): void {
  const given = options as Readonly<Record<string, unknown>>
  const option = ofStoredRuns.find((one) => given[one] !== undefined)
  if (option !== undefined)
    throw optionInvalid(option, given[option], `none, as runs of '${name}' are not stored (durable: false)`)
}

/** The parts of a start that follow from the options of the call. */
export function startTimes(
  options: Pick<CallOptions, 'delay' | 'at' | 'timeout'>,
  now: number,
): Pick<StartRecord, 'dueAt' | 'deadlineAt'> {
  const deadlineAt = options.timeout === undefined ? null : storedTime(now + toMs(options.timeout))
  const at = dueAt(options, now)
  // A run that would start after its end is looked at when it ends.
  return { dueAt: at === null ? null : Math.min(at, deadlineAt ?? at), deadlineAt }
}

/** A time as stores keep it: whole milliseconds, up to the last that a Date can hold. */
export function storedTime(at: number): number {
  return Math.min(Math.ceil(at), 8_640_000_000_000_000)
}

/** The tags of a definition and of a call, each once. */
export function encodeTags(ofDefinition: readonly string[], ofCall: readonly string[] = []): string | null {
  if (ofDefinition.length + ofCall.length === 0) return null
  return JSON.stringify([...new Set([...ofDefinition, ...ofCall])])
}

/** The key that a start has: of its call, else what the definition makes of its input; null for none. */
export function keyFor({ name, settings }: AnyDefinition, input: unknown, options: CallOptions): string | null {
  if (options.idempotencyKey !== undefined) return options.idempotencyKey
  if (settings.keyOf === undefined) return null
  const key: unknown = settings.keyOf(input as never)
  checkKey(`What idempotencyKey of '${name}' returned`, key)
  return key as string
}

/** The key that `callMany` was told to make of one of its inputs. */
export function keyOfOne(keyOf: KeyOfInput<never>, input: unknown, index: number): string {
  const key: unknown = keyOf(input as never, index)
  checkKey('What idempotencyKey returned', key)
  return key as string
}

export function encodeInput(value: unknown, maxBytes: number): string {
  return encode(value, { maxBytes, what: 'input' })
}

export function checkTags(what: string, tags: readonly string[]): void {
  checkList(what, tags, 'a list of texts')
  if (tags.length > mostTags) throw optionInvalid(`The number of ${what}`, tags.length, `at most ${mostTags}`)
  for (const tag of tags) checkName('A tag', tag)
}

function dueAt({ delay, at }: Pick<CallOptions, 'delay' | 'at'>, now: number): number | null {
  if (delay !== undefined) return storedTime(now + toMs(delay))
  if (at === undefined) return null
  const time = timeOf('at', at)
  return time <= now ? null : storedTime(time)
}
