// The options that workers and workflows share, checked where they are written.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DefinitionSettings, MessageRules, RunFailure } from '../engine/definition/definition.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { checkTags } from '../engine/verbs/call.ts'
import { checkRetention } from '../engine/options/options.ts'
import type { LimiterRule } from '../engine/limits/limits.ts'
import {
  checkChoice,
  checkFunction,
  checkList,
  checkName,
  checkOptions,
  checkPriority,
  checkWhole,
  mostInName,
} from '../engine/checks.ts'
import { textOf } from '../lib/text.ts'
import { isThenable } from '../lib/thenable.ts'
import { divergencePolicies, type DivergencePolicy } from '../model/divergence.ts'
import { definitionInvalid, optionInvalid } from '../model/errors.ts'
import { retentionOf, type RetentionOptions } from '../model/retention.ts'
import { retryPolicy, type RetryOptions, type RetryPolicy } from '../model/retry.ts'
import { Limiter } from './limiter.ts'

export interface CacheOptions<Input = never> {
  /** From the end of the run. */
  readonly ttl: Duration
  /** What outputs are remembered by; the input itself unless told. */
  readonly key?: (input: Input) => string
}

export interface DefinitionOptions<Input = never> {
  /** Checks what a run is started with, before it is stored. Any Standard Schema. */
  readonly input?: StandardSchemaV1
  /** Checks what a run returns. */
  readonly output?: StandardSchemaV1
  /** A run stays on the version it was started with; a name alone starts the highest, where 10 comes after 9 and 2.0.0-beta before 2.0.0. `1` unless told. */
  readonly version?: string
  /** Where its runs wait for a node that serves that queue; `default` unless told. */
  readonly queue?: string
  /** From -100 to 100, higher first; 0 unless told. Every eighth run that a node takes is the oldest, so none waits for ever. */
  readonly priority?: number
  /** Every run has these, and those of its call. */
  readonly tags?: readonly string[]
  /** The idempotency key of a run whose call gives none, made of its input: starts with the same key are one run. */
  readonly idempotencyKey?: (input: Input) => string
  /**
   * Remembers outputs: a call whose key has a run that succeeded less than `ttl` ago, or is under way, gets that run and starts none.
   * Failed runs are not remembered. The input itself is the key unless `key` makes one of it.
   */
  readonly cache?: CacheOptions<Input>
  /** So many of its runs at once, on all nodes: a limiter named `worker:NAME`. */
  readonly concurrency?: number
  /** What its runs have to pass whenever they are performed: all of these at once, or they wait. */
  readonly limits?: readonly Limiter<Input>[]
  /** How long one attempt may take; in a workflow as long as it stays in memory: after a wait for which it was parked the time counts anew. */
  readonly timeout?: Duration
  readonly retry?: RetryOptions
  /**
   * How long its runs are kept after their end, as in `'7d'`, `'forever'` or `{ succeeded: '1h', failed: '90d' }`;
   * what it leaves open is as `Troupe.open` says. Then they are deleted with all that belongs to them.
   */
  readonly retention?: RetentionOptions
  /**
   * False for runs that live in the process that starts them and are written nowhere: fast, and gone with it. Of the options of a call, these have
   * `delay`, `at` and `timeout`. For workers only.
   */
  readonly durable?: boolean
  /** The longest an attempt may go without a sign of life: `ctx.heartbeat()`, a message, progress or a log line. Then it has timed out. */
  readonly heartbeat?: Duration
  /** What is kept of what it sends with `ctx.emit`. */
  readonly messages?: MessageOptions
  /**
   * Called when a run has failed for good, however that came: by its last attempt, by a time limit of its call, by the deaths of its processes.
   * Once that is stored, at least once for each run, by any process that serves it; what it throws is logged and changes nothing.
   */
  readonly onFailure?: (failure: RunFailure) => unknown
  /**
   * For workflows: what becomes of a run whose code no longer asks for what its journal holds. `strict`: nothing new of it is begun, it is set aside and goes on
   * by itself once a process starts whose code fits. `warn`: it goes on and the log tells. `off`: it goes on. As `Troupe.open` says, unless told.
   */
  readonly divergence?: DivergencePolicy
}

/** How many messages are kept for readers, and which are dropped beyond that. Neither a slow reader nor none holds up or fails a run. */
export interface MessageOptions {
  /** For each attempt; 10,000 unless told, at most 1,000,000. */
  readonly keep?: number
  /**
   * `drop-newest`: `ctx.emit` returns false from then on. `drop-oldest`: the newest are kept, and up to a tenth more.
   * The first for runs that are stored, the second for those that are not, unless told.
   */
  readonly overflow?: 'drop-newest' | 'drop-oldest'
}

const known = [
  'input',
  'output',
  'version',
  'queue',
  'priority',
  'tags',
  'idempotencyKey',
  'cache',
  'concurrency',
  'limits',
  'timeout',
  'retry',
  'durable',
  'thread',
  'heartbeat',
  'messages',
  'retention',
  'onFailure',
  'divergence',
  'upcast',
]

// Invariant: I15. They are held in memory until the store has them.
const mostMessages = 1_000_000

const knownOfRetry = ['attempts', 'backoff', 'base', 'max', 'jitter', 'maxElapsed', 'retryIf']

export function definitionSettings(name: string, options: DefinitionOptions): DefinitionSettings {
  if (typeof name !== 'string' || name.trim() === '') {
    throw definitionInvalid(
      `A definition's name is ${typeof name === 'string' ? JSON.stringify(name) : textOf(name)}: expected 1 to 255 characters.`,
    )
  }
  checkName("A definition's name", name)
  const what = `'${name}'`
  if (typeof options === 'function')
    throw optionInvalid(
      `The options object of ${what}`,
      'a function',
      '{} as the second argument, and the function as the third',
    )
  checkOptions(what, options, known)
  const { input, output, version, queue, priority = 0, timeout, durable = true, heartbeat, onFailure } = options
  const { tags = [], idempotencyKey } = options
  checkTags(`tags of ${what}`, tags)
  if (idempotencyKey !== undefined) checkFunction(`idempotencyKey of ${what}`, idempotencyKey)
  if (idempotencyKey !== undefined && !durable)
    throw optionInvalid(`idempotencyKey of ${what}`, 'a function', 'none, as its runs are not stored (durable: false)')
  if (typeof durable !== 'boolean') throw optionInvalid(`durable of ${what}`, durable, 'true or false')
  if (onFailure !== undefined) checkFunction(`onFailure of ${what}`, onFailure)
  const { divergence } = options
  if (divergence !== undefined) checkChoice(`divergence of ${what}`, divergence, divergencePolicies)
  if (input !== undefined) checkSchema(`input of ${what}`, input)
  if (output !== undefined) checkSchema(`output of ${what}`, output)
  if (version !== undefined) checkName(`version of ${what}`, version)
  if (queue !== undefined) checkName(`queue of ${what}`, queue)
  checkPriority(`priority of ${what}`, priority)
  const limits = limitsOf(name, options)
  if (limits.length > 0 && !durable)
    throw optionInvalid(`limits of ${what}`, limits.length, 'none, as its runs are not stored (durable: false)')
  return {
    input,
    output,
    queue,
    priority,
    tags,
    keyOf: idempotencyKey,
    cache: options.cache === undefined ? undefined : checkedCache(what, options),
    limits,
    timeoutMs: timeout === undefined ? undefined : toMs(timeout, `timeout of ${what}`),
    isDurable: durable,
    heartbeatMs: heartbeat === undefined ? undefined : toMs(heartbeat, `heartbeat of ${what}`),
    messages: messageRules(what, options.messages ?? {}, durable),
    retry: checkedRetry(what, options.retry, 1),
    toldRetry: options.retry && checkedRetry(what, options.retry, 1),
    retention: checkedRetention(what, options),
    onFailure,
    divergence,
  }
}

function messageRules(what: string, options: MessageOptions, isDurable: boolean): MessageRules {
  checkOptions(`messages of ${what}`, options, ['keep', 'overflow'])
  const { keep = 10_000, overflow = isDurable ? 'drop-newest' : 'drop-oldest' } = options
  checkWhole(`messages.keep of ${what}`, keep, 1)
  if (keep > mostMessages) throw optionInvalid(`messages.keep of ${what}`, keep, `at most ${mostMessages}`)
  checkChoice(`messages.overflow of ${what}`, overflow, ['drop-newest', 'drop-oldest'])
  return { keep, overflow }
}

function checkedCache(
  what: string,
  { cache, idempotencyKey, durable }: DefinitionOptions,
): NonNullable<DefinitionSettings['cache']> {
  checkOptions(`cache of ${what}`, cache, ['ttl', 'key'])
  const { ttl, key } = cache as CacheOptions
  if (key !== undefined) checkFunction(`key of the cache of ${what}`, key)
  if (idempotencyKey !== undefined)
    throw optionInvalid(`cache of ${what}`, 'given', 'none beside an idempotencyKey: a run has one key')
  if (durable === false)
    throw optionInvalid(`cache of ${what}`, 'given', 'none, as its runs are not stored (durable: false)')
  if (ttl === undefined) throw optionInvalid(`ttl of the cache of ${what}`, ttl, "a duration, such as '10m'")
  return { ttlMs: toMs(ttl, `ttl of the cache of ${what}`), keyOf: key }
}

function checkedRetention(what: string, { retention, durable }: DefinitionOptions): string | null {
  if (retention === undefined) return null
  const option = `retention of ${what}`
  if (durable === false) throw optionInvalid(option, 'given', 'none, as its runs are not stored (durable: false)')
  checkRetention(option, retention)
  return JSON.stringify(retentionOf(retention))
}

/** Its own limiter first; each once. */
function limitsOf(name: string, { concurrency, limits = [] }: DefinitionOptions): readonly LimiterRule[] {
  checkList(`limits of '${name}'`, limits, 'a list of what limiter() returns')
  const stranger: unknown = limits.find((rule: unknown) => !isLimiter(rule))
  if (stranger !== undefined) throw optionInvalid(`limits of '${name}'`, stranger, 'a list of what limiter() returns')
  if (concurrency !== undefined) checkWhole(`concurrency of '${name}'`, concurrency, 1)
  const own = concurrency === undefined ? [] : [new Limiter(`worker:${name}`.slice(0, mostInName), { concurrency })]
  return [...new Map([...own, ...limits].map((rule) => [rule.name, rule])).values()]
}

/** Also one made by another copy of this package. */
export function isLimiter(rule: unknown): rule is Limiter {
  return typeof rule === 'object' && rule !== null && 'bounds' in rule && 'name' in rule
}

/** The policy of retry options that `what` was given; `attempts` is what holds when they say nothing. */
export function checkedRetry(what: string, options: RetryOptions | undefined, attempts: number): RetryPolicy {
  if (options === undefined) return retryPolicy(undefined, attempts)
  checkOptions(`retry of ${what}`, options, knownOfRetry)
  const { retryIf } = options
  if (retryIf === undefined) return retryPolicy(options, attempts)
  const option = `retryIf of ${what}`
  checkFunction(option, retryIf)
  if (Object.prototype.toString.call(retryIf) === '[object AsyncFunction]') throw answersLater(option)
  return { ...retryPolicy(options, attempts), retryIf: (error) => answerOf(option, retryIf(error)) }
}

function answerOf(option: string, answer: unknown): boolean {
  if (!isThenable(answer)) return Boolean(answer)
  // It is refused, so what comes of it is nobody's.
  Promise.resolve(answer).catch(() => undefined)
  throw answersLater(option)
}

// A promise is as good as true, whatever comes of it.
function answersLater(option: string): Error {
  return optionInvalid(option, 'a promise', 'a function that answers true or false at once, without async')
}

/** Throws `option_invalid` for what is no Standard Schema. */
export function checkSchema(what: string, schema: unknown): void {
  const { validate } = ((schema ?? {}) as Partial<StandardSchemaV1>)['~standard'] ?? {}
  if (typeof validate !== 'function') {
    throw optionInvalid(what, schema, 'a Standard Schema, such as those of zod, valibot and arktype')
  }
}
