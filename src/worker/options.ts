// The options that workers and workflows share, checked where they are written.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DefinitionSettings } from '../engine/definition.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { checkFunction, checkName, checkOptions } from '../engine/checks.ts'
import { textOf } from '../lib/text.ts'
import { isThenable } from '../lib/thenable.ts'
import { definitionInvalid, optionInvalid } from '../model/errors.ts'
import { retryPolicy, type RetryOptions, type RetryPolicy } from '../model/retry.ts'

export interface DefinitionOptions {
  /** Checks what a run is started with, before it is stored. Any Standard Schema. */
  readonly input?: StandardSchemaV1
  /** Checks what a run returns. */
  readonly output?: StandardSchemaV1
  /** A run stays on the version it was started with; `1` unless told. */
  readonly version?: string
  readonly queue?: string
  /** Higher first; 0 unless told. */
  readonly priority?: number
  /** How long one attempt may take. */
  readonly timeout?: Duration
  readonly retry?: RetryOptions
}

const known = ['input', 'output', 'version', 'queue', 'priority', 'timeout', 'retry']

const knownOfRetry = ['attempts', 'backoff', 'base', 'max', 'jitter', 'maxElapsed', 'retryIf']

export function definitionSettings(name: string, options: DefinitionOptions): DefinitionSettings {
  if (typeof name !== 'string' || name.trim() === '') {
    throw definitionInvalid(`A definition's name is ${textOf(name)}: expected 1 to 255 characters.`)
  }
  checkName("A definition's name", name)
  const what = `'${name}'`
  checkOptions(what, options, known)
  const { input, output, version, queue, priority = 0, timeout } = options
  if (input !== undefined) checkSchema(`input of ${what}`, input)
  if (output !== undefined) checkSchema(`output of ${what}`, output)
  if (version !== undefined) checkName(`version of ${what}`, version)
  if (queue !== undefined) checkName(`queue of ${what}`, queue)
  if (!Number.isSafeInteger(priority)) throw optionInvalid(`priority of ${what}`, priority, 'a whole number')
  return {
    input,
    output,
    queue,
    priority,
    timeoutMs: timeout === undefined ? undefined : toMs(timeout),
    retry: checkedRetry(what, options.retry, 1),
  }
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

function checkSchema(what: string, schema: StandardSchemaV1): void {
  const { validate } = ((schema ?? {}) as Partial<StandardSchemaV1>)['~standard'] ?? {}
  if (typeof validate !== 'function') {
    throw optionInvalid(what, schema, 'a Standard Schema, such as those of zod, valibot and arktype')
  }
}
