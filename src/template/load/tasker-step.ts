// Turns a step of Tasker's form into one of the native form.
import type { Spot } from '../expression/placeholders.ts'
import { isPlainObject, type PlainObject } from '../expression/values.ts'
import { Draft } from './draft.ts'
import type { Problems } from './problems.ts'
import type { Source } from './source.ts'
import { otherRoles } from './tasker-shape.ts'

// What Tasker does unless told.
const usual = { attempts: 3, baseMs: 1_000, maxMs: 30_000 }

const eventName = /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/

export class TaskerStep {
  readonly #step: PlainObject
  readonly #source: Source
  readonly #problems: Problems
  readonly #schemas: ReadonlyMap<unknown, unknown>
  readonly #native: Draft

  constructor(step: PlainObject, source: Source, schemas: ReadonlyMap<unknown, unknown>) {
    this.#step = step
    this.#source = source
    this.#problems = source.problems
    this.#schemas = schemas
    this.#native = new Draft(source, step)
  }

  native(): PlainObject {
    this.#put('name')
    this.#put('description')
    this.#handler()
    const role = this.#role()
    this.#needs(role)
    this.#retry(role)
    const seconds = this.#value('timeout_seconds')
    if (typeof seconds === 'number') this.#native.put('timeout', seconds * 1_000, this.#spot('timeout_seconds'))
    this.#batch()
    this.#events()
    this.#put('result_schema', 'result')
    this.#warnWhatHasNoEffect()
    return this.#native.object
  }

  /** Undefined where there is nothing, or nothing right. */
  #value(key: string): unknown {
    return this.#problems.isSpoilt(this.#spot(key)) ? undefined : (this.#step[key] ?? undefined)
  }

  #spot(key: string): Spot {
    return { owner: this.#step, key }
  }

  #put(key: string, own = key): void {
    this.#native.put(own, this.#value(key), this.#spot(key))
  }

  #handler(): void {
    const { handler } = this.#step
    if (!isPlainObject(handler)) return
    const names = { callable: 'uses', method: 'method', resolver: 'resolver', initialization: 'config' }
    for (const [key, own] of Object.entries(names)) {
      this.#native.put(own, handler[key] ?? undefined, { owner: handler, key })
    }
  }

  #role(): string {
    const key = this.#value('type') === undefined ? 'step_type' : 'type'
    const given = this.#value(key)
    if (typeof given !== 'string') return 'standard'
    const role = otherRoles[given] ?? given
    if (role !== given) this.#problems.warn(`'${given}' is taken for '${role}'.`, this.#spot(key))
    if (role !== 'standard') this.#native.put('type', role, this.#spot(key))
    return role
  }

  #needs(role: string): void {
    const key = this.#value('dependencies') === undefined ? 'depends_on' : 'dependencies'
    if (key === 'dependencies' && this.#value('depends_on') !== undefined)
      this.#problems.warn("'depends_on' has no effect beside 'dependencies'.", this.#spot('depends_on'), 'key')
    const needs = this.#value(key)
    const isEmpty = needs === undefined || (Array.isArray(needs) && needs.length === 0)
    if (!isEmpty) this.#native.put('needs', needs, this.#spot(key))
    if (isEmpty && role === 'decision' && !this.#problems.isSpoilt(this.#spot(key)))
      this.#problems.error('A decision depends on at least one step.', this.#spot(key))
  }

  #retry(role: string): void {
    const given = this.#value('retry')
    const retry = isPlainObject(given) ? given : {}
    const of = (key: string): unknown => retry[key] ?? undefined
    const native = new Draft(this.#source, isPlainObject(given) ? given : this.#step)
    const spot: Spot = { owner: retry, key: of('max_attempts') === undefined ? 'limit' : 'max_attempts' }
    native.put('attempts', this.#attempts(retry, spot, isPlainObject(given) ? 'standard' : role), spot)
    native.put('backoff', of('backoff') ?? 'exponential', { owner: retry, key: 'backoff' })
    native.put('base', of('backoff_base_ms') ?? usual.baseMs, { owner: retry, key: 'backoff_base_ms' })
    native.put('max', of('max_backoff_ms') ?? usual.maxMs, { owner: retry, key: 'max_backoff_ms' })
    this.#native.put('retry', native.object, this.#spot('retry'))
  }

  #attempts(retry: PlainObject, spot: Spot, role: string): number {
    // Who decides is asked once unless told otherwise: branches may have been chosen by what it saw.
    const wanted = retry[spot.key] ?? (role === 'decision' ? 1 : usual.attempts)
    if (spot.key === 'limit' && retry['limit'] !== undefined && retry['limit'] !== null)
      this.#problems.warn("'limit' is taken for 'max_attempts'.", spot, 'key')
    if (wanted === 0)
      this.#problems.warn("'max_attempts: 0' means the first attempt and no other, as 1 does: write 1.", spot)
    return retry['retryable'] === false ? 1 : Math.max(1, Number(wanted))
  }

  #batch(): void {
    const given = this.#value('batch_config')
    if (!isPlainObject(given)) return
    const names = {
      batch_size: 'size',
      parallelism: 'parallelism',
      cursor_field: 'cursorField',
      worker_template: 'worker',
      failure_strategy: 'failureStrategy',
      checkpoint_interval: 'checkpointInterval',
    }
    const native = new Draft(this.#source, given)
    for (const [key, own] of Object.entries(names)) {
      const value = given[key] === 'isolate_failed' ? 'isolate' : (given[key] ?? undefined)
      native.put(own, value, { owner: given, key })
    }
    this.#native.put('batch', native.object, this.#spot('batch_config'))
  }

  #events(): void {
    const events = this.#value('publishes_events')
    if (!Array.isArray(events) || events.length === 0) return
    const list: unknown[] = []
    this.#source.places.begin(list, this.#source.places.startOf(events) ?? 0)
    for (const [index, event] of events.entries()) {
      if (!isPlainObject(event)) continue
      this.#source.places.copy({ owner: list, key: list.length }, { owner: events, key: index })
      list.push(this.#event(event))
    }
    this.#native.put('publishes', list, this.#spot('publishes_events'))
  }

  #event(event: PlainObject): PlainObject {
    const native = new Draft(this.#source, event)
    const names = {
      name: 'event',
      condition: 'condition',
      delivery_mode: 'mode',
      publisher: 'publisher',
      description: 'description',
    }
    for (const [key, own] of Object.entries(names)) native.put(own, event[key] ?? undefined, { owner: event, key })
    native.put('schema', event['schema'] ?? this.#schemas.get(event['name']), { owner: event, key: 'schema' })
    const { name } = event
    if (typeof name === 'string' && !eventName.test(name))
      this.#problems.error(
        `'${name.slice(0, 60)}' is no name of an event: expected names with a dot between them, of small letters, digits and underscores, as in order.validated.`,
        { owner: event, key: 'name' },
      )
    return native.object
  }

  #warnWhatHasNoEffect(): void {
    if (this.#value('system_dependency') !== undefined)
      this.#problems.warn(
        "'system_dependency' has no effect: use limiters to protect other systems.",
        this.#spot('system_dependency'),
        'key',
      )
    if (this.#value('composition') !== undefined)
      this.#problems.warn(
        "'composition' has no effect: what a step does is the code of its handler.",
        this.#spot('composition'),
        'key',
      )
  }
}
