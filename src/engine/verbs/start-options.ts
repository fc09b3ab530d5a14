// The options of starts that share a key, and the key each of them makes.
import { createHash } from 'node:crypto'
import { decode } from '../../lib/codec.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { isList } from '../../model/append.ts'
import { optionInvalid, optionsClash } from '../../model/errors.ts'
import type { StartKey } from '../../model/start-key.ts'
import { checkFunction, checkKey, checkOptions, checkWhole } from '../checks.ts'
import type { AnyDefinition } from '../definition/definition.ts'

/** Of one of many inputs: its place in their list is the second argument. */
export type KeyOfInput<Input> = (input: Input, index: number) => string

/** A run starts once no more calls come. Each call with the key replaces its input and puts it off again. */
export interface DebounceOptions<Key = string> {
  /** What belongs together; all calls of the definition unless told. */
  readonly key?: Key
  /** How long there must be no further call. */
  readonly period: Duration
  /** It starts that long after the first call at the latest, however many follow. */
  readonly max?: Duration
}

/** One start in a period: further calls with the key get the run that was started. */
export interface ThrottleOptions<Key = string> {
  readonly key?: Key
  /** From the start that counts. */
  readonly period: Duration
}

/** One run of the key is under way, and one waits for its end with the newest input. */
export interface KeepLastOptions<Key = string> {
  readonly key?: Key
}

/** Inputs are lists; those that come while a run of the key waits are put behind its own. */
export interface AppendOptions<Key = string> {
  readonly key?: Key
  /** How long it waits for more, from its first call on; for its turn alone unless told. */
  readonly period?: Duration
  /** With so many items it waits no longer, and what comes then begins another run. */
  readonly size?: number
}

/** At most one of these. */
export interface KeyOptions<Key = string> {
  readonly debounce?: DebounceOptions<Key>
  readonly throttle?: ThrottleOptions<Key>
  readonly keepLast?: KeepLastOptions<Key>
  readonly append?: AppendOptions<Key>
}

type AnyKey = string | KeyOfInput<never>

/** All that decides what key a start has. */
export interface AnyKeyOptions extends KeyOptions<AnyKey> {
  readonly idempotencyKey?: AnyKey
  readonly onConflict?: 'attach' | 'reject' | 'replace'
}

const rules = ['idempotencyKey', 'debounce', 'throttle', 'keepLast', 'append'] as const
const knownOf = {
  debounce: ['key', 'period', 'max'],
  throttle: ['key', 'period'],
  keepLast: ['key'],
  append: ['key', 'period', 'size'],
}

export const keyOptionNames: readonly string[] = [...rules, 'onConflict']

/** Throws `option_invalid`. `keysOf`: what a key may be. */
export function checkKeyOptions(options: AnyKeyOptions, keysOf: 'one' | 'many'): void {
  const given = rules.filter((rule) => options[rule] !== undefined)
  if (given.length > 1) throw optionsClash(given[0] ?? '', given[1] ?? '', 'a run has one key')
  const [rule] = given
  if (rule === undefined) return
  if (rule === 'idempotencyKey') return checkKeyOf(rule, options.idempotencyKey, keysOf)
  if (options.onConflict !== undefined) throw conflictMeansNothing(options.onConflict, `beside ${rule}`)
  const one = options[rule] as AppendOptions<AnyKey> & DebounceOptions<AnyKey>
  checkOptions(rule, one, knownOf[rule])
  if (one.key !== undefined) checkKeyOf(`key of ${rule}`, one.key, keysOf)
  if (rule === 'debounce' || rule === 'throttle') checkPeriod(`period of ${rule}`, one.period)
  else if (one.period !== undefined) checkPeriod(`period of ${rule}`, one.period)
  if (one.max !== undefined) checkPeriod(`max of ${rule}`, one.max)
  if (one.size !== undefined) checkWhole(`size of ${rule}`, one.size, 1)
}

/** How long a start waits for others of its key. */
export function periodOf({ debounce, append }: KeyOptions<unknown>): Duration | undefined {
  if (debounce === undefined) return append?.period
  const { period, max } = debounce
  return max === undefined ? period : Math.min(toMs(period), toMs(max))
}

/** What a key is made of. */
export interface KeyedInput {
  readonly definition: AnyDefinition
  readonly input: unknown
  /** Its place among many. */
  readonly index: number
  readonly maxBytes: number
}

/** The key of a start: of its call, else what its definition makes of the input; null for none. Calls code of the program. */
export function startKey(of: KeyedInput, options: AnyKeyOptions): StartKey | null {
  const { idempotencyKey, onConflict, debounce, throttle, keepLast, append } = options
  const rule = onConflict === 'replace' ? 'replace' : 'attach'
  if (idempotencyKey !== undefined) return { rule, key: keyOf('idempotencyKey', idempotencyKey, of) }
  if (debounce !== undefined) {
    const mostMs = debounce.max === undefined ? null : toMs(debounce.max, 'max of debounce')
    return { rule: 'debounce', key: keyOf('key of debounce', debounce.key, of), mostMs }
  }
  if (throttle !== undefined) {
    return {
      rule: 'throttle',
      key: keyOf('key of throttle', throttle.key, of),
      periodMs: toMs(throttle.period, 'period of throttle'),
    }
  }
  if (keepLast !== undefined) return { rule: 'keepLast', key: keyOf('key of keepLast', keepLast.key, of) }
  if (append !== undefined) {
    if (!Array.isArray(of.input)) throw optionInvalid('The input of a call with append', of.input, 'a list')
    const key = keyOf('key of append', append.key, of)
    return { rule: 'append', key, size: append.size ?? null, maxBytes: of.maxBytes }
  }
  return keyOfDefinition(of, { rule, onConflict })
}

/** What of a key follows from the input as it is stored: a cache whose key is made of nothing else knows an input by that. */
export function keyWithInput(key: StartKey | null, input: string): StartKey | null {
  if (key?.rule === 'append' && !isList(input))
    throw optionInvalid('What the input schema makes of the input of a call with append', decode(input), 'a list')
  if (key?.rule !== 'cache' || key.key !== '') return key
  return { ...key, key: createHash('sha256').update(input).digest('base64url') }
}

function keyOfDefinition(
  of: KeyedInput,
  { rule, onConflict }: { readonly rule: 'attach' | 'replace'; readonly onConflict: AnyKeyOptions['onConflict'] },
): StartKey | null {
  const { name, settings } = of.definition
  const { keyOf: ofInput, cache } = settings
  if (ofInput !== undefined) return { rule, key: keyOf(`What idempotencyKey of '${name}' returned`, ofInput, of) }
  if (onConflict !== undefined)
    throw conflictMeansNothing(onConflict, `without an idempotency key of the call or of '${name}'`)
  if (cache === undefined) return null
  const { ttlMs, keyOf: ofCached } = cache
  return { rule: 'cache', ttlMs, key: keyOf(`What the key of the cache of '${name}' returned`, ofCached, of) }
}

function keyOf(what: string, key: AnyKey | undefined, { input, index }: KeyedInput): string {
  if (typeof key !== 'function') return key ?? ''
  const made: unknown = key(input as never, index)
  checkKey(what, made)
  return made as string
}

function checkKeyOf(what: string, key: unknown, keysOf: 'one' | 'many'): void {
  if (keysOf === 'one') return checkKey(what, key)
  // One idempotency key for many inputs would make them one run, of the first of them.
  if (what === 'idempotencyKey') checkFunction(`${what} of callMany`, key)
  else if (typeof key !== 'function') checkKey(what, key)
}

function conflictMeansNothing(onConflict: unknown, where: string): Error {
  return optionInvalid('onConflict', onConflict, `none ${where}: it says what becomes of a taken idempotency key`)
}

function checkPeriod(what: string, period: Duration): void {
  if (!(toMs(period, what) > 0)) throw optionInvalid(what, period, 'a duration above zero')
}
