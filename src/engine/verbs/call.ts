// The options of a call, checked where it is made, and what of its order follows from them.
import { encode } from '../../lib/codec.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { optionInvalid, optionsClash } from '../../model/errors.ts'
import { checkedStoredRetry, type StoredRetryOptions } from '../../model/retry.ts'
import type { PostgresTransaction } from '../../store/callers.ts'
import type { StartRecord } from '../../store/start.ts'
import { checkChoice, checkList, checkName, checkObject, checkOptions, checkPriority, timeOf } from '../checks.ts'
import { valueSize } from '../value-size.ts'
import { checkKeyOptions, keyOptionNames, periodOf, type KeyOfInput, type KeyOptions } from './start-options.ts'

/** What one call and many have in common. */
export interface StartOptions<Key> extends KeyOptions<Key> {
  /** Starts it that much later. */
  readonly delay?: Duration
  /** Starts it then: a Date, or milliseconds since 1970. */
  readonly at?: Date | number
  /** Unless it has begun so long after it could, it fails with `expired`. */
  readonly expires?: Duration
  /** How long the whole run may take, from now on; then it fails with `timed_out`. */
  readonly timeout?: Duration
  /** In the place of what the definition says, but for its functions; what is left out stays as there. */
  readonly retry?: StoredRetryOptions
  /** From -100 to 100, higher first; the definition's unless told. Every eighth run that a node takes is the oldest, so none waits for ever. */
  readonly priority?: number
  /** Where it waits for a node that serves that queue; the definition's unless told, else `default`. */
  readonly queue?: string
  /** To find it by, beside those of the definition; at most 100. */
  readonly tags?: readonly string[]
  /**
   * A transaction of the caller on the database of this store: the run exists if and only if that commits. Its handle is of use from then on.
   *
   * On SQLite a `DatabaseSync` of `node:sqlite` or `@photostructure/sqlite` after `begin immediate`; until it ends, no one else can write.
   * On Postgres a client of `pg` after `begin`, or what passes `query` on to another driver; others are not held up. The run is there once it was taken in, within a second of the commit
   * at the latest: until then `result` waits, `status`, `troupe.get` and `troupe.handle` take it in themselves, and all else says `run_not_found`. It can have no key there: `option_invalid`.
   */
  readonly tx?: object | PostgresTransaction
  /** What the program knows this work by elsewhere, such as the id of a request: seen in its status and by its code. */
  readonly correlationId?: string
}

export interface CallOptions extends StartOptions<string> {
  /** The same key with the same definition is the same run, for as long as the run is kept. At most 1,024 characters. */
  readonly idempotencyKey?: string
  /**
   * `attach` (default) gives the run that has the key already; `reject` throws `idempotency_conflict`;
   * `replace` cancels it unless it has ended, and starts another in the same commit.
   */
  readonly onConflict?: 'attach' | 'reject' | 'replace'
}

/** The options of a run that is started for itself: no key joins it to another. */
export type UnkeyedOptions = Pick<
  StartOptions<never>,
  'queue' | 'priority' | 'tags' | 'delay' | 'at' | 'expires' | 'timeout' | 'retry' | 'correlationId'
>

/** The options of all runs that one `callMany` starts. */
export interface CallManyOptions<Input = never> extends StartOptions<string | KeyOfInput<Input>> {
  /** Makes the idempotency key of each run; a run that has its key already is that of its input. */
  readonly idempotencyKey?: KeyOfInput<Input>
  readonly onConflict?: 'attach' | 'replace'
}

const ofAllRuns = ['delay', 'at', 'timeout']
const known = [...ofAllRuns, 'expires', 'retry', 'priority', 'queue', 'tags', 'correlationId', 'tx', ...keyOptionNames]
const mostTags = 100

export function checkCallOptions(options: CallOptions): void {
  checkOptions('a call', options, known)
  if (options.onConflict !== undefined) checkChoice('onConflict', options.onConflict, ['attach', 'reject', 'replace'])
  checkKeyOptions(options, 'one')
  checkStartOptions(options)
}

export function checkCallManyOptions(options: CallManyOptions): void {
  checkOptions('callMany', options, known)
  if (options.onConflict !== undefined) checkChoice('onConflict', options.onConflict, ['attach', 'replace'])
  checkKeyOptions(options, 'many')
  checkStartOptions(options)
}

function checkStartOptions(options: StartOptions<unknown>): void {
  const { priority, queue, tags, delay, at, retry, correlationId } = options
  if (priority !== undefined) checkPriority('priority', priority)
  if (queue !== undefined) checkName('queue', queue)
  if (tags !== undefined) checkTags('tags', tags)
  if (retry !== undefined) checkedStoredRetry(retry)
  if (correlationId !== undefined) checkName('correlationId', correlationId)
  if (options.tx !== undefined) checkObject('tx', options.tx, 'a handle of this store, in a transaction')
  if (delay !== undefined && at !== undefined) throw optionsClash('delay', 'at', 'both say when it starts')
  const later = delay === undefined ? 'at' : 'delay'
  if (options[later] === undefined) return
  if (periodOf(options) !== undefined)
    throw optionInvalid(later, options[later], 'none beside a debounce or append: its period says when it starts')
  if (options.keepLast !== undefined)
    throw optionInvalid(later, options[later], 'none beside keepLast: it starts when the one before it has ended')
}

/** Throws for what means nothing to a run that is not stored. */
export function checkLocalCall(name: string, options: CallOptions | CallManyOptions): void {
  const given = options as Readonly<Record<string, unknown>>
  const option = known.find((one) => given[one] !== undefined && !ofAllRuns.includes(one))
  if (option !== undefined)
    throw optionInvalid(option, given[option], `none, as runs of '${name}' are not stored (durable: false)`)
}

type TimeOptions = Pick<StartOptions<unknown>, 'delay' | 'at' | 'timeout' | 'expires' | 'debounce' | 'append'>

/** The parts of a start that follow from the options of the call. */
export function startTimes(
  options: TimeOptions,
  now: number,
  timeoutOfAll?: Duration,
): Pick<StartRecord, 'dueAt' | 'deadlineAt' | 'expiresAt' | 'askedAt'> {
  const { timeout = timeoutOfAll, expires } = options
  const deadlineAt = timeout === undefined ? null : storedTime(now + toMs(timeout, 'timeout'))
  const at = dueAt(options, now)
  const expiresAt = expires === undefined ? null : storedTime((at ?? now) + toMs(expires, 'expires'))
  // A run that would start after its end is looked at when it ends.
  return { dueAt: at === null ? null : Math.min(at, deadlineAt ?? at), deadlineAt, expiresAt, askedAt: now }
}

/** The parts of a start that few calls ask for. */
export function startRarities({
  retry,
  correlationId,
}: Pick<StartOptions<unknown>, 'retry' | 'correlationId'>): Pick<StartRecord, 'retry' | 'correlationId'> {
  return { retry: retry === undefined ? null : JSON.stringify(retry), correlationId: correlationId ?? null }
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

/** An input as it is stored, whatever its definition says of it. */
export function inputText(value: unknown, maxBytes: number): string {
  return encode(value, valueSize(maxBytes, 'input'))
}

export function checkTags(what: string, tags: readonly string[]): void {
  checkList(what, tags, 'a list of texts')
  if (tags.length > mostTags) throw optionInvalid(`The number of ${what}`, tags.length, `at most ${mostTags}`)
  for (const tag of tags) checkName('A tag', tag)
}

function dueAt(options: TimeOptions, now: number): number | null {
  const delay = options.delay === undefined ? periodOf(options) : options.delay
  if (delay !== undefined) return storedTime(now + toMs(delay, options.delay === undefined ? 'period' : 'delay'))
  if (options.at === undefined) return null
  const time = timeOf('at', options.at)
  return time <= now ? null : storedTime(time)
}
