// What was built as data: the steps of a template.
import { toMs, type Duration } from '../../lib/duration.ts'
import { asDefinition } from '../../engine/definition/definition.ts'
import type { Limiter } from '../../worker/limiter.ts'
import { defaultBatches, itemsAtOnce } from '../model/defaults.ts'
import { eventModes } from '../../model/event.ts'
import { conditions } from '../model/model.ts'
import type { Made, Publication, Scope, TemplateStep, UndoOfStep, Work } from '../model/template.ts'
import { checkChoice, checkFunction, checkName, checkOptions } from '../../engine/checks.ts'
import { checkEventName } from '../../engine/events/events.ts'
import type {
  AnyStepOptions,
  BuiltStep,
  PublishOption,
  ScriptOptions,
  UndoOption,
  WaitOptions,
  WorkOptions,
} from './built-step.ts'

type AnyPublish = PublishOption<unknown, readonly BuiltStep[]>

type AnyWork = WorkOptions<unknown, readonly BuiltStep[]> & {
  readonly with?: (scope: never) => unknown
  readonly forEach?: (scope: never) => readonly unknown[]
  readonly key?: (scope: never) => string
  readonly concurrency?: number
}
export type AnyWait = WaitOptions<unknown, readonly BuiltStep[]>
export type AnyScript = ScriptOptions<unknown, readonly BuiltStep[]>
export type { AnyWork }

const plain: Omit<TemplateStep, 'name' | 'work'> = {
  description: undefined,
  role: 'standard',
  needs: [],
  when: 'all_succeeded',
  if: undefined,
  with: undefined,
  config: {},
  forEach: undefined,
  retry: undefined,
  timeout: { attemptMs: undefined, queueMs: undefined, totalMs: undefined },
  onError: 'fail',
  undo: undefined,
  limits: [],
  cache: undefined,
  priority: undefined,
  queue: undefined,
  batch: undefined,
  publishes: [],
}

export function workStep(name: string, uses: unknown, options: AnyWork): TemplateStep {
  const work: Work = { kind: 'worker', uses: asDefinition(uses).name, method: undefined }
  const { forEach, key, concurrency = itemsAtOnce } = options
  const given = options.with ?? (forEach && ((scope: Scope) => scope.item))
  return {
    ...workOf(name, work, options),
    with: made(given, options.needs),
    forEach: forEach && { items: made(forEach, options.needs) as Made, key: made(key, options.needs), concurrency },
  }
}

export function scriptStep(name: string, script: string, options: AnyScript): TemplateStep {
  const work: Work = { kind: 'script', script, limits: { timeoutMs: undefined, memoryBytes: undefined } }
  return { ...workOf(name, work, options), with: made(options.with, options.needs) }
}

export function waitStep(name: string, options: AnyWait): TemplateStep {
  return { ...common(name, waitOf(name, options), options) }
}

function waitOf(name: string, { message, key, timeout, for: forTime, until, needs }: AnyWait): Work {
  const timeoutMs = timeout === undefined ? undefined : toMs(timeout, `timeout of step '${name}'`)
  if (message !== undefined) return { kind: 'message', message, key: made(key, needs), timeoutMs }
  const forMs = forTime === undefined ? undefined : toMs(forTime, `for of step '${name}'`)
  if (forMs !== undefined || until !== undefined) return { kind: 'time', forMs, until: made(until, needs) }
  return { kind: 'completion', timeoutMs }
}

function workOf(name: string, work: Work, options: WorkOptions<unknown, readonly BuiltStep[]>): TemplateStep {
  const { role = 'standard', config = {}, retry, onError = 'fail', limits = [], cache, priority, queue } = options
  return {
    ...common(name, work, options),
    role,
    batch: options.batch && { ...defaultBatches, ...options.batch },
    config,
    retry,
    timeout: timesOf(name, options.timeout),
    onError: typeof onError === 'object' ? { fallback: onError.fallback.name } : onError,
    undo: options.undo && undoOf(name, options.undo, options.needs),
    limits: limits.map(limitOf),
    cache: cache && { ttlMs: toMs(cache.ttl, `ttl of step '${name}'`), key: made(cache.key, options.needs) },
    priority,
    queue,
  }
}

function common(name: string, work: Work, options: AnyStepOptions<unknown, readonly BuiltStep[]>): TemplateStep {
  const { description, needs = [], when = 'all_succeeded', publishes = [] } = options
  return {
    ...plain,
    name,
    work,
    description,
    needs: [...new Set(needs.map((step) => step.name))],
    when,
    if: made(options.if, needs),
    publishes: publishes.map((option) => publicationOf(name, option, needs)),
  }
}

const keysOfPublication = ['event', 'condition', 'mode', 'payload', 'schema', 'publisher']

function publicationOf(step: string, option: AnyPublish, needs: readonly BuiltStep[]): Publication {
  const what = `publishes of step '${step}'`
  checkOptions(what, option, keysOfPublication)
  const { event, condition = 'success', mode = 'durable', payload, schema, publisher } = option
  checkEventName(event)
  checkChoice(`condition in ${what}`, condition, conditions)
  checkChoice(`mode in ${what}`, mode, eventModes)
  if (payload !== undefined) checkFunction(`payload in ${what}`, payload)
  if (publisher !== undefined) checkName(`publisher in ${what}`, publisher)
  return { event, condition, mode, payload: made(payload, needs), publisher, schema }
}

function timesOf(name: string, timeout: AnyWork['timeout']): TemplateStep['timeout'] {
  const { attempt, queue, total } =
    typeof timeout === 'object' ? timeout : { attempt: timeout, queue: undefined, total: undefined }
  const ms = (what: string, time: Duration | undefined): number | undefined =>
    time === undefined ? undefined : toMs(time, `${what} of step '${name}'`)
  return { attemptMs: ms('timeout', attempt), queueMs: ms('timeout.queue', queue), totalMs: ms('timeout.total', total) }
}

function undoOf(name: string, undo: NonNullable<AnyWork['undo']>, needs: AnyWork['needs']): UndoOfStep {
  if (!('uses' in undo))
    return { uses: asDefinition(undo).name, with: undefined, retry: undefined, timeoutMs: undefined }
  const { uses, retry, timeout } = undo as UndoOption<unknown, readonly BuiltStep[]>
  const timeoutMs = timeout === undefined ? undefined : toMs(timeout, `timeout of the undo of step '${name}'`)
  return { uses: asDefinition(uses).name, with: made(undo.with, needs), retry, timeoutMs }
}

/** A function of the program that makes a value of the scope of its step. */
function made(make: ((scope: never) => unknown) | undefined, needs: readonly BuiltStep[] = []): Made | undefined {
  if (make === undefined) return undefined
  return { steps: needs.map(({ name }) => name), make: make as Made['make'] }
}

/** A limiter with keys makes one of the input of the run. */
function limitOf({ name, keyOf }: Limiter<never>): TemplateStep['limits'][number] {
  return { name, key: keyOf && { steps: [], make: ({ input }) => keyOf(input as never) } }
}
