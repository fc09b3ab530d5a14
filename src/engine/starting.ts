// How runs start: what the caller gave becomes an order, and the order a run.
import { deferred } from '../lib/deferred.ts'
import { idempotencyConflict } from '../model/errors.ts'
import type { Started } from '../store/store.ts'
import { checkCallOptions, checkLocalCall, encodeTags, keyFor, startTimes, type CallOptions } from './call.ts'
import { asDefinition, type AnyDefinition, type Definition } from './definition.ts'
import type { Face } from './face.ts'
import type { RunHandle } from './run-handle.ts'

/** The input as it is stored, checked by its schema. Reads what the caller gave before it returns. */
export type EncodeInput = (definition: AnyDefinition, input: unknown) => string | Promise<string>

export interface StartingOptions {
  /** Those that are known already, by name. */
  readonly queueIds: ReadonlyMap<string, number>
  readonly encodeInput: EncodeInput
}

export class Starting {
  readonly #face: Face
  readonly #queueIds: Map<string, number>
  readonly #encodeInput: EncodeInput

  constructor(face: Face, { queueIds, encodeInput }: StartingOptions) {
    this.#face = face
    this.#queueIds = new Map(queueIds)
    this.#encodeInput = encodeInput
  }

  async call(target: Definition | string, input: unknown, options: CallOptions = {}): Promise<RunHandle> {
    const { checkOpen, registry } = this.#face
    checkOpen()
    checkCallOptions(options)
    const definition = typeof target === 'string' ? registry.find(target) : registry.resolve(asDefinition(target))
    if (!definition.settings.isDurable) return this.#startHere(definition, input, options)
    const { onConflict = 'attach' } = options
    const key = keyFor(definition, input, options)
    const started = await this.#order(definition, input, { ...options, ...(key !== null && { idempotencyKey: key }) })
    if (!started.isNew && onConflict === 'reject') throw idempotencyConflict(definition.name, key ?? '', started.id)
    return this.#face.handleOf({ id: started.id, name: definition.name })
  }

  /** Starts a run that lives in this process only; at once, when its input need not be waited for. */
  #startHere(definition: AnyDefinition, input: unknown, options: CallOptions): RunHandle | Promise<RunHandle> {
    checkLocalCall(definition.name, options)
    const { deps, engine } = this.#face
    const times = startTimes(options, deps.store.now())
    const start = (text: string): RunHandle =>
      this.#face.localHandle(engine.local.start({ definition, id: deps.ids.uuid(), ...times, input: text }))
    const encoded = this.#encodeInput(definition, input)
    return typeof encoded === 'string' ? start(encoded) : encoded.then(start)
  }

  async #order(definition: AnyDefinition, input: unknown, options: CallOptions): Promise<Started> {
    const { deps, registry, engine, checkOpen } = this.#face
    const queue = options.queue ?? definition.settings.queue ?? 'default'
    const durable = deferred<Started>()
    const record = {
      id: deps.ids.uuid(),
      definitionId: registry.idOf(definition),
      priority: options.priority ?? definition.settings.priority,
      tags: encodeTags(definition.settings.tags, options.tags),
      idempotencyKey: options.idempotencyKey ?? null,
      ...startTimes(options, deps.store.now()),
      // Race: what the caller gave is read before anything is awaited, or changing it after the call would change the run.
      input: await this.#encodeInput(definition, input),
      queueId: this.#queueIds.get(queue) ?? (await this.#internQueue(queue)),
    }
    // Race: it may have been stopped while the input was checked.
    checkOpen()
    await engine.order({ definition, queue, record, durable })
    return durable.promise
  }

  async #internQueue(name: string): Promise<number> {
    const id = await this.#face.deps.store.internQueue(name)
    this.#queueIds.set(name, id)
    return id
  }
}
