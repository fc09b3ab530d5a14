// Turns Tasker's form into the native one; each part keeps its place in the file.
import { clip } from '../../lib/text.ts'
import type { Spot } from '../expression/placeholders.ts'
import { isPlainObject, type PlainObject } from '../expression/values.ts'
import type { JsonSchema } from '../model/template.ts'
import { Draft } from './draft.ts'
import { inEnvironment } from './environments.ts'
import { schemaFaults } from './json-schema.ts'
import { faultText } from './misfit-text.ts'
import { spotWithin } from './places.ts'
import type { Problems } from './problems.ts'
import type { Source } from './source.ts'
import { TaskerStep } from './tasker-step.ts'

export function isTasker(form: PlainObject): boolean {
  if ('namespace_name' in form) return true
  const { steps } = form
  return Array.isArray(steps) && steps.some((step) => isPlainObject(step) && isPlainObject(step['handler']))
}

const semver = /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/

const renamed = [
  ['name', 'name'],
  ['namespace_name', 'namespace'],
  ['version', 'version'],
  ['description', 'description'],
  ['metadata', 'metadata'],
  ['input_schema', 'input'],
  ['lifecycle', 'lifecycle'],
  ['identity_strategy', 'identity'],
] as const

/** The form has been checked against its shape. */
export function fromTasker(form: PlainObject, source: Source, environment: string | undefined): PlainObject {
  const { places, problems } = source
  const native = new Draft(source, form)
  for (const [key, own] of renamed) {
    if (form[key] !== null) native.put(own, form[key], { owner: form, key })
  }
  dropWrongSchema(native, form, problems)
  if (isPlainObject(native.object['lifecycle']))
    native.put('lifecycle', lifecycleOf(native.object['lifecycle'], source), { owner: form, key: 'lifecycle' })
  // What Tasker does unless told.
  native.put('identity', native.object['identity'] ?? 'strict', { owner: form, key: 'identity_strategy' })
  checkVersion(form, problems)
  warnWhatHasNoEffect(form, problems)
  const schemas = eventSchemas(form)
  const merge = (step: PlainObject, override: PlainObject): PlainObject => mergeTasker(step, override, source)
  const steps = inEnvironment(form, environment, { problems, merge, isStrict: false })
  const list: unknown[] = []
  places.begin(list, places.offsetOf({ owner: form, key: 'steps' }, 'value'))
  for (const step of steps) {
    if (!isPlainObject(step)) continue
    const made = new TaskerStep(step, source, schemas).native()
    const at = places.startOf(step) ?? 0
    places.mark({ owner: list, key: list.length }, at, at)
    list.push(made)
  }
  native.put('steps', list, { owner: form, key: 'steps' })
  const { environments } = form
  if (isPlainObject(environments)) native.put('environments', environments, { owner: form, key: 'environments' })
  return native.object
}

/** `timeout_seconds` and `retry` are replaced, the keys of `handler.initialization` go beside those of the step. */
function mergeTasker(step: PlainObject, override: PlainObject, source: Source): PlainObject {
  const merged = new Draft(source, step).putAll(step)
  for (const key of Object.keys(override)) {
    if (override[key] !== null && key !== 'name') merged.put(key, override[key], { owner: override, key })
  }
  const [own, other] = [step['handler'], override['handler']]
  if (!isPlainObject(own)) return merged.object
  const handler = new Draft(source, own).putAll(own)
  if (isPlainObject(other)) {
    handler.putAll(withoutEmpty(other))
    const [data, otherData] = [own['initialization'], other['initialization']]
    if (isPlainObject(data) && isPlainObject(otherData)) {
      const both = new Draft(source, data).putAll(data).putAll(otherData)
      handler.put('initialization', both.object, { owner: own, key: 'initialization' })
    }
  }
  return merged.put('handler', handler.object, { owner: step, key: 'handler' }).object
}

function withoutEmpty(object: PlainObject): PlainObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}

/** Tasker itself does not look at it. */
function dropWrongSchema({ object }: Draft, form: PlainObject, problems: Problems): void {
  const { input } = object
  const [fault] = input === undefined ? [] : schemaFaults(input as JsonSchema)
  if (fault === undefined) return
  delete object['input']
  const spot = spotWithin({ owner: form, key: 'input_schema' }, fault.place)
  problems.warn(`'input_schema' is no JSON Schema, so inputs are not checked: ${faultText(fault)}.`, spot)
}

const lifecycleNames: Readonly<Record<string, string>> = {
  max_duration_minutes: 'maxDuration',
  max_waiting_for_dependencies_minutes: 'maxWaitingForDependencies',
  max_waiting_for_retry_minutes: 'maxWaitingForRetry',
  max_steps_in_process_minutes: 'maxStepsInProcess',
  staleness_action: 'stalenessAction',
  auto_fail_on_timeout: 'autoFailOnTimeout',
  auto_dlq_on_timeout: 'autoDlqOnTimeout',
}

function lifecycleOf(lifecycle: PlainObject, source: Source): PlainObject {
  const native = new Draft(source, lifecycle)
  for (const [key, own] of Object.entries(lifecycleNames)) {
    const value = lifecycle[key]
    if (value === undefined || value === null) continue
    native.put(own, key.endsWith('_minutes') ? `${value}m` : value, { owner: lifecycle, key })
  }
  return native.object
}

function checkVersion(form: PlainObject, problems: Problems): void {
  const { version } = form
  const spot: Spot = { owner: form, key: 'version' }
  if (typeof version !== 'string' || problems.isSpoilt(spot) || semver.test(version)) return
  problems.error(`'version' is ${clip(JSON.stringify(version), 60)}: expected three numbers, as in 1.0.0.`, spot)
}

function warnWhatHasNoEffect(form: PlainObject, problems: Problems): void {
  const { task_handler: handler, system_dependencies: systems } = form
  if (handler !== undefined && handler !== null)
    problems.warn("'task_handler' has no effect: a template has no code but that of its steps.", {
      owner: form,
      key: 'task_handler',
    })
  if (!isPlainObject(systems)) return
  const { primary = null, secondary = null } = systems
  const isUsual = (primary === null || primary === 'default') && (secondary === null || isEmptyList(secondary))
  if (!isUsual)
    problems.warn("'system_dependencies' has no effect: use limiters to protect other systems.", {
      owner: form,
      key: 'system_dependencies',
    })
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

/** What `domain_events` says of the payloads of events, by their name. */
function eventSchemas({ domain_events: events }: PlainObject): ReadonlyMap<unknown, unknown> {
  const listed: readonly unknown[] = Array.isArray(events) ? events : []
  return new Map(listed.filter(isPlainObject).map(({ name, schema }) => [name, schema ?? undefined]))
}
