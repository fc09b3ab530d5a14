// How runs start: what the caller gave becomes an order, and the order a run.
import { decode } from '../../lib/codec.ts'
import { deferred } from '../../lib/deferred.ts'
import type { Duration } from '../../lib/duration.ts'
import { toError } from '../../lib/errors.ts'
import { optionInvalid } from '../../model/errors.ts'
import { idempotencyConflict, startsCutShort } from '../../model/start-errors.ts'
import type { StartKey } from '../../model/start-key.ts'
import type { StartRecord, Started } from '../../store/start.ts'
import {
  checkCallManyOptions,
  checkCallOptions,
  checkLocalCall,
  inputText,
  encodeTags,
  startRarities,
  startTimes,
  type CallManyOptions,
  type UnkeyedOptions,
  type CallOptions,
} from './call.ts'
import { adopt } from './adopting.ts'
import { checkList } from '../checks.ts'
import { asDefinition, type AnyDefinition, type Definition } from '../definition/definition.ts'
import type { Face } from './face.ts'
import { limitsFor } from '../limits/limits.ts'
import { makeOfEach, sliceSize } from './many.ts'
import type { RunHandle } from '../watch/run-handle.ts'
import type { StartDraft, UndecidedStart } from '../starts.ts'
import { keyWithInput, startKey } from './start-options.ts'

/** The input as it is stored, checked by its schema. Reads what the caller gave before it returns. */
export type EncodeInput = (definition: AnyDefinition, input: unknown) => string | Promise<string>

export interface StartingOptions {
  /** Those that are known already, by name. */
  readonly queueIds: ReadonlyMap<string, number>
  readonly encodeInput: EncodeInput
  /** The most bytes of an input in the store. */
  readonly maxValueBytes: number
  /** Of a run whose call says nothing of it. */
  readonly timeout: Duration | undefined
}

interface Manner {
  readonly queueId: number
  /** How the input becomes a text, where it is not by its schema. */
  readonly encode?: (definition: AnyDefinition, input: unknown) => string
}

type RecordOf = (input: unknown, index: number) => StartRecord | Promise<StartRecord>

const noOptions: CallOptions = {}

export class Starting {
  readonly #face: Face
  readonly #queueIds: Map<string, number>
  readonly #encodeInput: EncodeInput
  readonly #maxValueBytes: number
  readonly #timeout: Duration | undefined

  constructor(face: Face, { queueIds, encodeInput, maxValueBytes, timeout }: StartingOptions) {
    this.#face = face
    this.#queueIds = new Map(queueIds)
    this.#encodeInput = encodeInput
    this.#maxValueBytes = maxValueBytes
    this.#timeout = timeout
    face.engine.takingIn.make = (plain) => adopt(face, this, plain)
  }

  async call(target: Definition | string, input: unknown, options: CallOptions = noOptions): Promise<RunHandle> {
    this.#face.checkOpen()
    // Measured: most calls have no options, and looking for what is wrong with none takes a tenth of a local run.
    if (options !== noOptions) checkCallOptions(options)
    const isElsewhere = this.#face.registry.isAway(target)
    // Race: what the caller gave may be changed while the store is asked.
    if (isElsewhere) [input, options] = [this.#copyOf(input), { ...options }]
    const definition = isElsewhere ? await this.#face.registry.bring(target) : this.#definition(target)
    if (!definition.settings.isDurable) return this.#startHere(definition, input, options)
    const key = startKey({ definition, input, index: 0, maxBytes: this.#maxValueBytes }, options)
    const started = await this.#order({ definition, input, key }, options)
    if (!started.isNew && options.onConflict === 'reject')
      throw idempotencyConflict(definition.name, key?.key ?? '', started.id)
    const run = { id: started.id, name: definition.name }
    return options.tx === undefined ? this.#face.handleOf(run) : this.#face.handleOfLeft(run)
  }

  /** check all → start slice by slice */
  async callMany(
    target: Definition | string,
    given: readonly unknown[],
    options: CallManyOptions = {},
  ): Promise<RunHandle[]> {
    this.#face.checkOpen()
    checkCallManyOptions(options)
    checkList('The inputs of callMany', given)
    const isElsewhere = this.#face.registry.isAway(target)
    // Race: as for one.
    const inputs = isElsewhere ? given.map((input) => this.#copyOf(input)) : [...given]
    if (isElsewhere) options = { ...options }
    const definition = isElsewhere ? await this.#face.registry.bring(target) : this.#definition(target)
    if (!definition.settings.isDurable) return this.#startManyHere(definition, inputs, options)
    const records = await this.#recordMany(definition, inputs, options)
    if (options.tx !== undefined) {
      this.#face.checkOpen()
      const all = await this.#startWithin(options.tx, queueOf(definition, options), records)
      return all.map(({ id }) => this.#face.handleOfLeft({ id, name: definition.name }))
    }
    const handles: RunHandle[] = []
    for (let from = 0; from < records.length; from += sliceSize) {
      for (const id of await this.#startSlice(definition, records, from)) {
        handles.push(this.#face.handleOf({ id, name: definition.name }))
      }
    }
    return handles
  }

  /** The record of a start that somebody else writes. Throws what `call` throws. */
  async draft(target: Definition | string, input: unknown, options: UnkeyedOptions): Promise<StartDraft> {
    const isElsewhere = this.#face.registry.isAway(target)
    // Race: as for one from outside.
    if (isElsewhere) input = this.#copyOf(input)
    const definition = isElsewhere ? await this.#face.registry.bring(target) : this.#definition(target)
    const { name, settings } = definition
    if (!settings.isDurable)
      throw optionInvalid(
        `durable of '${name}'`,
        false,
        'true of what a workflow starts: its end is awaited in the store',
      )
    const queueId = this.#queueIds.get(queueOf(definition, options))
    // Race: what was given may be changed while the store is asked.
    if (queueId !== undefined)
      return { name, record: await this.#recorderIn({ queueId }, definition, options)(input, 0) }
    const copy = this.#copyOf(input)
    const recordOf = await this.#recorder(definition, options)
    return { name, record: await recordOf(copy, 0) }
  }

  /** The start of a run whose caller knows nothing of its schema, and the name of its queue: whoever performs the run checks its input. Throws what is wrong with the rest. */
  unchecked(
    definition: AnyDefinition,
    input: unknown,
    options: UnkeyedOptions,
  ): { queue: string; record: StartRecord } {
    const encode = (_definition: AnyDefinition, given: unknown): string => inputText(given, this.#maxValueBytes)
    const record = this.#recorderIn({ queueId: 0, encode }, definition, options)(input, 0) as StartRecord
    return { queue: queueOf(definition, options), record }
  }

  #definition(target: Definition | string): AnyDefinition {
    const { registry } = this.#face
    return typeof target === 'string' ? registry.find(target) : registry.resolve(asDefinition(target))
  }

  #copyOf(input: unknown): unknown {
    return decode(inputText(input, this.#maxValueBytes))
  }

  async #recordMany(
    definition: AnyDefinition,
    inputs: readonly unknown[],
    options: CallManyOptions,
  ): Promise<StartRecord[]> {
    return makeOfEach(inputs, await this.#recorder(definition, options), this.#face.deps.clock)
  }

  /** What makes the record of a run of these options, of its input and its place. */
  async #recorder(definition: AnyDefinition, options: CallManyOptions): Promise<RecordOf> {
    const queue = queueOf(definition, options)
    const queueId = this.#queueIds.get(queue) ?? (options.tx === undefined ? await this.#internQueue(queue) : 0)
    return this.#recorderIn({ queueId }, definition, options)
  }

  #recorderIn({ queueId, encode }: Manner, definition: AnyDefinition, options: CallManyOptions): RecordOf {
    const { deps, registry } = this.#face
    const isUnchecked =
      definition.hasUnseenSchema === true || (encode !== undefined && definition.settings.input !== undefined)
    const definitionId = registry.idOf(definition)
    const priority = options.priority ?? definition.settings.priority
    const tags = encodeTags(definition.settings.tags, options.tags)
    const { dueAt, deadlineAt, expiresAt, askedAt = 0 } = startTimes(options, deps.store.now(), this.#timeout)
    const { retry, correlationId } = startRarities(options)
    const recordOf = (input: string, limits: StartRecord['limits'], madeKey: StartKey | null): StartRecord => ({
      id: deps.ids.uuid(),
      definitionId,
      queueId,
      priority,
      input,
      tags,
      dueAt,
      deadlineAt,
      expiresAt,
      askedAt,
      correlationId,
      retry,
      limits,
      key: keyWithInput(madeKey, input),
      directly: false,
      isUnchecked,
    })
    return (input, index) => {
      const key = startKey({ definition, input, index, maxBytes: this.#maxValueBytes }, options)
      const text = (encode ?? this.#encodeInput)(definition, input)
      const limits = this.#limitsFor(definition, input)
      return typeof text === 'string' ? recordOf(text, limits, key) : text.then((later) => recordOf(later, limits, key))
    }
  }

  /** The ids of a slice of runs, once they are durable. */
  async #startSlice(definition: AnyDefinition, records: readonly StartRecord[], from: number): Promise<string[]> {
    try {
      // Race: it may have been stopped while the inputs were checked, or the runs before these were written.
      this.#face.checkOpen()
      const durable = deferred<readonly Started[]>()
      await this.#face.engine.door.orderMany({ definition, records: records.slice(from, from + sliceSize), durable })
      return (await durable.promise).map(({ id }) => id)
    } catch (error) {
      throw from === 0 ? error : startsCutShort(from, records.length, toError(error))
    }
  }

  async #startManyHere(
    definition: AnyDefinition,
    inputs: readonly unknown[],
    options: CallManyOptions,
  ): Promise<RunHandle[]> {
    checkLocalCall(definition.name, options)
    const { deps, engine } = this.#face
    const texts = await makeOfEach(inputs, (input) => this.#encodeInput(definition, input), deps.clock)
    const times = startTimes(options, deps.store.now(), this.#timeout)
    return texts.map((input) =>
      this.#face.localHandle(engine.local.start({ definition, id: deps.ids.uuid(), ...times, input })),
    )
  }

  /** Starts a run that lives in this process only; at once, when its input need not be waited for. */
  #startHere(definition: AnyDefinition, input: unknown, options: CallOptions): RunHandle | Promise<RunHandle> {
    if (options !== noOptions) checkLocalCall(definition.name, options)
    const { deps, engine } = this.#face
    const { dueAt, deadlineAt } = startTimes(options, deps.store.now(), this.#timeout)
    const start = (text: string): RunHandle =>
      this.#face.localHandle(engine.local.start({ definition, id: deps.ids.uuid(), dueAt, deadlineAt, input: text }))
    const encoded = this.#encodeInput(definition, input)
    return typeof encoded === 'string' ? start(encoded) : encoded.then(start)
  }

  async #order(
    { definition, input, key }: { definition: AnyDefinition; input: unknown; key: StartKey | null },
    options: CallOptions,
  ): Promise<Started> {
    const { deps, registry, engine, checkOpen } = this.#face
    const queue = queueOf(definition, options)
    const durable = deferred<Started>()
    // Race: what the caller gave is read before anything is awaited, or changing it after the call would change the run.
    const encoded = this.#encodeInput(definition, input)
    const id = deps.ids.uuid()
    const { dueAt, deadlineAt, expiresAt, askedAt = 0 } = startTimes(options, deps.store.now(), this.#timeout)
    const { retry, correlationId } = startRarities(options)
    const tags = encodeTags(definition.settings.tags, options.tags)
    const limits = this.#limitsFor(definition, input)
    const text = typeof encoded === 'string' ? encoded : await encoded
    // Measured: made by spreading its parts it costs a call 8.5 µs instead of 5.4, most of it where the store reads it.
    const record: UndecidedStart = {
      id,
      definitionId: registry.idOf(definition),
      queueId: this.#queueIds.get(queue) ?? (options.tx === undefined ? await this.#internQueue(queue) : 0),
      priority: options.priority ?? definition.settings.priority,
      input: text,
      tags,
      dueAt,
      deadlineAt,
      expiresAt,
      askedAt,
      correlationId,
      retry,
      limits,
      key: keyWithInput(key, text),
      directly: false,
      isUnchecked: definition.hasUnseenSchema === true,
    }
    // Race: it may have been stopped while the input was checked.
    checkOpen()
    if (options.tx !== undefined) return only(await this.#startWithin(options.tx, queue, [record]))
    engine.intake.enter(text.length)
    try {
      await engine.door.order({ definition, queue, record, durable })
      return await durable.promise
    } finally {
      engine.intake.leave(text.length)
    }
  }

  #limitsFor(definition: AnyDefinition, input: unknown): StartRecord['limits'] {
    return limitsFor(definition, input, (name) => this.#face.registry.limiterId(name))
  }

  async #startWithin(tx: object, queue: string, records: readonly StartRecord[]): Promise<Started[]> {
    const started = await this.#face.deps.store.callers.start(tx, queue, records)
    this.#face.engine.takingIn.expect()
    return started
  }

  async #internQueue(name: string): Promise<number> {
    const id = await this.#face.deps.store.internQueue(name)
    this.#queueIds.set(name, id)
    return id
  }
}

function only([started]: readonly Started[]): Started {
  if (started === undefined) throw new Error('The store gave no answer to a start')
  return started
}

function queueOf({ settings }: AnyDefinition, options: Pick<CallOptions, 'queue'>): string {
  return options.queue ?? settings.queue ?? 'default'
}
